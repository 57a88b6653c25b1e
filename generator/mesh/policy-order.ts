/** Policy objects that deny: without them, what they guard is open. */
const denying: readonly string[] = ["NetworkPolicy", "Server"];

/**
 * Rank of a kind when policies are removed, the lowest first. A Server without its AuthorizationPolicy refuses every client
 * (linkerd2, policy-controller, inbound index), so what denies is removed before what allows; restored in the reverse order, what allows exists
 * before what denies.
 */
export function removalRank(kind: string): number {
  return denying.includes(kind) ? 0 : 1;
}
