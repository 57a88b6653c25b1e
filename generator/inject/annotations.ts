import { asMap } from "../data.ts";
import { includes, parsePorts, resolvePort } from "../review/ports.ts";
import type { Manifest } from "../review/read.ts";
import { annotationsOf, injectKey, type Stream, specOf } from "../review/stream.ts";
import { listOf, type Workload } from "../review/workload.ts";
import type { Change } from "./change.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

const opaqueKey = "config.linkerd.io/opaque-ports";

/** What a workload's pod template says of its proxy, where it does not say so yet. */
export function annotateWorkload(workload: Workload, { spec }: MeshInjection): Change[] {
  const wanted: Readonly<Record<string, string>> = {
    [injectKey]: spec.inject,
    ...portList(opaqueKey, spec.opaquePorts),
    ...portList("config.linkerd.io/skip-inbound-ports", spec.skipInboundPorts),
    ...portList("config.linkerd.io/skip-outbound-ports", spec.skipOutboundPorts),
  };
  return Object.entries(wanted)
    .filter(([key, value]) => workload.annotations[key] !== value)
    .map(([key, value]) => ({
      manifest: workload.manifest,
      path: [...workload.template, "metadata", "annotations", key],
      value,
    }));
}

/**
 * A Service that leads to an opaque port says so too, of its own port: clients' proxies read the pod's annotation for pod addresses, the
 * Service's for cluster addresses (Linkerd docs, "Protocol detection"). What it says already stays.
 */
export function annotateServices(stream: Stream, workloads: readonly Workload[], { spec }: MeshInjection): Change[] {
  const chosen = new Set(workloads.map(({ manifest }) => manifest));
  return stream.ofKind("", "Service").flatMap((service) => {
    const behind = stream.behind(service).filter(({ manifest }) => chosen.has(manifest));
    const said = annotationsOf(service)[opaqueKey];
    const missing = servicePorts(service, behind, spec.opaquePorts).filter((port) => !includes(parsePorts(said), port));
    if (missing.length === 0) return [];
    const value = [...(said === undefined || said === "" ? [] : [String(said)]), ...missing].join(",");
    return [{ manifest: service, path: ["metadata", "annotations", opaqueKey], value }];
  });
}

/** Ports of a Service that lead to one of the named ports of pods. */
function servicePorts(service: Manifest, workloads: readonly Workload[], targets: readonly number[]): number[] {
  return listOf(specOf(service)["ports"])
    .map(asMap)
    .filter(
      ({ port, targetPort = port, protocol = "TCP" }) =>
        protocol === "TCP" && workloads.some((workload) => targets.includes(resolvePort(targetPort, workload) ?? 0)),
    )
    .map(({ port }) => Number(port));
}

function portList(key: string, ports: readonly number[]): Readonly<Record<string, string>> {
  return ports.length === 0 ? {} : { [key]: ports.join(",") };
}
