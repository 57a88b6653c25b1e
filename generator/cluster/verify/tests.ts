import type { AccessTarget, Check } from "../../components/check.ts";
import type { Model } from "../../components/model.ts";

/** A test, before it runs. */
export interface Test {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
}

/** Returns the tests of an environment in the order of the report: access, mesh, then applications in the mesh. */
export function testsOf(model: Model): Test[] {
  const target = targetOf(model);
  const [mesh, others] = [true, false].map((wanted) => checksOf(model).filter(({ id }) => id.startsWith("M") === wanted));
  return [
    ...(target === null ? [] : accessTests(target)),
    ...[...(mesh ?? []), linkerdCheck].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...(others ?? []),
  ];
}

/** Returns the checks of an environment's components. */
export function checksOf({ components }: Model): Check[] {
  return components.flatMap(({ checks }) => checks);
}

/** Returns the pods whose access is tested; null if no component has any. */
export function targetOf({ components }: Model): AccessTarget | null {
  return components.find(({ accessTarget }) => accessTarget !== null)?.accessTarget ?? null;
}

function accessTests({ title }: AccessTarget): Test[] {
  return [
    { id: "T0", title: `without the policy, an unmeshed pod reaches ${title}`, expected: "HTTP and gRPC answer" },
    { id: "T1", title: "the policy refuses an unmeshed pod", expected: "refused on both ports" },
    { id: "T2a", title: `a meshed client on the list reaches ${title}`, expected: "HTTP and gRPC answer" },
    { id: "T2b", title: "a meshed pod with another identity is refused", expected: "refused by the AuthorizationPolicy" },
    {
      id: "T2c",
      title: "a forged label does not give access",
      expected: "refused on both ports and on the proxy's inbound port",
    },
    { id: "T3", title: "tap shows encrypted traffic", expected: "HTTP and gRPC with tls=true, gRPC with its route" },
  ];
}

const linkerdCheck: Test = { id: "M8", title: "linkerd check passes", expected: "no check fails" };

/**
 * Returns the IDs of the tests that the words select by ID or prefix: `T2` selects T2a to T2c.
 *
 * @returns null if a word selects no test
 */
export function chosen(words: readonly string[], tests: readonly Test[]): Set<string> | null {
  const found = words.map((word) =>
    tests.filter(({ id }) => id.toLowerCase().startsWith(word.toLowerCase())).map(({ id }) => id),
  );
  return found.some((ids) => ids.length === 0) ? null : new Set(found.flat());
}
