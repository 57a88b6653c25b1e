import { portKeys } from "../../catalog/well-known.ts";
import { type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf, listOf, type Workload } from "../../kubernetes/workload.ts";
import { proxyAnnotations, workloadIsMeshed } from "../../mesh/meshed.ts";
import { includes, parsePorts, resolvePort } from "../../mesh/ports.ts";
import { routesOfServer, serverSelects } from "../../mesh/servers.ts";
import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** Rules about what prevents meshed pods from becoming ready. */
export const probeRules: readonly ManifestRule[] = [
  {
    code: "probe-refused",
    severity: "error",
    title: "A policy refuses the kubelet's probe of a meshed pod",
    why:
      "The kubelet has no identity of the mesh. The policy controller automatically allows only the paths of `httpGet` probes. It does not allow HTTPS probes, gRPC probes, or probes of a port with an opaque Server. If a Server has an HTTPRoute, " +
      "the proxy returns status 404 for each path that no route of the Server matches. This includes the paths of probes (linkerd.io, “Authorization Policy”; linkerd2#8961, #12806). The container then restarts repeatedly.",
    fix: "Allow the addresses of the nodes with an AuthorizationPolicy and a NetworkAuthentication, add an HTTPRoute with the path of the probe, or use an `httpGet` probe on another port.",
    check: refusedProbes,
  },
  {
    code: "pod-security-refuses",
    severity: "warning",
    title: "The namespace's Pod Security level refuses injected pods",
    why: "The init container of injected pods needs the capabilities NET_ADMIN and NET_RAW. The levels `baseline` and `restricted` refuse such pods (linkerd2#10232, #11706). With Linkerd's CNI plugin, pods have no such init container.",
    fix: "Use Linkerd's CNI plugin, or set the label `pod-security.kubernetes.io/enforce: privileged` on the namespace.",
    check: refusedPods,
  },
];

interface Probe {
  readonly path: readonly (string | number)[];
  readonly kind: "http" | "https" | "grpc";
  readonly port: number;
  /** Path of the request; empty for gRPC. */
  readonly url: string;
}

function* refusedProbes(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes") continue;
    const servers = stream.ofKind("policy.linkerd.io", "Server").filter((server) => serverSelects(server, workload));
    const annotations = proxyAnnotations(workload, stream);
    const byDefault = String(annotations["config.linkerd.io/default-inbound-policy"] ?? "");
    const skipped = parsePorts(annotations[portKeys.skipInbound]);
    for (const probe of probesOf(workload)) {
      if (includes(skipped, probe.port)) continue;
      const server = servers.find((each) => resolvePort(specOf(each)["port"], workload) === probe.port);
      const refusal = server === undefined ? byDefaultPolicy(probe, byDefault) : byServer(probe, server, stream);
      if (refusal === null) continue;
      yield {
        manifest: workload.manifest,
        path: probe.path,
        part: "key",
        message: `the kubelet's ${probe.kind === "grpc" ? "gRPC" : probe.kind.toUpperCase()} probe of port ${probe.port} is refused: ${refusal.reason}`,
        fix: refusal.fix,
      };
    }
  }
}

/** Why a probe is refused, and how to allow it. */
interface Refusal {
  readonly reason: string;
  readonly fix: string;
}

const allowNodes =
  "allow the addresses of the nodes with an AuthorizationPolicy and a NetworkAuthentication, or use an httpGet probe on another port";

function byDefaultPolicy({ kind }: Probe, policy: string): Refusal | null {
  const needsIdentity = policy === "deny" || policy.endsWith("-authenticated");
  if (kind === "http" || !needsIdentity) return null;
  const reason = `the default inbound policy is ${policy}, and only httpGet probes over HTTP are allowed automatically`;
  return { reason, fix: allowNodes };
}

function byServer({ kind, url }: Probe, server: Manifest, stream: ManifestSet): Refusal | null {
  const { accessPolicy = "deny", proxyProtocol } = specOf(server);
  const routes = routesOfServer(server, stream).filter((route) => route.kind === "HTTPRoute");
  const matching = routes.filter((route) => matches(route, url));
  const addRoute = `add an HTTPRoute with the exact path ${url}, and an AuthorizationPolicy for it with a NetworkAuthentication for the addresses of the nodes`;
  if (kind === "http" && routes.length > 0 && matching.length === 0)
    return { reason: `no HTTPRoute of Server ${server.name} matches the path ${url}`, fix: addRoute };
  if (accessPolicy !== "deny" || admitsNetworks(stream, [server, ...matching])) return null;
  if (matching.length > 0)
    return { reason: `the HTTPRoute ${matching[0]?.name} admits only clients with an identity`, fix: addRoute };
  if (proxyProtocol === "opaque")
    return { reason: `Server ${server.name} is opaque, so the path of the probe is not known`, fix: allowNodes };
  if (kind === "http") return null;
  const reason = `Server ${server.name} denies clients without an identity, and only httpGet probes over HTTP are allowed automatically`;
  return { reason, fix: allowNodes };
}

/**
 * Whether an AuthorizationPolicy for a Server, for one of its routes or for their namespace uses the addresses of
 * networks instead of identities.
 */
function admitsNetworks(stream: ManifestSet, targets: readonly Manifest[]): boolean {
  return stream.ofKind("policy.linkerd.io", "AuthorizationPolicy").some((policy) => {
    const { targetRef, requiredAuthenticationRefs } = specOf(policy);
    const { kind, name } = asMap(targetRef);
    const applies = targets.some(
      (target) => policy.namespace === target.namespace && (kind === "Namespace" || name === target.name),
    );
    return (
      applies && listOf(requiredAuthenticationRefs).every((reference) => asMap(reference)["kind"] === "NetworkAuthentication")
    );
  });
}

function matches(route: Manifest, url: string): boolean {
  return listOf(specOf(route)["rules"])
    .map(asMap)
    .some(({ matches: list }) => {
      const paths = listOf(list).map((match) => asMap(asMap(match)["path"]));
      return (
        paths.length === 0 ||
        paths.some(({ type = "PathPrefix", value = "/" }) =>
          type === "Exact" ? url === value : type === "PathPrefix" ? isBelow(url, String(value)) : true,
        )
      );
    });
}

/** Whether a path begins with the elements of another path. */
function isBelow(url: string, prefix: string): boolean {
  const base = prefix.replace(/\/$/, "");
  return url === base || url.startsWith(`${base}/`);
}

function probesOf(workload: Workload): Probe[] {
  return containersOf(workload).flatMap(({ container, path }) =>
    ["livenessProbe", "readinessProbe", "startupProbe"].flatMap((name): Probe[] => {
      const { httpGet, grpc } = asMap(container[name]);
      const { port, scheme = "HTTP", path: url = "/" } = asMap(httpGet ?? grpc);
      const number = resolvePort(port, workload);
      if (number === null) return [];
      if (grpc !== undefined) return [{ path: [...path, name], kind: "grpc", port: number, url: "" }];
      return [
        {
          path: [...path, name],
          kind: scheme === "HTTPS" ? "https" : "http",
          port: number,
          url: String(url).replace(/\?.*$/, ""),
        },
      ];
    }),
  );
}

function* refusedPods(stream: ManifestSet): Iterable<ManifestFinding> {
  const hasCni = stream.workloads.some(({ manifest }) => manifest.kind === "DaemonSet" && /linkerd.*-?cni/.test(manifest.name));
  if (hasCni) return;
  for (const manifest of stream.ofKind("", "Namespace")) {
    const level = stream.namespaceLabels(manifest.name)["pod-security.kubernetes.io/enforce"];
    if (level !== "baseline" && level !== "restricted") continue;
    const meshed = stream
      .selected(manifest.name, {})
      .some((workload) => workload.manifest.namespace === manifest.name && workloadIsMeshed(workload, stream) === "yes");
    if (!meshed) continue;
    yield {
      manifest,
      path: ["metadata", "labels", "pod-security.kubernetes.io/enforce"],
      message: `without Linkerd's CNI plugin, Pod Security ${String(level)} refuses injected pods, because their init container needs the capabilities NET_ADMIN and NET_RAW`,
      fix: "use Linkerd's CNI plugin, or the level privileged",
    };
  }
}
