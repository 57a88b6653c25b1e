import { fluxFieldManager } from "../catalog/well-known.ts";
import type { Step } from "./change-rule.ts";

/** Resource name of HelmReleases in kubectl commands. */
export const helmReleases = "helmrelease.helm.toolkit.fluxcd.io";

/** Returns a command that suspends (`value` is true) or resumes Flux objects of one namespace. */
export function suspend(kind: string, names: readonly string[], namespace: string, value: boolean): string {
  return `kubectl patch ${kind} ${names.join(" ")} --namespace ${namespace} ${fluxFieldManager} --type merge --patch '{"spec":{"suspend":${value}}}'`;
}

/**
 * Returns a command that deletes each of the given HelmReleases, but only if the HelmRelease is suspended. If a
 * suspended HelmRelease is deleted, helm-controller does not uninstall the Helm release (helm-controller,
 * reconcileDelete).
 */
export function deleteSuspendedReleases(names: readonly string[], namespace: string): string {
  const suspended = `kubectl get ${helmReleases} $name --namespace ${namespace} --ignore-not-found --output jsonpath={.spec.suspend}`;
  return `for name in ${names.join(" ")}; do [ "$(${suspended})" != true ] || kubectl delete ${helmReleases} $name --namespace ${namespace}; done`;
}

/** Returns a command that suspends the given Kustomizations, so that Flux neither changes nor prunes their objects. */
export function suspendKustomizations(names: readonly string[], namespace: string): string {
  return suspend("kustomization.kustomize.toolkit.fluxcd.io", names, namespace, true);
}

/**
 * Returns a step in which the user suspends Kustomizations of one namespace, before a push that deletes these
 * Kustomizations.
 *
 * @param what description of the Kustomizations; the text of the step contains it after the word "suspend"
 */
export function suspendFirst(
  what: string,
  kustomizations: readonly { readonly name: string; readonly namespace: string }[],
): Step {
  return {
    text: `Before you push, suspend ${what}. If Flux deletes a suspended Kustomization, the objects that this Kustomization applied stay in the cluster.`,
    command: suspendKustomizations(
      kustomizations.map(({ name }) => name),
      kustomizations[0]?.namespace ?? "",
    ),
  };
}
