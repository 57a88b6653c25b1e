/**
 * Kinds of policy objects that deny access: a NetworkPolicy refuses the connections that no rule allows, and a Server
 * refuses the clients that no authorization admits.
 */
const denying: readonly string[] = ["NetworkPolicy", "Server"];

/**
 * Returns the position of a kind in the order in which policies are removed. Kinds with lower numbers are removed
 * first. Objects that deny access are removed before objects that allow access, because a Server without its
 * AuthorizationPolicy refuses every client (linkerd2, policy-controller, inbound index). Policies are restored in the
 * reverse order, so that objects that allow access exist before objects that deny access.
 */
export function removalRank(kind: string): number {
  return denying.includes(kind) ? 0 : 1;
}
