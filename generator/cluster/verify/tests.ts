/** The tests, in the order of the report. `ids` of `--only` name a test, or all that begin so: `T2` is T2a to T2c. */
export const tests = [
  { id: "T0", title: "without the policy, an unmeshed pod reaches Dgraph", expected: "HTTP and gRPC answer" },
  { id: "T1", title: "the policy keeps an unmeshed pod out", expected: "refused on both ports" },
  { id: "T2a", title: "a meshed client on the list reaches Dgraph", expected: "HTTP and gRPC answer" },
  { id: "T2b", title: "a meshed pod with another identity is refused", expected: "refused by the AuthorizationPolicy" },
  { id: "T2c", title: "a forged label is no way in", expected: "refused on both ports, and at the proxy's own" },
  { id: "T3", title: "tap shows the traffic, encrypted", expected: "HTTP and gRPC with tls=true, gRPC by its route" },
  { id: "M1", title: "the control plane is ready", expected: "every workload ready" },
  { id: "M2", title: "every proxy trusts the issuer's anchor", expected: "it is in the bundle and in every proxy" },
  { id: "M3", title: "the issuer is valid", expected: "signed by an anchor, for 30 days or more" },
  { id: "M4", title: "webhooks are believed", expected: "each certificate signed by its caBundle" },
  { id: "M5", title: "every pod that should be is meshed", expected: "a proxy of the spec's version in each" },
  { id: "M6", title: "viz is reachable", expected: "workloads ready, the tap API available" },
  { id: "M7", title: "tracing is reachable", expected: "workloads ready" },
  { id: "M8", title: "linkerd check passes", expected: "no check fails" },
  { id: "D1", title: "Zeros form a quorum", expected: "all there, with a leader" },
  { id: "D2", title: "Alphas are in their group", expected: "all there, with a leader" },
  { id: "D3", title: "a client can read", expected: "answered" },
  { id: "D4", title: "a client can write", expected: "written, read back, removed" },
  { id: "D5", title: "gRPC calls spread over all Alphas", expected: "more than one at once, each within 30 s" },
] as const;

export type TestId = (typeof tests)[number]["id"];

/** The tests that ids or beginnings of ids name. @returns null for a word that names none */
export function chosen(words: readonly string[]): Set<TestId> | null {
  const found = words.map((word) =>
    tests.filter(({ id }) => id.toLowerCase().startsWith(word.toLowerCase())).map(({ id }) => id),
  );
  return found.some((ids) => ids.length === 0) ? null : new Set(found.flat());
}
