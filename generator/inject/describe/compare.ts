import { type DeclaredPods, declaredPods } from "../../components/workloads/entries.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { ManifestSet } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { selects } from "../../kubernetes/selectors.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import { clientsAt, modeOf } from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";
import { type DescribedSet, describe } from "./describe.ts";
import type { Remark } from "./notes.ts";

/**
 * Findings about a workload in a spec. `differences` are contradictions between the spec and the objects that meshops
 * rendered from the chart or folder of the workload. `risks` are properties of these objects that cause problems in the
 * mesh.
 */
export interface Compared {
  readonly differences: readonly RuleFinding[];
  readonly risks: readonly RuleFinding[];
}

/**
 * Compares a workload in a spec (`spec.workloads.<key>`) with the objects that meshops rendered from the chart or
 * folder of the workload.
 */
export function compareWorkload(environment: Environment, key: string, manifests: readonly Manifest[]): Compared {
  const workload = environment.spec.workloads[key];
  if (workload === undefined) return { differences: [], risks: [] };
  const stream = new ManifestSet(manifests);
  const { sets, notes } = describe(manifests, key, workload.namespace, { path: "" });
  const entries = declaredPods(environment).filter(({ name }) => name.startsWith(`${key}/`));
  const services = stream.ofKind("", "Service").map(({ name }) => name);
  return {
    differences: entries.flatMap((entry) => [
      ...differencesOf(entry, sets),
      ...missingServices(entry, services),
      ...otherPorts(entry, sets),
    ]),
    risks: [
      ...entries.flatMap((entry) => [
        ...unknownPorts(entry, sets),
        ...extraPods(entry, stream.workloads),
        ...refusedProbes(entry, sets),
      ]),
      ...notes
        .filter((note) => isRisk(note, entries))
        .map(({ message, fix }) => ({
          paths: [spec("workloads", key)],
          part: "key" as const,
          message,
          fix,
        })),
    ],
  };
}

/**
 * Whether a note about the objects is a risk for the workload. If no set of pods has the mode `enforce`, no note is a
 * risk, because no other mode refuses clients. A note about hooks is never a risk. A note with the subject `exposed`
 * (clients outside of the cluster can connect to a Service) is not a risk if a set of pods with the mode `enforce` has
 * a client with the field `cidrs`.
 */
function isRisk({ about }: Remark, entries: readonly DeclaredPods[]): boolean {
  const enforced = entries.filter(({ pods }) => pods.access.mode === "enforce");
  if (enforced.length === 0 || about === "hooks") return false;
  return (
    about !== "exposed" || !enforced.some(({ set }) => Object.values(set.access.clients).some(({ cidrs }) => cidrs !== undefined))
  );
}

function setOf({ pods }: DeclaredPods, sets: readonly DescribedSet[]): DescribedSet | undefined {
  const { workloadRef } = pods;
  return sets.find(({ workload: { manifest } }) => manifest.kind === workloadRef?.kind && manifest.name === workloadRef.name);
}

function* differencesOf(entry: DeclaredPods, sets: readonly DescribedSet[]): Iterable<RuleFinding> {
  const { name, pods, at } = entry;
  const { workloadRef, selector, serviceAccountName } = pods;
  if (workloadRef === null) return;
  const found = setOf(entry, sets);
  if (found === undefined) {
    const same = sets
      .filter(({ workload }) => workload.manifest.kind === workloadRef.kind)
      .map(({ workload }) => workload.manifest.name);
    yield {
      paths: [at("workloadRef", "name"), at("workloadRef")],
      message: `the objects of the workload contain no ${workloadRef.kind} ${workloadRef.name}. meshops therefore cannot add the proxy settings to these pods`,
      fix:
        didYouMean(workloadRef.name, same) ??
        (same.length === 0 ? "correct the kind in workloadRef" : `use one of ${same.join(", ")}`),
    };
    return;
  }
  if (!selects(selector, found.workload.labels))
    yield {
      paths: [at("selector")],
      message: `the selector of ${name} does not select the pods of ${workloadRef.kind} ${workloadRef.name}`,
      fix: `set selector: ${JSON.stringify({ matchLabels: found.selector })}`,
    };
  if (found.serviceAccountName !== serviceAccountName)
    yield {
      paths: [at("serviceAccountName"), at()],
      message: `the pods of ${name} have the service account ${found.serviceAccountName}, not ${serviceAccountName}`,
      fix: `set serviceAccountName: ${found.serviceAccountName}`,
    };
}

function* missingServices({ name, set, at }: DeclaredPods, services: readonly string[]): Iterable<RuleFinding> {
  for (const [index, service] of set.services.entries())
    if (!services.includes(service))
      yield {
        paths: [at("services", String(index)), at("services")],
        message: `the objects of ${name} contain no Service ${service}`,
        fix: didYouMean(service, services) ?? "remove this Service from the field services",
      };
}

/**
 * Reports opaque ports whose number in a Service differs from the number in the spec. The number in the spec is
 * `servicePort`, or `port` if `servicePort` is not set. meshops writes the number in the spec to the Service's
 * annotation for opaque ports. If this number is wrong, the annotation has no effect.
 */
function* otherPorts(entry: DeclaredPods, sets: readonly DescribedSet[]): Iterable<RuleFinding> {
  const { name, pods, at } = entry;
  const found = setOf(entry, sets);
  for (const [key, { port, servicePort = port, protocol }] of Object.entries(pods.ports)) {
    const own = found?.ports.find((each) => each.port === port);
    if (protocol !== "opaque" || own === undefined) continue;
    const wrong = found?.services.find(
      (service) => pods.services?.includes(service.name) && (service.ports[own.key] ?? port) !== servicePort,
    );
    const number = wrong === undefined ? undefined : (wrong.ports[own.key] ?? port);
    if (wrong !== undefined)
      yield {
        paths: [at("ports", key)],
        message: `in Service ${wrong.name}, the opaque port ${key} of ${name} has the number ${number}, not ${servicePort}`,
        fix: `set servicePort: ${number}`,
      };
  }
}

/**
 * Reports ports in the spec that are not in the manifests: no container declares the port, no Service targets the port,
 * and no probe uses the port. This is only a risk, because a container can also listen on ports that it does not
 * declare.
 */
function* unknownPorts(entry: DeclaredPods, sets: readonly DescribedSet[]): Iterable<RuleFinding> {
  const { name, pods, at } = entry;
  const known = setOf(entry, sets)?.ports ?? [];
  if (known.length === 0) return;
  const numbers = known.map(({ port }) => port);
  for (const [key, { port }] of Object.entries(pods.ports)) {
    if (numbers.includes(port)) continue;
    const unused = numbers.filter((number) => Object.values(pods.ports).every((each) => each.port !== number));
    const [only] = unused;
    yield {
      paths: [at("ports", key, "port"), at("ports", key)],
      message: `no container of ${name} declares port ${port} (${key}), and no Service and no probe refers to this port`,
      fix:
        only !== undefined && unused.length === 1
          ? `set port: ${only}`
          : `use the number of a container port: ${numbers.join(", ")}; or declare the port in the container`,
    };
  }
}

/**
 * Reports pods that the selector of a set of pods must not select: pods of a hook, and pods of an object other than the
 * one in `workloadRef`.
 */
function* extraPods({ name, pods, at }: DeclaredPods, workloads: readonly Workload[]): Iterable<RuleFinding> {
  const own = pods.workloadRef;
  const others = workloads.filter(
    ({ manifest, labels }) =>
      !(manifest.kind === own?.kind && manifest.name === own.name) &&
      ManifestSet.mayShareNamespace(manifest.namespace, pods.namespace) &&
      selects(pods.selector, labels),
  );
  const [first] = others;
  if (own === null || first === undefined) return;
  yield {
    paths: [at("selector")],
    message: `the selector of ${name} also selects the pods of ${others.map(({ manifest }) => `${manifest.kind} ${manifest.name}`).join(", ")}, so the policies for ${name} also apply to these pods`,
    fix: `extend the selector with a label that only the pods of ${name} have`,
  };
}

/**
 * Reports each probe that Linkerd does not allow by default and whose port has the mode `enforce`, unless the spec
 * allows the kubelet to connect to this port.
 */
function* refusedProbes(entry: DeclaredPods, sets: readonly DescribedSet[]): Iterable<RuleFinding> {
  const { name, pods, at } = entry;
  for (const [key, port] of Object.entries(pods.ports)) {
    const probe = setOf(entry, sets)?.ports.find((each) => each.port === port.port)?.guardedProbe ?? null;
    const admitted = clientsAt(pods, key).some(
      (client) => ("onNode" in client && client.onNode === true) || ("all" in client && client.all === "any"),
    );
    if (probe === null || admitted || modeOf(pods, port) !== "enforce") continue;
    yield {
      paths: [at("ports", key)],
      part: "key",
      message: `Linkerd refuses the probe (${probe}) of ${name} on port ${key}, so the container restarts or does not become ready`,
      fix: `add {builtin: kubelet, ports: [${key}]} to access.clients`,
    };
  }
}
