import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Repository } from "../bundle/repository.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { loadAll } from "./context.ts";
import type { Io } from "./io.ts";

/** Flags that choose a cluster. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** The kubeconfig that was named, else the one that bootstrap wrote, else kubectl's; on Azure the context is the cluster's name. */
export function connectionOf(
  { env, cwd }: Io,
  { metadata, spec }: Environment,
  { kubeconfig, context }: ConnectionFlags,
): { kubeconfig: string | null; context: string | null } {
  const state = env["MESHOPS_STATE"] ?? join(env["XDG_STATE_HOME"] ?? join(env["HOME"] ?? homedir(), ".local/state"), "meshops");
  const own = join(state, metadata.name, "kubeconfig");
  const chosen =
    kubeconfig !== undefined ? resolve(cwd, kubeconfig) : (env["KUBECONFIG"] ?? "") === "" && existsSync(own) ? own : null;
  return { kubeconfig: chosen, context: context ?? spec.azure?.cluster.name ?? null };
}

/** The one environment that something can be made for. */
export function onlyOne(repository: Repository): string {
  const { loaded } = loadAll(repository, []);
  const [first, ...others] = loaded.filter(({ abstract }) => !abstract).map(({ name }) => name);
  if (first !== undefined && others.length === 0) return first;
  throw new UserError(exitCode.usage, "name the environment", `one of ${[first, ...others].join(", ")}`);
}
