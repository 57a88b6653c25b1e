import type { AccessTarget, Check } from "../../components/check.ts";
import type { Model } from "../../components/model.ts";

/** A test, before it runs. */
export interface Test {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
}

/** Tests of an environment, in the order of the report: access, mesh, then what runs in the mesh. */
export function testsOf(model: Model): Test[] {
  const target = targetOf(model);
  const [mesh, others] = [true, false].map((wanted) => checksOf(model).filter(({ id }) => id.startsWith("M") === wanted));
  return [
    ...(target === null ? [] : accessTests(target)),
    ...[...(mesh ?? []), linkerdCheck].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...(others ?? []),
  ];
}

/** Checks that the components of an environment contribute. */
export function checksOf({ components }: Model): Check[] {
  return components.flatMap(({ checks }) => checks);
}

/** The pods whose access is proved; null if no component has any. */
export function targetOf({ components }: Model): AccessTarget | null {
  return components.find(({ accessTarget }) => accessTarget !== null)?.accessTarget ?? null;
}

function accessTests({ title }: AccessTarget): Test[] {
  return [
    { id: "T0", title: `without the policy, an unmeshed pod reaches ${title}`, expected: "HTTP and gRPC answer" },
    { id: "T1", title: "the policy keeps an unmeshed pod out", expected: "refused on both ports" },
    { id: "T2a", title: `a meshed client on the list reaches ${title}`, expected: "HTTP and gRPC answer" },
    { id: "T2b", title: "a meshed pod with another identity is refused", expected: "refused by the AuthorizationPolicy" },
    { id: "T2c", title: "a forged label is no way in", expected: "refused on both ports, and at the proxy's own" },
    { id: "T3", title: "tap shows the traffic, encrypted", expected: "HTTP and gRPC with tls=true, gRPC by its route" },
  ];
}

const linkerdCheck: Test = { id: "M8", title: "linkerd check passes", expected: "no check fails" };

/** The tests that words name by their id or its beginning: `T2` is T2a to T2c. @returns null for a word that names none */
export function chosen(words: readonly string[], tests: readonly Test[]): Set<string> | null {
  const found = words.map((word) =>
    tests.filter(({ id }) => id.toLowerCase().startsWith(word.toLowerCase())).map(({ id }) => id),
  );
  return found.some((ids) => ids.length === 0) ? null : new Set(found.flat());
}
