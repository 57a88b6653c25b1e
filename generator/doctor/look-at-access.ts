import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { asMap } from "../data.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Check } from "./check.ts";
import { shell } from "./look-at-tools.ts";

const exec = promisify(execFile);

/** Where an environment's cluster is looked for. */
export interface Place {
  readonly environment: string;
  /** Null takes `KUBECONFIG` or `~/.kube/config`, as kubectl does. */
  readonly kubeconfig: string | null;
  /** Null takes the current one. */
  readonly context: string | null;
}

/** Whether the kubeconfig knows each environment's cluster. The cluster itself is not asked: `meshops status` does that. */
export function lookAtKubeconfig(places: readonly Place[]): Check[] {
  return places.map(({ environment, kubeconfig, context }): Check => {
    const files = kubeconfig === null ? defaultFiles() : [kubeconfig];
    const common = { topic: "kubernetes", name: environment } as const;
    const remedy = `meshops bootstrap ${environment} --run, or az aks get-credentials; another file or context: --kubeconfig, --context`;
    const there = files.filter((file) => existsSync(file));
    if (there.length === 0) return { ...common, status: "missing", found: `no kubeconfig at ${files.join(", ")}`, remedy };
    const configs = there.map((file) => asMap(readYaml(file)));
    const contexts = configs.flatMap(({ contexts: list }) =>
      Array.isArray(list) ? list.map((item) => String(asMap(item)["name"])) : [],
    );
    const wanted =
      context ?? configs.map((config) => config["current-context"]).find((name) => typeof name === "string" && name !== "");
    if (wanted === undefined)
      return {
        ...common,
        status: "missing",
        found: `${there.join(", ")} has no current context`,
        remedy: "kubectl config use-context <name>",
      };
    if (!contexts.includes(String(wanted)))
      return { ...common, status: "missing", found: `no context "${String(wanted)}" in ${there.join(", ")}`, remedy };
    return { ...common, status: "ok", found: `context ${String(wanted)} in ${there.join(", ")}`, remedy: "" };
  });
}

function defaultFiles(): string[] {
  const named = (process.env["KUBECONFIG"] ?? "").split(delimiter).filter(Boolean);
  return named.length > 0 ? named : [join(homedir(), ".kube", "config")];
}

function readYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/** Whether the Azure CLI is signed in, and sees the subscriptions that the environments name. */
export async function lookAtAzure(environments: readonly Environment[]): Promise<Check[]> {
  const onAzure = environments.filter(({ spec }) => spec.azure !== undefined);
  if (onAzure.length === 0) return [];
  const accounts = await accountsAtHand();
  if (accounts === null)
    return [{ topic: "azure", name: "account", status: "missing", found: "the Azure CLI is not signed in", remedy: "az login" }];
  const active = accounts.find((account) => account["isDefault"] === true);
  return onAzure.map(({ metadata, spec }): Check => {
    const wanted = spec.azure?.subscription;
    const seen = wanted === undefined || wanted === null ? active : accounts.find(({ id }) => id === wanted);
    const common = { topic: "azure", name: metadata.name } as const;
    if (seen !== undefined) return { ...common, status: "ok", found: `subscription ${String(seen["name"])}`, remedy: "" };
    return {
      ...common,
      status: "missing",
      found: `the account does not see subscription ${wanted ?? "(none is active)"}`,
      remedy: "az login, as somebody who may; az account set",
    };
  });
}

async function accountsAtHand(): Promise<Record<string, unknown>[] | null> {
  try {
    const { stdout } = await exec("az", ["account", "list", "--output", "json"], { timeout: 20_000, shell });
    const list: unknown = JSON.parse(stdout);
    return Array.isArray(list) && list.length > 0 ? list.map(asMap) : null;
  } catch {
    return null;
  }
}
