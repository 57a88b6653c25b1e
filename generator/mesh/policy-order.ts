/** Kinds of policy objects that deny access. Without them, the pods and ports that they protect are open. */
const denying: readonly string[] = ["NetworkPolicy", "Server"];

/**
 * Rank of a kind in the order in which policies are removed, lowest first. A Server without its AuthorizationPolicy
 * refuses every client (linkerd2, policy-controller, inbound index), so objects that deny are removed before objects
 * that allow. When policies are restored in the reverse order, objects that allow exist before objects that deny.
 */
export function removalRank(kind: string): number {
  return denying.includes(kind) ? 0 : 1;
}
