import { fluxFieldManager } from "../catalog/well-known.ts";

/**
 * Returns a kubectl command that restarts the pods of workloads in a namespace.
 *
 * @param workloads kinds, or a kind and a name, such as `deployment web`
 */
export function restartCommand(workloads: string, namespace: string): string {
  return `kubectl rollout restart ${workloads} --namespace ${namespace} ${fluxFieldManager}`;
}
