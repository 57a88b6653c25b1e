import { type LinkerdRelease, newestRelease } from "../../catalog/linkerd.ts";
import { chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { probesOf } from "../../kubernetes/probes.ts";
import { containersOf } from "../../kubernetes/workload.ts";
import type { AttemptClient } from "../../mesh/attempt.ts";
import { evaluate } from "../../mesh/evaluate.ts";
import type { MeshVerdict } from "../../mesh/evaluate-mesh.ts";
import type { Authorization } from "../../mesh/inbound-policy.ts";
import { podOf, policiesIn } from "../../mesh/manifest-access.ts";
import { workloadIsMeshed } from "../../mesh/meshed.ts";
import { PolicyIndex } from "../../mesh/policy-index.ts";
import { isOpaqueForServer } from "../../mesh/ports.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about probes and Pod Security levels that prevent meshed pods from starting or becoming ready. */
export const probeRules: readonly ManifestRule[] = [
  {
    code: "probe-refused",
    severity: "error",
    title: "A policy refuses the kubelet's probe of a meshed pod",
    why:
      "The kubelet has no mesh identity. The policy controller automatically allows only the paths of `httpGet` probes over HTTP. The policy controller does not allow HTTPS probes, gRPC probes, or probes of a port whose Server has `proxyProtocol: opaque`. If a Server has an HTTPRoute, " +
      "the proxy returns status 404 for all paths that do not match a route of the Server. This includes the paths of probes (linkerd.io, “Authorization Policy”; linkerd2#8961, #12806). If the probe fails, the pod does not become ready, or its container restarts repeatedly.",
    fix: "Do one of the following. Allow the addresses of the nodes with an AuthorizationPolicy and a NetworkAuthentication. Add an HTTPRoute with the path of the probe. Use an `httpGet` probe on another port.",
    check: refusedProbes,
  },
  {
    code: "pod-security-refuses",
    severity: "warning",
    title: "The Pod Security level of the namespace rejects injected pods",
    why: "The init container of injected pods needs the capabilities NET_ADMIN and NET_RAW. The levels `baseline` and `restricted` reject pods with these capabilities (linkerd2#10232, #11706). With Linkerd's CNI plugin, injected pods do not need these capabilities.",
    fix: "Use Linkerd's CNI plugin, or set the label `pod-security.kubernetes.io/enforce: privileged` on the namespace.",
    check: refusedPods,
  },
];

function* refusedProbes(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  const policies = new PolicyIndex(policiesIn(stream));
  const installation = { release: release ?? newestRelease() };
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes") continue;
    const to = podOf(workload, stream);
    // NetworkPolicies are omitted, because they do not apply to the kubelet.
    const objects = policies.affecting(to);
    const probes = containersOf(workload).flatMap(({ container, path }) =>
      probesOf(container).map((probe) => ({ ...probe, place: [...path, probe.field] })),
    );
    for (const { kind, port, path: url, place } of probes) {
      if (port === null) continue;
      const { mesh } = evaluate({ from: node, to, port, ...(kind === "http" ? { path: url } : {}) }, objects, installation);
      // The addresses of the nodes are not known. Assume that an authorization for networks admits the kubelet.
      if (mesh.admits || mesh.authorizations.some(isForNetworks)) continue;
      const refusal = refusalOf(mesh, url, isOpaqueForServer(to, port));
      yield {
        manifest: workload.manifest,
        path: place,
        part: "key",
        message: `the kubelet's ${kind === "grpc" ? "gRPC" : kind.toUpperCase()} probe of port ${port} is refused, because ${refusal.reason}`,
        fix: refusal.fix,
      };
    }
  }
}

/** The kubelet as a client. The kubelet has no mesh identity, and NetworkPolicies do not apply to the kubelet. */
const node: AttemptClient = { namespace: "", labels: {}, identity: null, from: "node" };

function isForNetworks({ requirements }: Authorization): boolean {
  return requirements.every((each) => "networks" in each && each.networks.length > 0);
}

/** Reason why a policy refuses a probe, and the fix. */
interface Refusal {
  readonly reason: string;
  readonly fix: string;
}

const allowNodes =
  "allow the addresses of the nodes with an AuthorizationPolicy and a NetworkAuthentication, or use an httpGet probe on another port";

const onlyHttpGet = "Linkerd automatically allows only httpGet probes over HTTP";

function refusalOf({ reason, by, server }: MeshVerdict, url: string, opaquePort: boolean): Refusal {
  const addRoute = `add an HTTPRoute with the exact path ${url}. For this route, add an AuthorizationPolicy and a NetworkAuthentication with the addresses of the nodes`;
  const name = server?.metadata.name ?? "";
  if (reason === "no-route") return { reason: `no HTTPRoute of Server ${name} matches the path ${url}`, fix: addRoute };
  if (reason === "route") return { reason: `the ${by} admits only clients with an identity`, fix: addRoute };
  const opaque = server === null ? opaquePort : at(server, "spec", "proxyProtocol") === "opaque";
  if (opaque)
    return {
      reason: `${server === null ? "the port is opaque" : `Server ${name} declares the port as opaque`}. The proxy then cannot check the path of the probe`,
      fix: allowNodes,
    };
  return {
    reason: `${server === null ? by.replace("default inbound policy ", "the default inbound policy is ") : `Server ${name} denies clients without an identity`}. ${onlyHttpGet}`,
    fix: allowNodes,
  };
}

function* refusedPods(stream: ManifestSet): Iterable<ManifestFinding> {
  const releases = stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease");
  const hasCni =
    stream.workloads.some(({ manifest }) => manifest.kind === "DaemonSet" && /linkerd.*-?cni/.test(manifest.name)) ||
    releases.some(
      (release) => chartOf(release)["chart"] === "linkerd2-cni" || at(specOf(release)["values"], "cniEnabled") === true,
    );
  if (hasCni) return;
  for (const manifest of stream.ofKind("", "Namespace")) {
    const level = stream.namespaceLabels(manifest.name)["pod-security.kubernetes.io/enforce"];
    if (level !== "baseline" && level !== "restricted") continue;
    const meshed = stream
      .maybeSelected(manifest.name, {})
      .some((workload) => workload.manifest.namespace === manifest.name && workloadIsMeshed(workload, stream) === "yes");
    if (!meshed) continue;
    yield {
      manifest,
      path: ["metadata", "labels", "pod-security.kubernetes.io/enforce"],
      message: `the Pod Security level ${String(level)} rejects injected pods. Without Linkerd's CNI plugin, their init container needs the capabilities NET_ADMIN and NET_RAW`,
      fix: "use Linkerd's CNI plugin, or set the Pod Security level to privileged",
    };
  }
}
