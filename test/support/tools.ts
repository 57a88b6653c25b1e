import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "vitest";
import { azureCli, pinnedTool, schemasFolder } from "../../scripts/tools/paths.ts";

export type ToolName =
  | "age"
  | "helm"
  | "helmfile"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubeconform"
  | "kubectl"
  | "kustomize"
  | "kustomize-controller"
  | "kwok"
  | "sops";

/** Root of this checkout. */
export const projectRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/** Reference data of upstream charts, beside the checkout; see `withReference`. */
export const referenceFolder: string = fileURLToPath(new URL("../../../shared/reference/", import.meta.url));

/** Path of a tool that `npm run tools` builds. */
export function tool(name: ToolName): string {
  return pinnedTool(name);
}

/** Tests that need real tools: skipped with a notice where these are not built; failing instead with CI=true. */
export function withTools(names: readonly ToolName[], title: string, define: () => void): void {
  const missing = names.filter((name) => !existsSync(tool(name)));
  if (names.includes("kubeconform") && !existsSync(schemasFolder)) missing.push("kubeconform");
  guarded(missing.length === 0, `${title} needs ${missing.join(", ")}: npm run tools`, title, define);
}

/** Tests that need the Azure CLI, which is no single binary; guarded as others are. */
export function withAzureCli(title: string, define: () => void): void {
  guarded(existsSync(join(azureCli, "installed")), `${title} needs the Azure CLI: npm run tools`, title, define);
}

const clusterTools = [
  "helm",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kustomize",
  "kustomize-controller",
  "kwok",
] as const;

/** Tests on a cluster of their own: they need its tools, etcd, and Flux's CRDs of the reference data. */
export function withCluster(title: string, define: () => void): void {
  const etcd = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "etcd")));
  if (!existsSync(referenceFolder)) describe.skip(`${title} (skipped: no ../shared/reference)`, define);
  else if (etcd) withTools(clusterTools, title, define);
  else guarded(false, `${title} needs etcd: apt-get install etcd-server`, title, define);
}

/** Tests against upstream reference data: skipped with a notice where it is not beside the checkout. */
export function withReference(title: string, define: () => void): void {
  if (existsSync(referenceFolder)) describe(title, define);
  else describe.skip(`${title} (skipped: no ../shared/reference)`, define);
}

function guarded(ready: boolean, notice: string, title: string, define: () => void): void {
  if (ready) describe(title, define);
  else if (process.env["CI"] === "true") test(title, () => Promise.reject(new Error(notice)));
  else {
    console.warn(`skipped: ${notice}`);
    describe.skip(title, define);
  }
}

const exec = promisify(execFile);

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Runs a program to its end and returns its output; a failure carries what it printed. */
export async function run(command: string, args: readonly string[], { cwd, env = {}, input }: RunOptions = {}): Promise<string> {
  // Node gives children a socket, which cannot be opened as /dev/stdin: `cat` makes a pipe of it.
  const [program, all] = input === undefined ? [command, args] : ["sh", ["-c", 'cat | "$0" "$@"', command, ...args]];
  const running = exec(program, [...all], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    maxBuffer: 1024 ** 3,
  });
  running.child.stdin?.on("error", () => {}); // a program that reads nothing may be gone already
  running.child.stdin?.end(input ?? "");
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stderr ?? ""}${(stdout ?? "").slice(-4000)}`);
  }
}
