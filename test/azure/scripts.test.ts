import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bootstrapScript } from "../../generator/bootstrap/bootstrap.ts";
import { envFile } from "../../generator/bootstrap/env-file.ts";
import { teardownScript } from "../../generator/bootstrap/teardown.ts";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import { shellQuote } from "../../generator/system/shell.ts";
import { azureCli } from "../../scripts/tools/paths.ts";
import { meshops } from "../support/cli.ts";
import { withAzureCli, withProgram } from "../support/guards.ts";
import { makePlatform, scratchFolder } from "../support/platform.ts";
import { environmentOf, specText } from "../support/specs.ts";
import { run } from "../support/tools.ts";
import { onAzure } from "./platform.ts";

const cluster = (onAzure["azure"] as { cluster: object }).cluster;
const variant = (azure: object, rest: object = {}): Environment =>
  environmentOf({ ...onAzure, ...rest, azure: { ...(onAzure["azure"] as object), ...azure } });

const gitopsOfOthers = {
  url: null,
  namespace: "platform",
  namePrefix: "mesh-",
  root: { kustomization: { name: "mesh", namespace: "flux-system" } },
};

/** Environments that together use every branch of the script templates. */
const environments: Readonly<Record<string, Environment>> = {
  mirrored: environmentOf(onAzure),
  "no registry": variant({ registry: null }, { pydgraphClient: { enabled: false } }),
  cilium: variant({
    cluster: { ...cluster, networkPolicy: "cilium", autoProvisioning: true, zones: [], kubernetesVersion: "1.35" },
  }),
  "existing cluster": variant({ cluster: { ...cluster, lifecycle: "existing" } }),
  "existing cluster without registry": variant(
    { registry: null, cluster: { name: "c", lifecycle: "existing", kubernetesVersion: "1.35" } },
    { pydgraphClient: { enabled: false } },
  ),
  "own cluster": environmentOf({}),
  "Flux of others": environmentOf({ gitops: gitopsOfOthers }),
  "Flux of others on Azure": variant({}, { gitops: gitopsOfOthers }),
  "accounts without cluster-wide rights": environmentOf({
    gitops: { ...gitopsOfOthers, serviceAccountName: "flux-applier" },
    linkerd: { lifecycle: "existing" },
    pydgraphClient: { enabled: false },
  }),
};
const whole = { registry: true, group: true };
const choices = { context: null, upgradeFlux: false };
const scripts = Object.entries(environments).flatMap(([name, environment]) => [
  [`bootstrap, ${name}`, bootstrapScript(environment, choices)] as const,
  [`bootstrap that changes Flux, ${name}`, bootstrapScript(environment, { ...choices, upgradeFlux: true })] as const,
  [`teardown, ${name}`, teardownScript(environment, null, { registry: false, group: false })] as const,
  [`teardown of all, ${name}`, teardownScript(environment, null, whole)] as const,
]);

withProgram("shellcheck", "the scripts", () => {
  test.each(scripts)("%s: shellcheck has no findings, and no line ends with a blank", async (_, script) => {
    await run("shellcheck", ["--severity=style", "-"], { input: script });
    expect(script).not.toMatch(/[ \t]$/m);
    expect(script.match(/^ *step /gm)).toHaveLength(Number(/^STEPS=(\d+)$/m.exec(script)?.[1]));
    const functions = [...script.matchAll(/^ *step '(?:[^']|'\\'')*' '?(\w+)/gm)].map(([, name]) => name);
    expect(functions.length).toBeGreaterThan(3);
    expect(functions.filter((name) => !script.includes(`\n${name}() {\n`))).toEqual([]);
  });

  test("the scripts contain no syntax that bash 3.2 does not support", () => {
    for (const [, script] of scripts)
      expect(script).not.toMatch(/declare -A|mapfile|readarray|\$\{[a-z_]+(,,|\^\^)|\bwait -n\b|&>>|\|&|local -n/i);
  });

  test("the same spec always results in the same script", () => {
    expect(bootstrapScript(environmentOf(onAzure), choices)).toBe(scripts[0]?.[1]);
  });

  test("--context is rejected for clusters on Azure, and every option is rejected for scripts that do not use the option", async () => {
    const root = makePlatform({ own: specText({}, "own"), dev: specText(onAzure, "dev") });
    expect((await meshops(root, ["bootstrap", "own", "--context", "kind-dev"])).stdout).toContain("\nCONTEXT='kind-dev'\n");
    expect(await meshops(root, ["bootstrap", "dev", "--context", "kind-dev"])).toMatchObject({ code: 2, stdout: "" });
    expect(await meshops(root, ["teardown", "own", "--group"])).toMatchObject({ code: 2, stdout: "" });
    expect(await meshops(root, ["teardown", "dev", "--yes"])).toMatchObject({ code: 2, stdout: "" });
    expect(await meshops(root, ["bootstrap", "own", "--env"])).toMatchObject({ code: 1, stdout: "" });
    const { stdout } = await meshops(root, ["bootstrap", "dev", "--env"]);
    expect(
      await run("bash", ["-c", `${stdout}echo "$AZ_RESOURCE_GROUP $AZ_ACR_LOGIN_SERVER $AZ_NET_POLICY $KUBECONFIG"`], {
        env: { HOME: "/h" },
      }),
    ).toBe("platform platform1.azurecr.io calico /h/.local/state/meshops/dev/kubeconfig\n");
  });
});

describe("hostile values are not executed", () => {
  const nasty = fc.string({
    unit: fc.constantFrom("'", '"', "$", "(", ")", "`", "\\", ";", "&", "|", "!", "*", "~", "#", " ", "\n", "é", "a", "-"),
    maxLength: 40,
  });

  test("every quoted string is unchanged after the shell has parsed it", () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 20 }), (texts) => {
        const out = execFileSync("bash", ["-c", `printf '%s\\0' ${texts.map(shellQuote).join(" ")}`]).toString();
        expect(out.split("\0").slice(0, -1)).toEqual(texts);
      }),
      { numRuns: process.env["SLOW"] === "1" ? 1000 : 100 },
    );
  });

  test("the values of a valid spec are unchanged in the variables, step titles and manifests of the script", () => {
    const urlPart = fc.string({
      unit: fc.constantFrom("'", '"', "$", "(", ")", "`", "\\", ";", "&", "|", "{", "}", "x", "$(id)"),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(urlPart, urlPart, (url, manifests) => {
        const gitops = { url: `https://example.com/${url}`, flux: { manifests: `./${manifests}` } };
        const environment = environmentOf({
          ...onAzure,
          gitops,
          azure: { ...(onAzure["azure"] as object), resourceGroup: "a(b)._-c" },
        });
        const script = bootstrapScript(environment, choices);
        const [head = ""] = script.split("# --- output and exit");
        const titles = script.match(/^ {2}step .*$/gm) ?? [];
        const shown = execFileSync("bash", [
          "-c",
          `${head}\nstep() { printf '%s\\n' "$1"; }\nprintf '%s\\n' "$GIT_URL" "$FLUX_MANIFESTS" "$RESOURCE_GROUP"\n${titles.join("\n")}`,
        ]).toString();
        expect(shown).toContain(`${gitops.url}\n${gitops.flux.manifests}\na(b)._-c\n`);
        expect(shown).toContain(`\nreconciliation of ${gitops.url}, branch main, flux/test\n`);
        expect(execFileSync("bash", ["-n"], { input: script }).toString()).toBe("");
        const manifest = /<<'YAML'\n(apiVersion: source[\s\S]*?)\nYAML\n/.exec(script)?.[1];
        expect(manifest).toContain(url);
      }),
      { numRuns: process.env["SLOW"] === "1" ? 300 : 30 },
    );
  });

  test("the values of the variables that bootstrap --env prints are unchanged", () => {
    const text = envFile(variant({ resourceGroup: "a(b)" })) ?? "";
    expect(execFileSync("bash", ["-c", `${text}printf %s "$AZ_RESOURCE_GROUP"`]).toString()).toBe("a(b)");
  });
});

withAzureCli("az's own parser", () => {
  test("accepts every call of az in every script", async () => {
    const lines = scripts.flatMap(([, script]) => commandLines(script));
    expect(new Set(lines.map((line) => (JSON.parse(line) as string[]).slice(0, 2).join(" "))).size).toBeGreaterThan(15);
    expect(await parse([...new Set(lines)])).toBe("");
  });

  test("rejects wrong calls, so the check of the scripts can fail", async () => {
    const lines = [
      ["aks", "create", "--name", "a", "--resource-group", "b", "--no-such-flag"],
      ["group", "create", "--name", "a"],
    ];
    const errors = await parse(lines.map((line) => JSON.stringify(line)));
    for (const line of lines) expect(errors).toContain(`az ${line.join(" ")}: `);
  });

  function parse(lines: readonly string[]): Promise<string> {
    const program = new URL("az-parse.py", import.meta.url).pathname;
    const config = scratchFolder("config");
    return run(join(azureCli, "bin/python"), [program], { input: `${lines.join("\n")}\n`, env: { AZURE_CONFIG_DIR: config } });
  }

  /**
   * Returns the arguments of every call of az in a script as JSON. This function extracts the calls from the text of
   * the script. Therefore the result also contains calls that a run of the script would skip. To get the arguments,
   * this function runs only the extracted calls, and replaces the script's shell functions `az_` and `query` with
   * functions that print their arguments.
   */
  function commandLines(script: string): string[] {
    const text = script.replace(/^ *#.*$/gm, "").replaceAll("\\\n", " ");
    const calls = [
      ...text.matchAll(/(?<![-\w])(az_|query) (?=[a-z])((?:"(?:\$\([^)]*\)|[^"])*"|'[^']*'|[^\s|;)&<>"']+|[ ]+)+)/g),
    ].map(([, name, words]) => `${name} ${words}`);
    const [head = ""] = script.split("# --- output and exit");
    const print = `az_() { node -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- "$@" --subscription s --only-show-errors; }; query() { az_ "$@" --output tsv; }`;
    const unset =
      "SUBSCRIPTION=s SCOPE=s identity=i scope=s assignments=a id=a provider=p KUBECONFIG=k KUBERNETES_VERSION=1.34 repositories=r; set -- dgraph/dgraph:v1 dgraph/dgraph:v1";
    return calls.length === 0
      ? []
      : execFileSync("bash", ["-c", `${head}\n${print}\n${unset}\n${calls.join("\n")}`])
          .toString()
          .trim()
          .split("\n");
  }
});

test("the scripts use every template", () => {
  const all = scripts.map(([, script]) => script).join("\n");
  for (const name of ["confirm", "take_down", "delete_registry", "revoke_pull_right", "flux_by_cli"])
    expect(all).toContain(`${name}()`);
  expect(readFileSync(new URL("../../generator/bootstrap/templates/lib.sh", import.meta.url), "utf8")).not.toMatch(
    /\{\{(?!> state-folder\}\})/,
  );
});
