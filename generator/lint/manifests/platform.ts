import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { goneImage } from "../../catalog/removed-images.ts";
import { gatewayGroup } from "../../catalog/well-known.ts";
import { imageGone } from "../../components/image-gone.ts";
import { failAlone } from "../../components/linkerd-control-plane/rules.ts";
import { chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { mapAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf } from "../../kubernetes/workload.ts";
import { serviceNamed } from "../../mesh/services.ts";
import { asMap, listOf } from "../../system/data.ts";
import { folderOf } from "../../system/text.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about Linkerd's control plane, CRDs and extensions, and about images that can no longer be pulled. */
export const platformRules: readonly ManifestRule[] = [
  {
    code: "gateway-api-owners",
    severity: "error",
    title: "The Gateway API CRDs are installed twice",
    why:
      "Each of the two installations overwrites the CRDs of the other installation. If you remove the installation that wrote the CRDs last, Kubernetes deletes the CRDs and all routes. If `installGatewayAPI` is true, Linkerd's chart installs " +
      "the experimental channel of the CRDs. While this channel is installed, the managed Gateway API of AKS does not start (learn.microsoft.com, “Managed Gateway API”).",
    fix: "Install the CRDs only once: set `installGatewayAPI: false` in linkerd-crds (`linkerd.gatewayApi: external` in a spec), or remove the other installation of the CRDs.",
    check: gatewayOwners,
  },
  {
    code: "jaeger-extension-removed",
    severity: "error",
    title: "This Linkerd release does not support the installed jaeger extension",
    why: "Linkerd 2.19 (edge-25.10) and later releases do not include linkerd-jaeger (linkerd2#14558). In these releases, proxies send traces to the collector that the value `proxy.tracing` of the chart linkerd-control-plane specifies. The webhook of linkerd-jaeger writes annotations that have no effect.",
    fix: "Remove linkerd-jaeger, run your own collector, and set `proxy.tracing`. If you use a spec, set `linkerd.jaeger.enabled: true`. meshops then removes linkerd-jaeger, installs a collector, and sets `proxy.tracing`.",
    check: removedJaeger,
  },
  { ...failAlone, check: failWithoutReplicas },
  { ...imageGone, check: goneImages },
];

function* gatewayOwners(stream: ManifestSet): Iterable<ManifestFinding> {
  const crds = stream
    .ofKind("apiextensions.k8s.io", "CustomResourceDefinition")
    .filter(({ name }) => name.endsWith(`.${gatewayGroup}`));
  const first = new Map<string, Manifest>();
  const told = new Set<string>();
  for (const manifest of crds) {
    const other = first.get(manifest.name);
    // Report only one finding for each pair of files, even if the two files define several of the same CRDs.
    const pair = `${manifest.source.file} ${other?.source.file}`;
    if (other === undefined) first.set(manifest.name, manifest);
    else if (!told.has(pair)) {
      told.add(pair);
      yield {
        manifest,
        path: ["metadata", "name"],
        message: `this file and ${other.source.file} both define the CRD ${manifest.name}`,
        fix: "remove one of the two definitions",
        // Files in different folders might be for different clusters, so the finding is only a warning.
        severityOverride: folderOf(manifest.source.file) !== folderOf(other.source.file),
      };
    }
  }
  const [crd] = crds;
  for (const manifest of helmReleases(stream, "linkerd-crds")) {
    const { installGatewayAPI } = mapAt(specOf(manifest), "values");
    if (crd === undefined || installGatewayAPI !== true) continue;
    const message = `both this chart and ${crd.source.file} install the Gateway API CRDs`;
    yield {
      manifest,
      path: ["spec", "values", "installGatewayAPI"],
      message,
      fix: "set installGatewayAPI: false, or remove the CRDs from the other file",
    };
  }
}

function* removedJaeger(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  if (release === null || release.traits.tracing === "jaeger-chart") return;
  const webhooks = stream
    .ofKind("admissionregistration.k8s.io", "MutatingWebhookConfiguration")
    .filter(({ name }) => name === "linkerd-jaeger-injector-webhook-config");
  for (const manifest of [...helmReleases(stream, "linkerd-jaeger"), ...webhooks])
    yield {
      manifest,
      path: ["metadata", "name"],
      message: `Linkerd ${release.version} does not support the extension linkerd-jaeger. Linkerd 2.19 and later releases do not include this extension`,
      fix: "remove the extension, and set proxy.tracing in the values of linkerd-control-plane",
    };
}

function helmReleases(stream: ManifestSet, chart: string): Manifest[] {
  return stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease").filter((release) => chartOf(release)["chart"] === chart);
}

/** Yields a finding for each webhook of Linkerd that has `failurePolicy: Fail` and a server with a single replica. */
function* failWithoutReplicas(stream: ManifestSet): Iterable<ManifestFinding> {
  const configurations = stream.ofKind(
    "admissionregistration.k8s.io",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
  );
  for (const manifest of configurations.filter(({ name }) => name.startsWith("linkerd-")))
    for (const [index, webhook] of listOf(manifest.value["webhooks"]).map(asMap).entries()) {
      if (webhook["failurePolicy"] !== "Fail") continue;
      const { name, namespace } = mapAt(webhook["clientConfig"], "service");
      const service = serviceNamed(stream, String(name), String(namespace));
      if (service === null) continue;
      const servers = stream.workloadsOf(service);
      const replicas = servers.reduce((sum, { manifest: owner }) => sum + Number(specOf(owner)["replicas"] ?? 1), 0);
      if (replicas !== 1) continue;
      const message = `the server of the webhook ${String(webhook["name"])} has only one replica. While this replica is down, the API server rejects all requests that this webhook must check (failurePolicy: Fail)`;
      yield {
        manifest,
        path: ["webhooks", index, "failurePolicy"],
        message,
        fix: "run three replicas, or set failurePolicy: Ignore",
      };
    }
}

function* goneImages(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads)
    for (const { container, path } of containersOf(workload)) {
      const found = typeof container["image"] === "string" ? goneImage(container["image"]) : null;
      if (found !== null) yield { manifest: workload.manifest, path: [...path, "image"], ...found };
    }
}
