/**
 * Field manager for commands that change Flux's objects. When Flux applies an object again, it removes fields whose
 * field manager starts with `kubectl`, but keeps the fields of this field manager (Flux 2.9.6: kustomize-controller,
 * internal/controller/kustomization_controller.go).
 */
export const asFlux = "--field-manager=flux-client-side-apply";

/** Command that suspends Kustomizations of one namespace, so that Flux neither changes nor prunes their objects. */
export function suspendKustomizations(names: readonly string[], namespace: string): string {
  return `kubectl patch kustomization.kustomize.toolkit.fluxcd.io ${names.join(" ")} --namespace ${namespace} ${asFlux} --type merge --patch '{"spec":{"suspend":true}}'`;
}
