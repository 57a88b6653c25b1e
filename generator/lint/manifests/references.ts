import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { servedVersions } from "../../catalog/served-kinds.ts";
import { gatewayGroup, policyGroup, portKeys, proxyPortNames } from "../../catalog/well-known.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { annotationsOf, groupOf, idOf, ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listAt, mapAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf } from "../../kubernetes/workload.ts";
import { tcpServicePorts } from "../../mesh/services.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { firstNames, inFile } from "./names.ts";
import { attachments } from "./routes.ts";

/** Rules about references to missing objects, and about objects that the API server or Linkerd ignores or rejects. */
export const referenceRules: readonly ManifestRule[] = [
  {
    code: "route-reference-missing",
    severity: "error",
    title: "A route or policy refers to a Service, Server or port that does not exist",
    why: "A route applies to the Service or Server in `parentRefs`, and sends requests to the Services in `backendRefs`. If no object in `parentRefs` exists, the route has no effect. If a Service in `backendRefs` does not exist, proxies return an error for requests to this Service (Gateway API, `ResolvedRefs`; linkerd2, policy-controller). A TrafficSplit for a missing Service has no effect. A ServerAuthorization or HTTPLocalRateLimitPolicy for a missing Server also has no effect.",
    fix: "Use the name of an existing Service or Server. If the reference contains a port of a Service, use a port number of the Service, and not a port number of its pods.",
    check: routeReferences,
  },
  {
    code: "route-precedence",
    severity: "warning",
    title: "A GRPCRoute takes precedence over an HTTPRoute",
    why: "If GRPCRoutes and HTTPRoutes are attached to the same port of a Service, proxies use only the GRPCRoutes (linkerd2, policy-controller, outbound index).",
    fix: "Remove the HTTPRoute, or attach the HTTPRoute to a port of the Service that has no GRPCRoute.",
    check: shadowedRoutes,
  },
  {
    code: "server-port-missing",
    severity: "error",
    title: "A Server refers to a port name that its pods do not have",
    why: "A Server can refer to a container port by name. If no container of the selected pods has a port with this name, the Server protects no port. The default inbound policy then applies to the port that you wanted to protect.",
    fix: "Use the name of a container port, or the number of the port.",
    check: serverPorts,
  },
  {
    code: "port-name-unknown",
    severity: "warning",
    title: "A list of opaque ports contains a name that no port has",
    why: "If `config.linkerd.io/opaque-ports` of pods contains a name, it must be the name of a container port. If the annotation of a Service contains a name, it must be the name of a port of the Service. Linkerd ignores other names, so the port does not become opaque (linkerd2, pkg/util/parsing.go).",
    fix: "Use the name of an existing port, or the number of the port.",
    check: unknownPortNames,
  },
  {
    code: "kind-not-served",
    severity: "error",
    title: "The Linkerd release does not serve this kind or API version",
    why: "The API server accepts an object only if a CRD of the release serves its kind and version (chart linkerd-crds). The API server removes the fields that the API version of the object does not define.",
    fix: "Use an API version that the Linkerd release serves, or use a later Linkerd release.",
    check: notServed,
  },
  {
    code: "object-duplicate",
    severity: "warning",
    title: "A file contains the same object twice",
    why: "If two YAML documents in a file contain the same object, kubectl and Flux apply both documents, one after the other. The second document therefore replaces the first document in the cluster.",
    fix: "Remove one of the two YAML documents.",
    check: duplicates,
  },
];

function* routeReferences(stream: ManifestSet): Iterable<ManifestFinding> {
  const routes = [
    ...stream.ofKind(gatewayGroup, "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"),
    ...stream.ofKind(policyGroup, "HTTPRoute"),
  ];
  for (const manifest of routes) {
    for (const [index, parent] of listAt(specOf(manifest), "parentRefs").map(asMap).entries())
      yield* missingTarget(stream, manifest, ["spec", "parentRefs", index], parent);
    for (const [rule, { backendRefs }] of listAt(specOf(manifest), "rules").map(asMap).entries())
      for (const [index, backend] of listOf(backendRefs).map(asMap).entries())
        yield* missingTarget(stream, manifest, ["spec", "rules", rule, "backendRefs", index], { kind: "Service", ...backend });
  }
  for (const manifest of stream.ofKind("split.smi-spec.io", "TrafficSplit")) {
    const { service } = specOf(manifest);
    yield* missingTarget(stream, manifest, ["spec"], { kind: "Service", name: service }, "service");
    for (const [index, { service: name }] of listAt(specOf(manifest), "backends").map(asMap).entries())
      yield* missingTarget(stream, manifest, ["spec", "backends", index], { kind: "Service", name }, "service");
  }
  for (const manifest of stream.ofKind(policyGroup, "HTTPLocalRateLimitPolicy"))
    yield* missingTarget(stream, manifest, ["spec", "targetRef"], mapAt(specOf(manifest), "targetRef"));
  for (const manifest of stream.ofKind(policyGroup, "ServerAuthorization")) {
    const { name } = mapAt(specOf(manifest), "server");
    if (name !== undefined) yield* missingTarget(stream, manifest, ["spec", "server"], { kind: "Server", name });
  }
}

/** @param field field of the reference that contains the name of the target */
function* missingTarget(
  stream: ManifestSet,
  manifest: Manifest,
  path: ManifestFinding["path"],
  reference: Readonly<Record<string, unknown>>,
  field: string = "name",
): Iterable<ManifestFinding> {
  const { kind, name, namespace = manifest.namespace, port } = reference;
  if ((kind !== "Service" && kind !== "Server") || typeof name !== "string" || name.includes("${")) return;
  const inside = String(namespace);
  const group = kind === "Service" ? "" : policyGroup;
  // If the namespace contains no object of this kind, the checked objects are probably only a part of all objects. In
  // this case, report nothing.
  const near = stream
    .ofKind(group, kind)
    .filter((each) => (inside === "" ? ManifestSet.sharesNamespace(manifest, each, inside) : each.namespace === inside));
  if (stream.isPartialIn(inside) || near.length === 0) return;
  const found = stream.named(group, kind, name).filter((each) => ManifestSet.mayShareNamespace(each.namespace, inside));
  if (found.length === 0) {
    const mirrored = kind === "Service" && mayBeMirrored(name, near);
    if (mirrored && hasMirrors(stream)) return;
    // If no object in `near` is in a related folder, the namespace can belong to another application. In this case,
    // report only a warning. For the namespace `default`, report nothing in this case.
    const isNear = near.some((each) => ManifestSet.isRelated(manifest, each));
    // If no Service of the namespace selects a workload of the input, the application itself is not in the input.
    const isComplete = kind === "Server" || near.some((each) => stream.workloadsOf(each).length > 0);
    if (!isNear && inside === "default") return;
    // In a repository with HelmReleases or Applications, an operator or a chart often creates the missing Service.
    if (!isComplete && stream.isPartialIn("")) return;
    yield {
      manifest,
      path: [...path, field],
      severityOverride: mirrored || !isNear || !isComplete,
      message: `this ${manifest.kind} refers to ${kind} ${inside === "" ? "" : `${inside}/`}${name}, which is not among the checked objects`,
      fix: `use the name of an existing ${kind}: ${firstNames(near)}`,
    };
    return;
  }
  const ports = kind === "Service" ? [...new Set(found.flatMap(tcpServicePorts).map(({ number }) => number))] : [];
  if (typeof port !== "number" || ports.length === 0 || ports.includes(port)) return;
  yield {
    manifest,
    path: [...path, "port"],
    // The finding is only a warning: if the Service does not have the port of a backend, Linkerd uses the number as the
    // port of the pods (linkerd2, endpoints_watcher.go).
    severityOverride: true,
    message: `Service ${name} has no port ${port}`,
    fix: `use a port of the Service: ${ports.join(", ")}`,
  };
}

/**
 * Whether Linkerd's service mirror may create the Service `name`. The name of such a Service is the name of a known
 * Service, followed by a hyphen and either the name of a cluster or `federated` (linkerd2,
 * multicluster/service-mirror). Suffixes of deployment variants, such as `canary`, are not names of clusters.
 */
function mayBeMirrored(name: string, services: readonly Manifest[]): boolean {
  const suffixes = services.flatMap((service) =>
    name.startsWith(`${service.name}-`) ? [name.slice(service.name.length + 1)] : [],
  );
  return suffixes.some((suffix) => !/^(v?\d+|primary|canary|stable|preview|blue|green)$/.test(suffix));
}

/**
 * Whether the objects contain a Link or an exported Service. Users create these objects only for Linkerd's multicluster
 * extension.
 */
function hasMirrors(stream: ManifestSet): boolean {
  const exported = (service: Manifest): boolean =>
    Object.keys(mapAt(service.value["metadata"], "labels")).some((key) => key.startsWith("mirror.linkerd.io/"));
  return stream.ofKind("multicluster.linkerd.io", "Link").length > 0 || stream.ofKind("", "Service").some(exported);
}

function* shadowedRoutes(stream: ManifestSet): Iterable<ManifestFinding> {
  const all = attachments(stream);
  for (const { route, path, name, namespace, port } of all) {
    if (route.kind !== "HTTPRoute") continue;
    const other = all.find(
      (each) =>
        each.route.kind === "GRPCRoute" &&
        each.name === name &&
        each.namespace === namespace &&
        ManifestSet.sharesNamespace(route, each.route, namespace) &&
        (!stream.isRepeated("Service", name) || ManifestSet.isRelated(route, each.route)) &&
        (each.port === null || port === null || each.port === port),
    );
    if (other === undefined) continue;
    yield {
      manifest: route,
      path,
      message: `this HTTPRoute and GRPCRoute ${other.route.name}${inFile(other.route, route)} are attached to the same port of Service ${name}. On this port, proxies ignore the HTTPRoute`,
      fix: `remove this HTTPRoute, remove GRPCRoute ${other.route.name}, or attach this HTTPRoute to a port without GRPCRoutes`,
    };
  }
}

function* serverPorts(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(policyGroup, "Server")) {
    const { podSelector, port } = specOf(manifest);
    if (podSelector === undefined || typeof port !== "string" || isProxyPort(port) || port.includes("${")) continue;
    const pods = stream.selected(manifest, podSelector);
    const names = pods.flatMap((pod) => containersOf(pod).flatMap(({ container }) => namesOf(container["ports"])));
    if (pods.length === 0 || names.includes(port)) continue;
    const known = [...new Set(names)];
    yield {
      manifest,
      path: ["spec", "port"],
      message: `this Server protects no port, because no container of ${pods[0]?.manifest.kind} ${pods[0]?.manifest.name} has a port with the name ${port}`,
      fix:
        known.length === 0
          ? "use the number of the port, or give the container port this name"
          : `use the port name ${known.join(" or ")}`,
    };
  }
}

function* unknownPortNames(stream: ManifestSet): Iterable<ManifestFinding> {
  const places = [
    ...stream.workloads.map((workload) => ({
      manifest: workload.manifest,
      path: [...workload.template, "metadata", "annotations", portKeys.opaque],
      list: workload.annotations[portKeys.opaque],
      known: containersOf(workload).flatMap(({ container }) => namesOf(container["ports"])),
    })),
    ...stream.ofKind("", "Service").map((manifest) => ({
      manifest,
      path: ["metadata", "annotations", portKeys.opaque],
      list: annotationsOf(manifest)[portKeys.opaque],
      known: namesOf(specOf(manifest)["ports"]),
    })),
  ];
  for (const { manifest, path, list, known } of places) {
    const names = String(list ?? "")
      .split(",")
      .map((part) => part.trim());
    const unknown = names.find((name) => /^[a-z0-9-]*[a-z][a-z0-9-]*$/.test(name) && !known.includes(name));
    if (unknown === undefined) continue;
    yield {
      manifest,
      path,
      message: `${portKeys.opaque} contains the name ${unknown}, but no port of this ${manifest.kind} has this name. Linkerd ignores the name`,
      fix:
        didYouMean(unknown, known) ??
        (known.length === 0 ? "use the number of the port" : `use the port name ${known.join(" or ")}, or a port number`),
    };
  }
}

function namesOf(ports: unknown): string[] {
  return listOf(ports).flatMap((port) => {
    const { name } = asMap(port);
    return typeof name === "string" ? [name] : [];
  });
}

function* notServed(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  if (release === null) return;
  for (const manifest of stream.objects) {
    const group = groupOf(manifest.apiVersion);
    const served = servedVersions(release, group, manifest.kind);
    if (served === null) continue;
    const version = manifest.apiVersion.slice(group.length + 1);
    if (!served.includes(version))
      yield {
        manifest,
        path: served.length === 0 ? ["kind"] : ["apiVersion"],
        message:
          served.length === 0
            ? `Linkerd ${release.version} has no kind ${manifest.kind} in the API group ${group}`
            : `Linkerd ${release.version} does not serve ${manifest.kind} in version ${version}`,
        fix: served.length === 0 ? "use a later release of Linkerd" : `use ${group}/${served.at(-1)}`,
      };
    else if (manifest.kind === "Server" && specOf(manifest)["accessPolicy"] !== undefined && version !== "v1beta3") {
      const isServed = served.includes("v1beta3");
      yield {
        manifest,
        path: ["spec", "accessPolicy"],
        part: "key",
        message: isServed
          ? `a Server in version ${version} has no field accessPolicy, so the API server removes this field`
          : `Linkerd ${release.version} does not support the field accessPolicy of a Server`,
        fix: isServed ? `use ${group}/v1beta3` : "remove accessPolicy, or use Linkerd 2.16 or later",
      };
    }
  }
}

function* duplicates(stream: ManifestSet): Iterable<ManifestFinding> {
  const seen = new Map<string, Manifest>();
  for (const manifest of stream.objects) {
    const { generateName, name } = asMap(manifest.value["metadata"]);
    // The key contains the file, because objects in different files can be for different clusters.
    const key = `${manifest.source.file} ${idOf(manifest)}`;
    if (seen.has(key) && name !== "" && (name !== undefined || generateName === undefined))
      yield {
        manifest,
        path: ["metadata", "name"],
        message: `${manifest.kind} ${manifest.namespace === "" ? "" : `${manifest.namespace}/`}${manifest.name} is in this file twice. This document replaces the earlier document`,
        fix: "remove one of the two documents",
      };
    seen.set(key, manifest);
  }
}

/**
 * Whether a name is the name of a port of the proxy container. Manifests do not declare these ports, because the
 * injector adds the container.
 */
function isProxyPort(name: string): boolean {
  return Object.values<string>(proxyPortNames).includes(name);
}
