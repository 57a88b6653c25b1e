import { injectKey, portKeys } from "../../catalog/well-known.ts";
import { isHook, ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { type Labels, listOf, serviceAccountOf, type Workload } from "../../kubernetes/workload.ts";
import { factsOf, type InjectionObstacle, injectionObstacle, requestsProxy } from "../../mesh/meshed.ts";
import { resolvePort } from "../../mesh/ports.ts";
import { asMap } from "../../system/data.ts";
import { addressesIn, type DescribedClient } from "./clients.ts";
import { type Note, notesOn } from "./notes.ts";
import { type DescribedPort, portsOf } from "./ports.ts";

/** A Service with opaque ports of a set. */
interface DescribedService {
  readonly name: string;
  /**
   * Port numbers of the Service that differ from the port number of the container. The key is the key of the port in
   * the set.
   */
  readonly ports: Readonly<Record<string, number>>;
}

/** A set of pods for `spec.workloads`, found in manifests. Texts in `guesses` explain what the manifests do not show. */
export interface DescribedSet {
  readonly key: string;
  readonly workload: Workload;
  readonly selector: Labels;
  readonly serviceAccountName: string;
  /** Whether the pods never have a proxy, so that their ports cannot be protected. */
  readonly unmeshed: boolean;
  /**
   * Ports that the proxy skips, from the annotation of the pod template. Null if the pod template has no such
   * annotation.
   */
  readonly skipInboundPorts: string | null;
  /**
   * Null if the pod template has no annotation for injection. In this case, the annotation of the namespace applies.
   */
  readonly inject: string | null;
  readonly ports: readonly DescribedPort[];
  /** Services that send connections to opaque ports of the pods. */
  readonly services: readonly DescribedService[];
  readonly clients: readonly DescribedClient[];
  readonly guesses: { readonly selector: string | null; readonly inject: string | null };
}

/** The section `source` of a workload. */
export type WorkloadSource =
  | { readonly chart: { readonly repository: string; readonly name: string; readonly version: string } }
  | { readonly oci: { readonly url: string; readonly version: string } }
  | { readonly path: string };

/** What manifests show about a workload. */
export interface Description {
  readonly name: string;
  readonly namespace: string;
  /** Where meshops finds the workload; null if another tool delivers it. */
  readonly source: WorkloadSource | null;
  readonly sets: readonly DescribedSet[];
  /** Facts about the workload that its block cannot express. */
  readonly notes: readonly Note[];
}

/**
 * Describes the pods in manifests: one set per Deployment, StatefulSet, DaemonSet, CronJob, and Job that is not a hook of
 * Helm.
 *
 * @param name name of the workload in the spec
 * @param namespace namespace of manifests that do not specify a namespace; only objects in this namespace are described
 * @param source where meshops finds the workload; null if another tool delivers it
 */
export function describe(
  manifests: readonly Manifest[],
  name: string,
  namespace: string,
  source: WorkloadSource | null = null,
): Description {
  const stream = new ManifestSet(manifests);
  const own = stream.workloads.filter(
    ({ manifest }) => ManifestSet.mayShareNamespace(manifest.namespace, namespace) && isDescribed(manifest),
  );
  const keys = keysOf(own, name);
  const callers = own.map((workload) => ({ workload, key: keys.get(workload) ?? "", addresses: addressesIn(workload, stream) }));
  const sets = own.map((workload): DescribedSet => {
    const ports = portsOf(workload, stream);
    const selector = selectorOf(workload, stream);
    const injection = injectionOf(workload, namespace, source !== null);
    const skipped = workload.annotations[portKeys.skipInbound];
    return {
      key: keys.get(workload) ?? "",
      workload,
      selector: selector.labels,
      serviceAccountName: serviceAccountOf(workload),
      unmeshed: injection.inject === "disabled",
      inject: injection.inject,
      skipInboundPorts: typeof skipped === "string" && skipped !== "" ? skipped : null,
      ports,
      services: stream.ofKind("", "Service").flatMap((service) => servicePortsOf(service, workload, stream, ports)),
      clients: callers.flatMap(({ key, addresses }) => clientOf(key, addresses, workload, ports, name)),
      guesses: { selector: selector.guess, inject: injection.why },
    };
  });
  return { name, namespace, source, sets, notes: notesOn(stream, sets) };
}

function isDescribed(manifest: Manifest): boolean {
  return ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"].includes(manifest.kind) && !isHook(manifest);
}

/** Keys of the sets: the names of the workloads without the name that they share. */
function keysOf(workloads: readonly Workload[], name: string): Map<Workload, string> {
  const short = (full: string): string =>
    (full.startsWith(`${name}-`) ? full.slice(name.length + 1) : full).replaceAll(".", "-").slice(0, 30).replace(/-$/, "");
  const used = new Set<string>();
  return new Map(
    workloads.map((workload) => {
      const wanted = short(workload.manifest.name);
      let key = wanted;
      for (let count = 2; used.has(key); count += 1) key = `${wanted.slice(0, 27)}-${count}`;
      used.add(key);
      return [workload, key];
    }),
  );
}

/** Labels that change with a version. Policies must select the pods of the next version, too. */
const versionLabels = ["version", "app.kubernetes.io/version", "helm.sh/chart", "chart", "pod-template-hash"];

/**
 * Returns the labels that select the pods of a workload. Omits labels that change with a version, unless the selector
 * would then also select other pods.
 */
function selectorOf(workload: Workload, stream: ManifestSet): { readonly labels: Labels; readonly guess: string | null } {
  const { manifest, labels } = workload;
  const matchLabels = asMap(asMap(specOf(manifest)["selector"])["matchLabels"]);
  const full = Object.keys(matchLabels).length > 0 ? matchLabels : labels;
  const stable = Object.fromEntries(Object.entries(full).filter(([key]) => !versionLabels.includes(key)));
  const others = stream.workloads.filter(
    (each) => each !== workload && ManifestSet.mayShareNamespace(each.manifest.namespace, manifest.namespace),
  );
  const also = (own: Labels): Workload | undefined => others.find((each) => selects({ matchLabels: own }, each.labels));
  if (Object.keys(stable).length > 0 && also(stable) === undefined) {
    const fewer = Object.keys(stable).length < Object.keys(full).length;
    return { labels: stable, guess: fewer ? "this selector omits labels that change with each version" : null };
  }
  const other = also(full);
  return {
    labels: full,
    guess: other === undefined ? null : `this selector also selects the pods of ${other.manifest.kind} ${other.manifest.name}`,
  };
}

/** Pods that the proxy injector does not inject. */
const uninjected: Readonly<Record<InjectionObstacle, string>> = {
  "host-network": "pods with hostNetwork",
  "other-sidecar": "pods with the sidecar of another mesh",
  "webhooks-disabled": "pods in a namespace for which Linkerd's webhooks are disabled",
  "namespace-excluded": "pods in this namespace",
};

/** @param delivered whether meshops delivers the workload, and can therefore annotate the pod template */
function injectionOf(
  { annotations, manifest, pod }: Workload,
  namespace: string,
  delivered: boolean,
): { inject: string | null; why: string | null } {
  const obstacle = injectionObstacle(factsOf(annotations, pod, { name: namespace, metadata: null }));
  if (obstacle !== null) return { inject: "disabled", why: `Linkerd never injects ${uninjected[obstacle]}` };
  const own = annotations[injectKey];
  if (requestsProxy(own) || own === "disabled") return { inject: String(own), why: null };
  if (manifest.kind === "Job" || manifest.kind === "CronJob")
    return { inject: null, why: "an injected Job ends only if its proxy is a native sidecar, or if the Job calls /shutdown" };
  return { inject: delivered ? "enabled" : null, why: null };
}

function servicePortsOf(
  service: Manifest,
  workload: Workload,
  stream: ManifestSet,
  ports: readonly DescribedPort[],
): DescribedService[] {
  if (!stream.workloadsOf(service).includes(workload)) return [];
  const opaque = ports.filter(({ protocol }) => protocol === "opaque");
  const found = listOf(specOf(service)["ports"])
    .map(asMap)
    .flatMap(({ port, targetPort = port }) =>
      opaque
        .filter((each) => each.port === resolvePort(targetPort, workload))
        .map((each) => ({ key: each.key, port: each.port, servicePort: Number(port) })),
    );
  const other = found.filter(({ port, servicePort }) => port !== servicePort);
  return found.length === 0
    ? []
    : [{ name: service.name, ports: Object.fromEntries(other.map(({ key, servicePort }) => [key, servicePort])) }];
}

function clientOf(
  key: string,
  addresses: ReturnType<typeof addressesIn>,
  target: Workload,
  ports: readonly DescribedPort[],
  name: string,
): DescribedClient[] {
  const found = addresses.filter((address) => address.workloads.includes(target));
  if (found.length === 0) return [];
  const used = [...new Set(found.flatMap(({ port }) => ports.filter((each) => each.port === port).map((each) => each.key)))];
  const all = used.length === 0 || used.length === ports.length;
  return [
    {
      key,
      workload: `${name}/${key}`,
      ports: all ? null : used,
      guess: `${[...new Set(found.map(({ place }) => place))].slice(0, 2).join(", ")} of ${key}`,
    },
  ];
}
