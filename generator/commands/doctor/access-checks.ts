import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { asMap } from "../../system/data.ts";
import type { Io } from "../io.ts";
import type { DoctorCheck } from "./check.ts";
import { runTool } from "./run-tool.ts";

/** The kubeconfig and the context of an environment's cluster. */
export interface Place {
  readonly environment: string;
  /** Path of the kubeconfig. Null if kubectl's default applies (`KUBECONFIG`, or else `~/.kube/config`). */
  readonly kubeconfig: string | null;
  /** Name of the context. Null if the current context applies. */
  readonly context: string | null;
  readonly onAzure: boolean;
}

/** Checks that the kubeconfig contains the context of each environment's cluster. Does not connect to the clusters. */
export function lookAtKubeconfig(io: Io, places: readonly Place[]): DoctorCheck[] {
  return places.map((place): DoctorCheck => {
    const { environment, kubeconfig, context, onAzure } = place;
    const files = kubeconfig === null ? defaultFiles(io) : [kubeconfig];
    const common = { topic: "kubernetes", name: environment } as const;
    const missing = (found: string, fix: string): DoctorCheck => ({ ...common, status: "error", found, fix });
    const fix = onAzure
      ? `run meshops bootstrap ${environment} --run or az aks get-credentials, or set KUBECONFIG to a kubeconfig that contains the context`
      : "set KUBECONFIG to a kubeconfig that contains the context of the cluster, or add this context to the kubeconfig";
    const existing = files.filter((file) => existsSync(file));
    if (existing.length === 0) return missing(`kubeconfig not found at ${files.join(", ")}`, fix);
    const read = existing.map(readKubeconfig);
    const broken = read.flatMap(({ trouble }) => trouble ?? []);
    if (broken.length > 0) return missing(broken.join("; "), "correct the kubeconfig file, or set KUBECONFIG to another file");
    const contexts = read.flatMap(({ contexts: names }) => names);
    const wanted = context ?? read.find(({ current }) => current !== "")?.current;
    if (wanted === undefined)
      return missing(`no current context in ${existing.join(", ")}`, "run kubectl config use-context <name>");
    if (!contexts.includes(wanted)) return missing(`no context "${wanted}" in ${existing.join(", ")}`, fix);
    return { ...common, status: "ok", found: `context ${wanted} in ${existing.join(", ")}`, fix: "" };
  });
}

function defaultFiles(io: Io): string[] {
  const named = (io.env["KUBECONFIG"] ?? "").split(delimiter).filter(Boolean);
  return named.length > 0 ? named : [join(io.env["HOME"] ?? homedir(), ".kube", "config")];
}

interface Kubeconfig {
  readonly contexts: readonly string[];
  /** Name of the current context. Empty if the file does not specify one. */
  readonly current: string;
  /** Error message if the file could not be read. Otherwise null. */
  readonly trouble: string | null;
}

function readKubeconfig(file: string): Kubeconfig {
  try {
    const { contexts, "current-context": current } = asMap(parse(readFileSync(file, "utf8"), { prettyErrors: false }));
    const names = Array.isArray(contexts) ? contexts.map((item) => String(at(item, "name"))) : [];
    return { contexts: names, current: typeof current === "string" ? current : "", trouble: null };
  } catch (error) {
    // Do not print the error message of the YAML parser, because this message can contain a line of the file with a
    // token.
    const { syscall, code } = error as NodeJS.ErrnoException;
    const trouble = syscall === undefined ? `${file} is not valid YAML` : `${file} cannot be read: ${code}`;
    return { contexts: [], current: "", trouble };
  }
}

/** Checks that the user is signed in to the Azure CLI, and can access the subscriptions of the environments. */
export async function lookAtAzure(io: Io, environments: readonly Environment[]): Promise<DoctorCheck[]> {
  const onAzure = environments.filter(({ spec }) => spec.azure !== undefined);
  if (onAzure.length === 0) return [];
  const accounts = await azureAccounts(io);
  if (typeof accounts === "string") {
    const fixes: Readonly<Record<string, string>> = {
      [notSignedIn]: "run az login",
      [notInstalled]: "install az, then run az login",
    };
    const fix = fixes[accounts] ?? "run az account list to see the complete error";
    return [{ topic: "azure", name: "account", status: "missing", found: accounts, fix }];
  }
  const active = accounts.find((account) => account["isDefault"] === true);
  return onAzure.map(({ metadata, spec }): DoctorCheck => {
    const wanted = spec.azure?.subscription;
    const seen = wanted === undefined || wanted === null ? active : accounts.find(({ id }) => id === wanted);
    const common = { topic: "azure", name: metadata.name } as const;
    if (seen !== undefined) return { ...common, status: "ok", found: `subscription ${String(seen["name"])}`, fix: "" };
    return {
      ...common,
      status: "missing",
      found: wanted == null ? "the Azure CLI has no active subscription" : `the account cannot access subscription ${wanted}`,
      fix: "run az login with an account that has access to the subscription, then run az account set",
    };
  });
}

const notSignedIn = "the Azure CLI is not signed in";
const notInstalled = "the Azure CLI is not installed";

/**
 * Returns the subscriptions that `az account list` prints. Returns an error message as text if the user is not signed
 * in, or if the Azure CLI fails.
 */
async function azureAccounts(io: Io): Promise<Record<string, unknown>[] | string> {
  const { text, trouble } = await runTool(io, "az", ["account", "list", "--output", "json"]);
  if (trouble !== null) return trouble.absent ? notInstalled : `the Azure CLI failed: ${trouble.message}`;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.length > 0 ? list.map(asMap) : notSignedIn;
  } catch {
    return "the output of az account list is not JSON";
  }
}
