import { injectKey, portKeys } from "../../catalog/well-known.ts";
import { isHook, ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { mapAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { type Labels, serviceAccountOf, type Workload } from "../../kubernetes/workload.ts";
import { factsOf, type InjectionObstacle, injectionObstacle, requestsProxy } from "../../mesh/meshed.ts";
import { servicePorts, targetOf } from "../../mesh/services.ts";
import { addressesIn, type DescribedClient } from "./clients.ts";
import { type DescribedPort, describedPorts } from "./described-ports.ts";
import { notesOn, type Remark } from "./notes.ts";

/** A Service that targets at least one opaque port of a set of pods. */
interface DescribedService {
  readonly name: string;
  /**
   * Port numbers of the Service, by the key of the port in the set of pods. Contains only ports whose number in the
   * Service differs from the number of the container port.
   */
  readonly ports: Readonly<Record<string, number>>;
}

/**
 * A set of pods for `spec.workloads`, as the manifests describe it. If the value of `selector` or `inject` is a guess,
 * the field with the same name in `guesses` contains the reason. Otherwise, this field is null.
 */
export interface DescribedSet {
  readonly key: string;
  readonly workload: Workload;
  readonly selector: Labels;
  readonly serviceAccountName: string;
  /** Whether the pods have no proxy. Linkerd's policies cannot protect the ports of such pods. */
  readonly unmeshed: boolean;
  /**
   * Value of the annotation `config.linkerd.io/skip-inbound-ports` of the pod template. Null if the pod template does
   * not have this annotation, or if the value of the annotation is empty.
   */
  readonly skipInboundPorts: string | null;
  /**
   * Value for the field `inject` of the set of pods. If this value is null, the field is omitted, and the annotation of
   * the namespace determines whether the pods are injected.
   */
  readonly inject: string | null;
  readonly ports: readonly DescribedPort[];
  /** Services that target opaque ports of the pods. */
  readonly services: readonly DescribedService[];
  readonly clients: readonly DescribedClient[];
  readonly guesses: { readonly selector: string | null; readonly inject: string | null };
}

/** The field `source` of a workload in `spec.workloads`. */
export type WorkloadSource =
  | { readonly chart: { readonly repository: string; readonly name: string; readonly version: string } }
  | { readonly oci: { readonly url: string; readonly version: string } }
  | { readonly path: string };

/** A workload for `spec.workloads`, as the manifests describe it. */
export interface Description {
  readonly name: string;
  readonly namespace: string;
  /** Value for the field `source` of the workload. Null if meshops does not install the workload. */
  readonly source: WorkloadSource | null;
  readonly sets: readonly DescribedSet[];
  /** Facts about the workload that its block in `spec.workloads` cannot express. */
  readonly notes: readonly Remark[];
}

/**
 * Describes the pods in manifests. The result contains one set of pods for each Deployment, StatefulSet, DaemonSet,
 * CronJob and Job that is not a Helm hook.
 *
 * @param name name of the workload in the spec
 * @param namespace namespace of the workload. The function describes only objects in this namespace, and objects that
 * specify no namespace
 * @param source value for the field `source` of the workload. Null if meshops does not install the workload
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
    const ports = describedPorts(workload, stream);
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

/**
 * Returns the key of each set of pods. The key is the name of the object that creates the pods, such as a Deployment,
 * without the prefix `<name>-`. A key has at most 30 characters. If two sets would have the same key, a number is
 * appended to the second key.
 */
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

/**
 * Labels whose value usually changes with each version of the application. Policies must also select the pods of the
 * next version, so the selectors of policies should not contain these labels.
 */
const versionLabels = ["version", "app.kubernetes.io/version", "helm.sh/chart", "chart", "pod-template-hash"];

/**
 * Returns labels that select the pods of a workload. Omits the labels in `versionLabels`. If the remaining labels would
 * also select pods of other workloads, or if no label remains, returns all labels of the workload's selector. The field
 * `guess` of the result contains a text for the user if labels are omitted, or if the labels also select pods of
 * another workload. Otherwise, `guess` is null.
 */
function selectorOf(workload: Workload, stream: ManifestSet): { readonly labels: Labels; readonly guess: string | null } {
  const { manifest, labels } = workload;
  const matchLabels = mapAt(specOf(manifest)["selector"], "matchLabels");
  const full = Object.keys(matchLabels).length > 0 ? matchLabels : labels;
  const stable = Object.fromEntries(Object.entries(full).filter(([key]) => !versionLabels.includes(key)));
  const others = stream.workloads.filter(
    (each) => each !== workload && ManifestSet.mayShareNamespace(each.manifest.namespace, manifest.namespace),
  );
  const also = (own: Labels): Workload | undefined => others.find((each) => selects({ matchLabels: own }, each.labels));
  if (Object.keys(stable).length > 0 && also(stable) === undefined) {
    const fewer = Object.keys(stable).length < Object.keys(full).length;
    return {
      labels: stable,
      guess: fewer ? "this selector omits the labels that contain the version of the application or chart" : null,
    };
  }
  const other = also(full);
  return {
    labels: full,
    guess: other === undefined ? null : `this selector also selects the pods of ${other.manifest.kind} ${other.manifest.name}`,
  };
}

/** Descriptions of pods that the proxy injector ignores, by the reason why the injector ignores the pods. */
const uninjected: Readonly<Record<InjectionObstacle, string>> = {
  "host-network": "pods with hostNetwork",
  "other-sidecar": "pods with the sidecar of another mesh",
  "webhooks-disabled": "pods in a namespace for which Linkerd's webhooks are disabled",
  "namespace-excluded": "pods in this namespace",
};

/**
 * Returns the value for the field `inject` of a set of pods, and the reason if this value is a guess.
 *
 * @param delivered whether meshops installs the workload, and can therefore annotate the pod template
 */
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
    return {
      inject: null,
      why: "an injected Job ends only if its proxy is a native sidecar, or if the Job calls the proxy's endpoint /shutdown",
    };
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
  const found = servicePorts(service).flatMap((servicePort) =>
    opaque
      .filter((each) => each.port === targetOf(servicePort, workload))
      .map((each) => ({ key: each.key, port: each.port, servicePort: servicePort.number })),
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
  const places = [...new Set(found.map(({ place }) => place))].slice(0, 2);
  return [
    {
      key,
      workload: `${name}/${key}`,
      ports: all ? null : used,
      guess: `in ${key}, ${places.join(" and ")} ${places.length === 1 ? "contains" : "contain"} the address of these pods or of their Service`,
    },
  ];
}
