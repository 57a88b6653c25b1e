/**
 * Whether the group or the kind in a reference means a group or kind. Linkerd ignores upper and lower case (linkerd2,
 * policy-controller/k8s/api/src/policy.rs, `targets_kind`).
 */
export function isSame(written: unknown, name: string): boolean {
  return typeof written === "string" && written.toLowerCase() === name.toLowerCase();
}
