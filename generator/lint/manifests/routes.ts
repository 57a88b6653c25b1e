import { gatewayGroup, policyGroup, portKeys } from "../../catalog/well-known.ts";
import { ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";

import { isHttp, isOpaque, serviceNamed, tcpServicePorts } from "../../mesh/services.ts";
import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { firstNames, inFile } from "./names.ts";

/** Rules about ServiceProfiles and routes. */
export const routeRules: readonly ManifestRule[] = [
  {
    code: "profile-without-service",
    severity: "error",
    title: "The name of a ServiceProfile is not the host name of a Service",
    why: "Linkerd applies a ServiceProfile to the Service whose full host name is the name of the ServiceProfile: `<service>.<namespace>.svc.<cluster domain>`. A ServiceProfile with any other name has no effect, and Linkerd reports no error.",
    fix: "Set the name of the ServiceProfile to the full host name of the Service that clients connect to. `meshops profile` generates a ServiceProfile with the correct name.",
    check: profileWithoutService,
  },
  {
    code: "profile-headless",
    severity: "error",
    title: "A ServiceProfile exists for a headless Service",
    why: "Clients of a headless Service connect to pods, not to the Service. Proxies look up a ServiceProfile by the IP address of its Service, and a headless Service has no IP address (linkerd.io, “Service profiles”).",
    fix: "Create a second Service with an IP address for the same pods. Let the clients connect to the second Service. Set the name of the ServiceProfile to the full host name of the second Service.",
    check: headlessProfile,
  },
  {
    code: "profile-and-route",
    severity: "error",
    title: "A ServiceProfile and a route exist for the same Service",
    why: "If a Service has a ServiceProfile, proxies ignore its HTTPRoutes and GRPCRoutes (linkerd.io, “Service profiles”). The retries, timeouts and traffic splits of these routes have no effect.",
    fix: "Remove either the ServiceProfile or the routes.",
    check: profileAndRoute,
  },
  {
    code: "opaque-port-routed",
    severity: "error",
    title: "A route or ServiceProfile applies to an opaque port",
    why: "Proxies forward the bytes of an opaque port without parsing requests. Routes and ServiceProfiles match requests, so routes and ServiceProfiles have no effect on an opaque port. Traffic on this port has no metrics per route, no retries and no timeouts.",
    fix: "Set `config.linkerd.io/opaque-ports` on the pods and the Service to a list that does not contain the port, or remove the route or ServiceProfile.",
    check: routedOpaquePorts,
  },
];

/**
 * Returns the name and the namespace of the Service whose host name is the name of a ServiceProfile. Returns null if
 * the name of the ServiceProfile is not the host name of a Service.
 */
function serviceOf(profile: Manifest): { name: string; namespace: string } | null {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\.[^.].*$/.exec(profile.name) ?? [];
  return name === undefined || namespace === undefined ? null : { name, namespace };
}

const profiles = (stream: ManifestSet): readonly Manifest[] => stream.ofKind("linkerd.io", "ServiceProfile");

/** Returns the ServiceProfiles whose Service is among the checked objects, each with its Service. */
function profiled(stream: ManifestSet): { profile: Manifest; service: Manifest }[] {
  return profiles(stream).flatMap((profile) => {
    const named = serviceOf(profile);
    const service = named === null ? null : serviceNamed(stream, named.name, named.namespace);
    return service === null ? [] : [{ profile, service }];
  });
}

function* profileWithoutService(stream: ManifestSet): Iterable<ManifestFinding> {
  const services = stream.ofKind("", "Service");
  for (const manifest of profiles(stream)) {
    const path = ["metadata", "name"];
    const named = serviceOf(manifest);
    if (named === null) {
      const message = `the name of this ServiceProfile is not the host name of a Service: ${manifest.name}`;
      yield { manifest, path, message, fix: "use a name of the form <service>.<namespace>.svc.<cluster domain>" };
    } else if (serviceNamed(stream, named.name, named.namespace) === null) {
      // If the checked objects contain no Service of the namespace, the Services of the namespace are probably in other
      // files.
      const isElsewhere = services.every(({ namespace }) => namespace !== named.namespace);
      if (services.length > 0 && isElsewhere && manifest.namespace === named.namespace) continue;
      yield {
        manifest,
        path,
        message: `the name of this ServiceProfile refers to Service ${named.namespace}/${named.name}, which is not among the checked objects`,
        fix:
          services.length === 0
            ? "add the manifest of the Service, or set the name to the full host name of an existing Service"
            : `set the name to the full host name of one of these Services: ${firstNames(services)}`,
        severityOverride: services.length === 0 || stream.isPartialIn(named.namespace),
      };
    }
  }
}

function* headlessProfile(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { profile: manifest, service } of profiled(stream)) {
    if (specOf(service)["clusterIP"] !== "None") continue;
    const message = `the Service ${service.name} is headless, so this ServiceProfile has no effect`;
    yield {
      manifest,
      path: ["metadata", "name"],
      message,
      fix: "set the name to the full host name of a Service that has an IP address",
    };
  }
}

/** A route, and a Service to which the route is attached. */
interface Attachment {
  readonly route: Manifest;
  readonly path: (string | number)[];
  readonly name: string;
  readonly namespace: string;
  /** Null if the route applies to all ports. */
  readonly port: number | null;
}

export function attachments(stream: ManifestSet): Attachment[] {
  const groups = [gatewayGroup, policyGroup];
  const routes = groups.flatMap((group) => stream.ofKind(group, "HTTPRoute", "GRPCRoute"));
  return routes.flatMap((route) =>
    listAt(specOf(route), "parentRefs").flatMap((entry, index) => {
      const { kind, group, name, namespace, port } = asMap(entry);
      if (kind !== "Service" || (group ?? "") === gatewayGroup) return [];
      const path = ["spec", "parentRefs", index];
      return [
        {
          route,
          path,
          name: String(name),
          namespace: String(namespace ?? route.namespace),
          port: typeof port === "number" ? port : null,
        },
      ];
    }),
  );
}

function* profileAndRoute(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { route, path, name, namespace } of attachments(stream)) {
    const profile = profiles(stream).find((candidate) => {
      const named = serviceOf(candidate);
      if (named?.name !== name) return false;
      if (stream.isRepeated("Service", name) && !ManifestSet.isRelated(route, candidate)) return false;
      return namespace === "" ? ManifestSet.sharesNamespace(route, candidate) : named.namespace === namespace;
    });
    if (profile === undefined) continue;
    const message = `the Service ${name} has the ServiceProfile ${profile.name}${inFile(profile, route)}. The ServiceProfile takes precedence, so this ${route.kind} has no effect`;
    yield { manifest: route, path, message, fix: `remove the ServiceProfile or the ${route.kind}` };
  }
}

function* routedOpaquePorts(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { route, path, name, namespace, port } of attachments(stream)) {
    const service = serviceNamed(stream, name, namespace);
    if (service === null || !ManifestSet.sharesNamespace(route, service, namespace)) continue;
    for (const { number } of tcpServicePorts(service).filter((candidate) => port === null || candidate.number === port))
      if (isOpaque(stream, service, number)) yield opaqueFinding(route, path, name, number);
  }
  for (const { profile, service } of profiled(stream)) {
    // A ServiceProfile applies to all ports of its Service. Report the ServiceProfile if at least one HTTP port of the
    // Service is opaque, or if all ports of the Service are opaque.
    const ports = tcpServicePorts(service);
    const opaquePorts = ports.filter(({ number }) => isOpaque(stream, service, number));
    const wrong = opaquePorts.length === ports.length ? opaquePorts : opaquePorts.filter(isHttp);
    for (const { number } of wrong) yield opaqueFinding(profile, ["metadata", "name"], service.name, number);
  }
}

function opaqueFinding(manifest: Manifest, path: ManifestFinding["path"], service: string, port: number): ManifestFinding {
  const message = `port ${port} of Service ${service} is opaque. Proxies do not parse requests on this port, so this ${manifest.kind} has no effect on the port`;
  return {
    manifest,
    path,
    message,
    fix: `set ${portKeys.opaque} on the Service and its pods to a list that does not contain ${port}`,
  };
}
