import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { azureCli } from "../../scripts/tools/paths.ts";
import { scratchFolder } from "../support/platform.ts";
import { run } from "../support/tools.ts";
import type { Cloud } from "./cloud.ts";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/**
 * A process that runs az-server.py. Each server has a separate configuration folder for az, because az reads this
 * folder only once, when the server imports az.
 */
class AzServer {
  /**
   * Folder with the programs `az` (az-client.py) and `kubectl` (kubectl.py). This folder must be the first folder in
   * PATH.
   */
  readonly bin: string = scratchFolder("bin");
  readonly config: string = scratchFolder("config");
  readonly socket: string = join(this.bin, "socket");
  readonly #process: ChildProcess;

  constructor() {
    const python = join(azureCli, "bin/python");
    this.#process = spawn(python, [here("az-server.py"), this.socket], {
      env: { ...process.env, AZURE_CONFIG_DIR: this.config, AZURE_CORE_COLLECT_TELEMETRY: "no" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    for (const name of ["az", "kubectl"]) {
      const file = here(name === "az" ? "az-client.py" : "kubectl.py");
      writeFileSync(join(this.bin, name), `#!/bin/sh\nexec '${python}' -ISE '${file}' "$@"\n`, { mode: 0o755 });
    }
  }

  async ready(): Promise<void> {
    if (this.#process.stdout !== null) await once(this.#process.stdout, "data");
  }

  stop(): void {
    this.#process.kill("SIGKILL");
  }
}

/**
 * Starts an az server, and runs `az login` of the real az. The stand-in for Azure answers the requests of this command
 * and of all later commands.
 *
 * @returns the environment variables that scripts need, and a function that stops the server
 */
export async function loggedIn(cloud: Cloud): Promise<{ env: Record<string, string>; stop: () => void }> {
  const server = new AzServer();
  await server.ready();
  const home = scratchFolder("azure");
  const closed = "http://127.0.0.1:1";
  const env: Record<string, string> = {
    HOME: home,
    PATH: `${server.bin}:${process.env["PATH"]}`,
    AZ_SOCKET: server.socket,
    AZ_LOG: join(home, "calls"),
    KUBECTL_STATE: join(home, "cluster"),
    AZURE_CONFIG_DIR: server.config,
    IDENTITY_ENDPOINT: cloud.identityEndpoint,
    IDENTITY_HEADER: "stand-in",
    REQUESTS_CA_BUNDLE: join(home, "ca.crt"),
    AZURE_CORE_INSTANCE_DISCOVERY: "false",
    AZURE_EXTENSION_USE_DYNAMIC_INSTALL: "no",
    AZURE_CORE_COLLECT_TELEMETRY: "no",
    AZURE_CORE_NO_COLOR: "yes",
    // If this variable is not set, az also sends a request to the link-local address at which an Azure virtual machine
    // provides identities.
    AZURE_POD_IDENTITY_AUTHORITY_HOST: closed,
  };
  writeFileSync(join(home, "ca.crt"), cloud.ca);
  const { base } = cloud;
  const endpoints = { activeDirectory: base, activeDirectoryResourceId: base, management: base, resourceManager: base };
  const graph = { activeDirectoryGraphResourceId: base, microsoftGraphResourceId: base };
  const suffixes = { acrLoginServerEndpoint: "localhost", storageEndpoint: "localhost", keyvaultDns: "localhost" };
  writeFileSync(join(home, "cloud.json"), JSON.stringify({ endpoints: { ...endpoints, ...graph }, suffixes }));
  const az = (...args: string[]): Promise<string> => run("az", args, { env });
  await az("cloud", "register", "-n", "stand-in", "--skip-endpoint-discovery", "--cloud-config", `@${join(home, "cloud.json")}`);
  await az("cloud", "set", "-n", "stand-in");
  await az("login", "--identity", "--output", "none");
  writeFileSync(env["AZ_LOG"] ?? "", "");
  return { env, stop: () => server.stop() };
}

/** Returns the arguments of all calls of az so far, in the order of the calls. */
export function callsOf(env: Readonly<Record<string, string>>): string[][] {
  return readFileSync(env["AZ_LOG"] ?? "", "utf8")
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as string[]);
}
