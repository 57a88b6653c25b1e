import { chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf } from "../../kubernetes/workload.ts";
import { workloadIsMeshed } from "../../mesh/meshed.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about UDP traffic, which bypasses the proxy, and about TrafficSplits, which Linkerd itself does not read. */
export const trafficRules: readonly ManifestRule[] = [
  {
    code: "udp-unmeshed",
    severity: "warning",
    title: "A meshed pod listens on a UDP port",
    why: "The proxy handles only TCP. UDP traffic bypasses the proxy, so UDP traffic has no mutual TLS, no policy and no metrics. `linkerd inject` also prints a warning about UDP ports (linkerd2, pkg/inject/report.go).",
    fix: "Protect the UDP port with a NetworkPolicy. If the UDP traffic needs no protection, silence the rule.",
    check: udpPorts,
  },
  {
    code: "traffic-split-ignored",
    severity: "warning",
    title: "A TrafficSplit has no effect without Linkerd's SMI extension",
    why: "Since Linkerd 2.12, only the SMI extension reads TrafficSplits (linkerd.io, “Linkerd-SMI”). Without the extension, the cluster has no CRD for TrafficSplits, so the API server rejects the object. If the CRD still exists, Linkerd sends all requests to the Service itself and ignores the weights.",
    fix: "Use an HTTPRoute or a GRPCRoute with weights instead, or install the extension linkerd-smi.",
    check: trafficSplits,
  },
];

function* udpPorts(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes") continue;
    for (const { container, path } of containersOf(workload))
      for (const [index, port] of listOf(container["ports"]).map(asMap).entries()) {
        if (port["protocol"] !== "UDP") continue;
        yield {
          manifest: workload.manifest,
          path: [...path, "ports", index, "protocol"],
          message: `traffic to UDP port ${String(port["containerPort"])} bypasses the proxy. This traffic has no mutual TLS and no policy`,
          fix: "protect the port with a NetworkPolicy",
        };
      }
  }
}

function* trafficSplits(stream: ManifestSet): Iterable<ManifestFinding> {
  const installed =
    stream.workloads.some(({ manifest }) => manifest.name === "smi-adaptor") ||
    stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease").some((release) => chartOf(release)["chart"] === "linkerd-smi") ||
    stream.ofKind("argoproj.io", "Application").some((application) => chartsOf(application).includes("linkerd-smi"));
  if (installed) return;
  // Ignore the TrafficSplits with this label, because they belong to linkerd-failover. The documentation of
  // linkerd-failover already requires linkerd-smi.
  const splits = stream
    .ofKind("split.smi-spec.io", "TrafficSplit")
    .filter(({ value }) => at(value, "metadata", "labels", "failover.linkerd.io/controlled-by") === undefined);
  // Report only one finding for all TrafficSplits, because one extension reads all of them.
  for (const manifest of splits.slice(0, 1))
    yield {
      manifest,
      path: ["kind"],
      message:
        "this TrafficSplit has no effect without Linkerd's SMI extension. The checked objects do not contain this extension",
      fix: "if the cluster does not have the extension, install linkerd-smi, or use an HTTPRoute or a GRPCRoute with weights",
    };
}

/** Returns the names of the charts that an Application of Argo CD installs. */
function chartsOf(application: Manifest): unknown[] {
  const { source, sources } = specOf(application);
  return [source, ...listOf(sources)].map((each) => at(each, "chart"));
}
