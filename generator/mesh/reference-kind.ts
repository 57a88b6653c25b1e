/**
 * Whether the group or the kind in a reference is equal to `name`. Ignores case, as Linkerd does (linkerd2,
 * policy-controller/k8s/api/src/policy.rs, `targets_kind`).
 */
export function isSame(written: unknown, name: string): boolean {
  return typeof written === "string" && written.toLowerCase() === name.toLowerCase();
}
