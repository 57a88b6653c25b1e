import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import { type Probe, probesOf } from "../../kubernetes/probes.ts";
import { containersOf, tcpPortsOf, type Workload } from "../../kubernetes/workload.ts";
import { proxyAnnotations } from "../../mesh/meshed.ts";
import type { Protocol } from "../../mesh/pod-set.ts";
import { includes, opaquePorts } from "../../mesh/ports.ts";
import { targetOf, tcpServicePorts } from "../../mesh/services.ts";

/** A port of a set of pods, as the manifests describe it. */
export interface DescribedPort {
  readonly key: string;
  readonly port: number;
  readonly protocol: Protocol;
  /** Reason why the value of `protocol` was chosen. Null if the kind of a probe specifies the protocol. */
  readonly guess: string | null;
  /** Kind of the probe, if this port has a probe that Linkerd does not allow by default. Otherwise null. */
  readonly guardedProbe: "gRPC" | "HTTPS" | "HTTP on an opaque port" | null;
  /**
   * Whether the API server probably calls a webhook on this port, because the name of the port contains `webhook` or
   * `admission`.
   */
  readonly isWebhook: boolean;
}

/** Properties of a port that the manifests specify. */
interface PortFacts {
  readonly port: number;
  /** Name of the container port; null if the port has no name. */
  readonly name: string | null;
  /** Names of the Service ports that target this port. */
  readonly serviceNames: readonly string[];
  readonly appProtocols: readonly string[];
  readonly probes: readonly Probe["kind"][];
  readonly image: string;
  /**
   * Whether the port is opaque. The list of opaque ports is in an annotation of the pods or of their namespace. Without
   * this annotation, Linkerd's default list applies.
   */
  readonly opaque: boolean;
}

/**
 * Returns the ports of a workload's pods: the TCP ports that the containers declare, and undeclared ports that a
 * Service targets or a probe uses.
 */
export function describedPorts(workload: Workload, stream: ManifestSet): DescribedPort[] {
  const facts = factsOf(workload, stream);
  const used = new Set<string>();
  return facts.map((each) => {
    const { protocol, guess } = protocolOf(each);
    const wanted = keyOf(each, protocol);
    const key = used.has(wanted) ? `port-${each.port}` : wanted;
    used.add(key);
    return { key, port: each.port, protocol, guess, guardedProbe: guardedProbe(each, protocol), isWebhook: isWebhook(each) };
  });
}

function factsOf(workload: Workload, stream: ManifestSet): PortFacts[] {
  const containers = containersOf(workload).map(({ container }) => container);
  const probes = containers.flatMap(probesOf);
  const ofService = stream
    .servicesOf(workload)
    .flatMap((service) => tcpServicePorts(service).map((port) => ({ ...port, target: targetOf(port, workload) })));
  const declared = containers.flatMap((container) =>
    tcpPortsOf(container).map((port) => ({ ...port, image: String(container["image"] ?? "") })),
  );
  const others = [...ofService.map(({ target }) => target), ...probes.map(({ port }) => port)];
  const undeclared = [...new Set(others)].filter(
    (port): port is number => port !== null && declared.every((each) => each.port !== port),
  );
  const all = [...declared, ...undeclared.map((port) => ({ port, name: null, image: "" }))];
  const distinct = [...new Map(all.map((each) => [each.port, each])).values()];
  return distinct.map((each) => {
    const own = ofService.filter(({ target }) => target === each.port);
    return {
      ...each,
      serviceNames: own.flatMap(({ name }) => name ?? []),
      appProtocols: own.flatMap(({ appProtocol }) => appProtocol ?? []),
      probes: probes.filter(({ port }) => port === each.port).map(({ kind }) => kind),
      opaque: includes(opaquePorts(proxyAnnotations(workload, stream), workload), each.port),
    };
  });
}

/** Names of images of servers that use a protocol other than HTTP, such as databases. */
const otherProtocols =
  /(^|\/)(mysql|mariadb|percona|postgres|postgresql|redis|valkey|memcached|mongo|mongodb|kafka|rabbitmq|nats|etcd|cassandra|postfix)(-server)?(:|@|$)/;
const otherNames = /^(tcp-)?(mysql|mariadb|postgres|postgresql|redis|memcached|mongo|mongodb|kafka|amqp|nats|smtp)/;

function protocolOf(facts: PortFacts): { readonly protocol: Protocol; readonly guess: string | null } {
  const { name, serviceNames, appProtocols, probes, image, opaque } = facts;
  const names = [name, ...serviceNames].filter((each) => each !== null);
  const named = (pattern: RegExp): string | undefined => [...names, ...appProtocols].find((each) => pattern.test(each));
  // Check first whether the port is opaque: if a Server specified HTTP or gRPC for a port that the pods mark as opaque,
  // Linkerd would refuse the connections to this port.
  if (opaque) return { protocol: "opaque", guess: "opaque, because the pods or Linkerd's defaults mark this port as opaque" };
  if (probes.includes("grpc")) return { protocol: "gRPC", guess: null };
  if (probes.includes("https")) return { protocol: "TLS", guess: null };
  const grpc = named(/grpc/i);
  if (grpc !== undefined) return { protocol: "gRPC", guess: `gRPC, because the name or the appProtocol of the port is ${grpc}` };
  const other = named(otherNames);
  if (other !== undefined)
    return { protocol: "opaque", guess: `opaque, because the name or the appProtocol of the port is ${other}` };
  if (probes.includes("http")) return { protocol: "HTTP/1", guess: null };
  const tls = named(/^(https|tls|ssl)/i);
  if (tls !== undefined) return { protocol: "TLS", guess: `TLS, because the name or the appProtocol of the port is ${tls}` };
  if (named(/h2c|http2/i) !== undefined)
    return { protocol: "HTTP/2", guess: "HTTP/2, because the name of the port or its appProtocol contains h2c or http2" };
  const http = named(/^(http|web|metrics|prom|admin|ui|api)/i);
  if (http !== undefined)
    return { protocol: "HTTP/1", guess: `HTTP/1, because the name or the appProtocol of the port is ${http}` };
  if (otherProtocols.test(image)) return { protocol: "opaque", guess: "opaque, because of the name of the image" };
  return { protocol: "unknown", guess: "the manifests do not show the protocol, so the proxy detects it" };
}

function keyOf({ port, name, serviceNames }: PortFacts, protocol: Protocol): string {
  const byProtocol: Readonly<Partial<Record<Protocol, string>>> = {
    gRPC: "grpc",
    "HTTP/1": "http",
    "HTTP/2": "http",
    TLS: "https",
  };
  const wanted = name ?? serviceNames.find((each) => each !== "") ?? byProtocol[protocol] ?? `port-${port}`;
  const key = wanted
    .toLowerCase()
    .replace(/^tcp-(?=[a-z])/, "")
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 30);
  return key === "" ? `port-${port}` : key;
}

function isWebhook({ name, serviceNames }: PortFacts): boolean {
  return [name, ...serviceNames].some((each) => each !== null && /webhook|admission/.test(each));
}

function guardedProbe({ probes }: PortFacts, protocol: Protocol): DescribedPort["guardedProbe"] {
  if (probes.includes("grpc")) return "gRPC";
  if (probes.includes("https")) return "HTTPS";
  return probes.includes("http") && protocol === "opaque" ? "HTTP on an opaque port" : null;
}
