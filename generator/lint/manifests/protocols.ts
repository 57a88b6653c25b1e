import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { portKeys } from "../../catalog/well-known.ts";
import { annotationsOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf, type Labels, type Workload } from "../../kubernetes/workload.ts";
import { proxyAnnotations, workloadIsMeshed } from "../../mesh/meshed.ts";
import { includes, opaquePorts, parsePorts } from "../../mesh/ports.ts";
import { targetOf, tcpServicePorts } from "../../mesh/services.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { mentionLinkerd } from "./mentions-linkerd.ts";
import { attachments } from "./routes.ts";

/** Rules about the protocols of ports. */
export const protocolRules: readonly ManifestRule[] = [
  {
    code: "opaque-one-sided",
    severity: "warning",
    title: "A port is opaque on the pods but not on their Service, or vice versa",
    why: "If a client connects to the Service, the client's proxy uses `config.linkerd.io/opaque-ports` of the Service. If the client connects to a pod, the client's proxy uses `config.linkerd.io/opaque-ports` of the pod. If only one of these annotations contains the port, the port is not opaque for some connections (`linkerd check`, linkerd-opaque-ports-definition).",
    fix: "Set `config.linkerd.io/opaque-ports` to the same ports on the pods and on the Service. As an alternative, set the annotation on their namespace.",
    check: oneSided,
  },
  {
    code: "server-first-port",
    severity: "warning",
    title: "A port of a server-first protocol is not opaque",
    why: "To detect the protocol, the proxy waits until the client sends bytes. In MySQL and SMTP, the server sends the first bytes. Each connection therefore waits 10 seconds, until the detection times out (linkerd.io, “Protocol Detection”). By default, only the standard ports of these protocols are opaque.",
    fix: "Add the port to `config.linkerd.io/opaque-ports` on the pods and on their Service.",
    check: serverFirst,
  },
  {
    code: "app-protocol-opaque",
    severity: "warning",
    title: "appProtocol makes a port opaque",
    why: "Since 2.18, Linkerd treats a port with an `appProtocol` as opaque, unless the value is `http` or `kubernetes.io/h2c`. For example, the value `grpc` makes a port opaque (linkerd2#13948, #14033). An opaque port has no routes, no retries and no metrics per request.",
    fix: "For gRPC and HTTP/2, set `appProtocol` to `kubernetes.io/h2c`. For HTTP/1, set `appProtocol` to `http`. As an alternative, remove `appProtocol`.",
    check: opaqueByAppProtocol,
  },
];

/** Whether an annotation lists a port as opaque, either by its number or by one of its names. */
function lists(annotations: Labels, port: number, names: readonly unknown[]): boolean {
  const named = String(annotations[portKeys.opaque] ?? "")
    .split(",")
    .map((part) => part.trim());
  return includes(opaquePorts(annotations), port) || named.some((part) => part !== "" && names.includes(part));
}

function portNames(workload: Workload, port: number): unknown[] {
  return containersOf(workload)
    .flatMap(({ container }) => listOf(container["ports"]).map(asMap))
    .flatMap(({ name, containerPort }) => (containerPort === port && name !== undefined ? [name] : []));
}

function* oneSided(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind("", "Service")) {
    const namespace = stream.namespaceOf(manifest.namespace, manifest);
    const inherited = namespace === null ? {} : { [portKeys.opaque]: annotationsOf(namespace)[portKeys.opaque] };
    const own = annotationsOf(manifest);
    const annotations: Labels = own[portKeys.opaque] === undefined ? (inherited as Labels) : own;
    for (const servicePort of tcpServicePorts(manifest)) {
      const { index, number: port, name } = servicePort;
      if (Number.isNaN(port)) continue;
      const onService = lists(annotations, port, [name]);
      for (const workload of stream.workloadsOf(manifest)) {
        const target = targetOf(servicePort, workload);
        if (target === null || workloadIsMeshed(workload, stream) !== "yes") continue;
        const onPods = lists(proxyAnnotations(workload, stream), target, portNames(workload, target));
        // Clients of a headless Service connect to the addresses of the pods, so the list of opaque ports of the pods
        // applies.
        if (onPods && specOf(manifest)["clusterIP"] === "None") continue;
        if (onPods === onService) continue;
        const pods = `the pods of ${workload.manifest.kind} ${workload.manifest.name}`;
        yield {
          manifest,
          path: ["spec", "ports", index, "port"],
          message: onPods
            ? `port ${target} is opaque on ${pods}, but port ${port} of this Service is not opaque`
            : `port ${port} of this Service is opaque, but port ${target} of ${pods} is not opaque`,
          fix: `add ${onPods ? port : target} to ${portKeys.opaque} of ${onPods ? "this Service" : "the pod template"}, or set ${portKeys.opaque} on the namespace`,
        };
      }
    }
  }
}

/** Matches names of ports whose protocol is server-first. */
const serverFirstName = /^(mysql|mariadb|smtp|submission)(-|$)/;
const serverFirstImage = /(^|\/)(mysql|mariadb|percona|percona-xtradb-cluster|galera|postfix|exim)(-server)?(:|@|$)/;

function* serverFirst(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes") continue;
    const annotations = proxyAnnotations(workload, stream);
    const skipped = parsePorts(annotations[portKeys.skipInbound]);
    for (const { container, path } of containersOf(workload)) {
      const ports = listOf(container["ports"]).map(asMap);
      for (const [index, { containerPort, name, protocol = "TCP" }] of ports.entries()) {
        if (typeof containerPort !== "number" || protocol !== "TCP") continue;
        const shown =
          serverFirstName.test(String(name ?? "")) || (ports.length === 1 && serverFirstImage.test(String(container["image"])));
        if (!shown || lists(annotations, containerPort, [name]) || includes(skipped, containerPort)) continue;
        yield {
          manifest: workload.manifest,
          path: [...path, "ports", index, "containerPort"],
          message: `port ${containerPort} is not opaque. However, the port name or the image indicates a protocol in which the server sends the first bytes, such as MySQL or SMTP`,
          fix: `add ${containerPort} to ${portKeys.opaque} of the pod template and of the Service`,
        };
      }
    }
  }
}

/**
 * Values of `appProtocol` that users probably set for HTTP. Of these values, Linkerd reads only `http` as HTTP. All
 * other values make the port opaque.
 */
const meantAsHttp = /^(grpc|grpc-web|h2|h2c|http2|https?\/?[12]?(\.\d)?|kubernetes\.io\/ws|ws|websocket)$/i;

function* opaqueByAppProtocol(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  if (release !== null && !release.traits.transportHeader) return;
  for (const manifest of stream.ofKind("", "Service")) {
    const targets = stream.workloadsOf(manifest);
    if (targets.length > 0 && targets.every((workload) => workloadIsMeshed(workload, stream) === "no")) continue;
    for (const [index, { appProtocol, port }] of listAt(specOf(manifest), "ports").map(asMap).entries()) {
      // The expression is case-insensitive, because Linkerd also ignores the case of the value (linkerd2,
      // policy-controller/core/src/outbound.rs).
      if (typeof appProtocol !== "string" || /^(http|kubernetes\.io\/h2c)$/i.test(appProtocol)) continue;
      const routed = isRouted(stream, manifest, port);
      if (!routed && (!meantAsHttp.test(appProtocol) || /^https$/i.test(appProtocol))) continue;
      // Other proxies also read appProtocol. Without a sign of Linkerd, the value can be meant for such a proxy.
      if (release === null && !mentionLinkerd(stream.objects)) return;
      yield {
        manifest,
        path: ["spec", "ports", index, "appProtocol"],
        message: `appProtocol: ${appProtocol} makes port ${String(port)} opaque${routed ? ". The routes of this port have no effect" : ""}`,
        fix: `use ${/grpc|h2/i.test(appProtocol) ? "kubernetes.io/h2c" : "http"}, or remove appProtocol`,
      };
    }
  }
}

/** Whether at least one of the checked routes applies to a port of a Service. */
function isRouted(stream: ManifestSet, { name, namespace }: Manifest, port: unknown): boolean {
  return attachments(stream).some(
    (each) => each.name === name && each.namespace === namespace && (each.port === null || each.port === port),
  );
}
