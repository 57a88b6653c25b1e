import type { AccessTarget, Check } from "../../components/check.ts";
import type { Model } from "../../components/model.ts";
import type { PodSet } from "../../mesh/pod-set.ts";
import { testedSets } from "./workload-probes.ts";

/** Definition of a test. */
export interface Test {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
  /** Whether the test needs the image of the test client, or another image that contains curl, grpcurl and Python. */
  readonly needsProbe: boolean;
}

/**
 * Returns the tests of an environment in the order of the report: access tests, tests of the mesh, then tests of
 * applications in the mesh.
 */
export function testsOf(model: Model): Test[] {
  const target = targetOf(model);
  const checks = checksOf(model).map((check): Test => ({ ...infoOf(check), needsProbe: "calls" in check }));
  const [mesh, others] = [true, false].map((wanted) => checks.filter(({ id }) => id.startsWith("M") === wanted));
  return [
    ...(target === null ? [] : accessTests(target)),
    ...[...(mesh ?? []), linkerdCheck].sort((a, b) => (a.id < b.id ? -1 : 1)),
    ...(others ?? []),
    ...testedSets(model).map(workloadTest),
  ];
}

/** Message and fix for tests that need a probe. If no image for the probe is available, these tests are skipped. */
export const noImage = {
  seen: "the environment has no test client, so there is no default image for the probe",
  fix: "set --image to an image that you built from the sources of the test client; to add these sources to the repository, run meshops init . --keep --with-client",
};

/** Returns the checks of an environment's components. */
export function checksOf({ components }: Model): Check[] {
  return components.flatMap(({ checks }) => checks);
}

/**
 * Returns the target of the access tests; null if no component has an access target.
 *
 * @throws Error if several components have an access target, because the IDs of the tests do not name the target
 */
export function targetOf({ components }: Model): AccessTarget | null {
  const [target = null, ...others] = components.flatMap(({ accessTarget }) => accessTarget ?? []);
  if (others.length > 0) throw new Error("several components of the environment have an access target");
  return target;
}

function infoOf({ id, title, expected }: Check): Omit<Test, "needsProbe"> {
  return { id, title, expected };
}

function accessTests({ title, fields: { clients } }: AccessTarget): Test[] {
  const tests: readonly Omit<Test, "needsProbe">[] = [
    {
      id: "T0",
      title: `without policies, an unmeshed pod can connect to ${title}`,
      expected: "HTTP and gRPC calls are answered",
    },
    {
      id: "T1",
      title: "the policies refuse an unmeshed pod",
      expected: "connections to the HTTP port and the gRPC port are refused",
    },
    { id: "T2a", title: `a meshed client in ${clients} can connect to ${title}`, expected: "HTTP and gRPC calls are answered" },
    {
      id: "T2b",
      title: `the policies refuse a meshed pod whose service account is not in ${clients}`,
      expected: "the AuthorizationPolicy refuses the HTTP and gRPC calls",
    },
    {
      id: "T2c",
      title: "the policies refuse a pod that has the label of meshed pods but no proxy",
      expected: "connections to the HTTP port, the gRPC port and the proxy's inbound port are refused",
    },
    {
      id: "T3",
      title: "tap reports encrypted traffic",
      expected: "tap reports HTTP and gRPC calls with tls=true, and the gRPC call with its route",
    },
  ];
  return tests.map((test) => ({ ...test, needsProbe: true }));
}

function workloadTest({ title }: PodSet): Test {
  return {
    id: title,
    title: "only the clients that the spec declares can connect to the pods",
    expected: "only the clients that spec.workloads declares can connect",
    needsProbe: false,
  };
}

const linkerdCheck: Test = { id: "M8", title: "linkerd check passes", expected: "no check fails", needsProbe: false };

/**
 * Returns the IDs of the selected tests. Each word is an ID or the prefix of several IDs. For example, `T2` selects T2a
 * to T2c. The name of a set of pods selects only the test of this set.
 *
 * @returns null if a word selects no test
 */
export function chosen(words: readonly string[], tests: readonly Test[]): Set<string> | null {
  const found = words.map((word) =>
    tests
      .filter(({ id }) => (id.includes("/") ? id === word : id.toLowerCase().startsWith(word.toLowerCase())))
      .map(({ id }) => id),
  );
  return found.some((ids) => ids.length === 0) ? null : new Set(found.flat());
}
