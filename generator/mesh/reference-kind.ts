/**
 * Whether the group or kind that is written in a reference is the given group or kind. Ignores upper and lower case, as
 * Linkerd does (linkerd2, policy-controller/k8s/api/src/policy.rs, `targets_kind`).
 */
export function isSame(written: unknown, name: string): boolean {
  return typeof written === "string" && written.toLowerCase() === name.toLowerCase();
}
