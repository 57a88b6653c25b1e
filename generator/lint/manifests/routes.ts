import { portKeys } from "../../catalog/well-known.ts";
import { type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { listOf } from "../../kubernetes/workload.ts";
import { isOpaque, serviceNamed, servicePorts } from "../../mesh/services.ts";
import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** ServiceProfiles and routes. */
export const routeRules: readonly ManifestRule[] = [
  {
    code: "profile-without-service",
    severity: "error",
    title: "A ServiceProfile that names no Service",
    why: "Proxies look a profile up by the full host name of the Service that they call: `<service>.<namespace>.svc.<cluster domain>`. Under any other name it is never found, and no error says so.",
    fix: "Name it after the Service that clients dial. `meshops profile` does.",
    check: withoutService,
  },
  {
    code: "profile-headless",
    severity: "error",
    title: "A ServiceProfile of a headless Service",
    why: "Clients of a headless Service dial pods, not the Service. A profile is found by the Service's address, and there is none (linkerd.io, “Service profiles”).",
    fix: "Give clients a Service with an address, and name the profile after that one.",
    check: headless,
  },
  {
    code: "profile-and-route",
    severity: "error",
    title: "A ServiceProfile and a route on one Service",
    why: "Where a Service has a ServiceProfile, proxies pass over its HTTPRoutes and GRPCRoutes (linkerd.io, “Service profiles”): retries, timeouts and splits of the routes do nothing.",
    fix: "Keep one of the two.",
    check: both,
  },
  {
    code: "opaque-port-routed",
    severity: "error",
    title: "Routes on an opaque port",
    why: "The bytes of an opaque port are passed on unread. A route or profile needs to read requests, so it matches nothing there: no metrics a route, no retries, no timeouts.",
    fix: "Take the port off `config.linkerd.io/opaque-ports`, on the pods and on the Service; or leave the route out.",
    check: opaque,
  },
];

/** Service and namespace of a profile's name; null where it is no host name of a Service. */
function serviceOf(profile: Manifest): { name: string; namespace: string } | null {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\.[^.].*$/.exec(profile.name) ?? [];
  return name === undefined || namespace === undefined ? null : { name, namespace };
}

const profiles = (stream: ManifestSet): readonly Manifest[] => stream.ofKind("linkerd.io", "ServiceProfile");

/** Profiles whose Service the stream holds. */
function profiled(stream: ManifestSet): { profile: Manifest; service: Manifest }[] {
  return profiles(stream).flatMap((profile) => {
    const named = serviceOf(profile);
    const service = named === null ? null : serviceNamed(stream, named.name, named.namespace);
    return service === null ? [] : [{ profile, service }];
  });
}

function* withoutService(stream: ManifestSet): Iterable<ManifestFinding> {
  const services = stream.ofKind("", "Service");
  for (const manifest of profiles(stream)) {
    const path = ["metadata", "name"];
    const named = serviceOf(manifest);
    if (named === null) {
      const message = `${manifest.name} is no host name of a Service`;
      yield { manifest, path, message, fix: "use <service>.<namespace>.svc.<cluster domain>" };
    } else if (serviceNamed(stream, named.name, named.namespace) === null) {
      const known = services.map(({ name }) => name);
      yield {
        manifest,
        path,
        message: `there is no Service ${named.namespace}/${named.name} among these objects`,
        fix:
          known.length === 0
            ? "give the Service's manifest too, or name the profile after one"
            : `Services here: ${known.slice(0, 6).join(", ")}`,
        mild: services.length === 0 || stream.isPartial,
      };
    }
  }
}

function* headless(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { profile: manifest, service } of profiled(stream)) {
    if (specOf(service)["clusterIP"] !== "None") continue;
    const message = `the Service ${service.name} is headless, and no profile of it is ever found`;
    yield { manifest, path: ["metadata", "name"], message, fix: "name the profile after a Service with an address" };
  }
}

/** A route, and a Service that it hangs on. */
interface Attachment {
  readonly route: Manifest;
  readonly path: (string | number)[];
  readonly name: string;
  readonly namespace: string;
  /** Null where the route is for every port. */
  readonly port: number | null;
}

function attachments(stream: ManifestSet): Attachment[] {
  const groups = ["gateway.networking.k8s.io", "policy.linkerd.io"];
  const routes = groups.flatMap((group) => stream.ofKind(group, "HTTPRoute", "GRPCRoute"));
  return routes.flatMap((route) =>
    listOf(specOf(route)["parentRefs"]).flatMap((entry, index) => {
      const { kind, group, name, namespace, port } = asMap(entry);
      if (kind !== "Service" || (group ?? "") === "gateway.networking.k8s.io") return [];
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

function* both(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { route, path, name, namespace } of attachments(stream)) {
    const profile = profiles(stream).find((candidate) => {
      const named = serviceOf(candidate);
      return named?.name === name && (named.namespace === namespace || namespace === "");
    });
    if (profile === undefined) continue;
    const message = `the Service ${name} has the ServiceProfile ${profile.name} too, which takes precedence: the ${route.kind} does nothing`;
    yield { manifest: route, path, message, fix: "keep one of the two" };
  }
}

function* opaque(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { route, path, name, namespace, port } of attachments(stream)) {
    const service = serviceNamed(stream, name, namespace);
    if (service === null) continue;
    for (const { number } of servicePorts(service).filter((candidate) => port === null || candidate.number === port))
      if (isOpaque(stream, service, number)) yield unread(route, path, name, number);
  }
  for (const { profile, service } of profiled(stream)) {
    // A profile is for all ports of its Service: it is at fault where one that speaks HTTP is opaque, or none is left.
    const ports = servicePorts(service);
    const closed = ports.filter(({ number }) => isOpaque(stream, service, number));
    const wrong = closed.length === ports.length ? closed : closed.filter(({ http }) => http);
    for (const { number } of wrong) yield unread(profile, ["metadata", "name"], service.name, number);
  }
}

function unread(manifest: Manifest, path: ManifestFinding["path"], service: string, port: number): ManifestFinding {
  const message = `port ${port} of ${service} is opaque: its requests are never read, and the ${manifest.kind} matches none`;
  return { manifest, path, message, fix: `leave ${port} out of ${portKeys.opaque} of the Service and its pods` };
}
