import { goneImage } from "../../catalog/gone-images.ts";
import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { imageGone } from "../../components/image-gone.ts";
import { failAlone } from "../../components/linkerd-control-plane/rules.ts";
import { chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { containersOf, listOf } from "../../kubernetes/workload.ts";
import { serviceNamed } from "../../mesh/services.ts";
import { asMap } from "../../system/data.ts";
import { folderOf } from "../../system/text.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** The control plane, its CRDs and extensions, and images. */
export const platformRules: readonly ManifestRule[] = [
  {
    code: "gateway-api-owners",
    severity: "error",
    title: "Two owners of the Gateway API's CRDs",
    why:
      "Each owner puts its own version over the other's, and who leaves last takes every route with it. Linkerd's chart brings the experimental channel " +
      "where `installGatewayAPI` is true; AKS's managed Gateway API refuses to start beside it (learn.microsoft.com, “Managed Gateway API”).",
    fix: "Let one own them: `installGatewayAPI: false` in linkerd-crds (`linkerd.gatewayApi: external` in a spec), or nobody else.",
    check: gatewayOwners,
  },
  {
    code: "jaeger-extension-removed",
    severity: "error",
    title: "The jaeger extension beside a Linkerd that has dropped it",
    why: "Linkerd 2.19 (edge-25.10) and later have no linkerd-jaeger (linkerd2#14558): proxies are told of a collector by the control plane's `proxy.tracing`, and the extension's webhook writes annotations that nobody reads.",
    fix: "Remove linkerd-jaeger, run a collector of your own, and set `proxy.tracing` (`linkerd.jaeger.enabled` in a spec does all of it).",
    check: removedJaeger,
  },
  { ...failAlone, check: failWithoutReplicas },
  { ...imageGone, check: goneImages },
];

const gatewayGroup = "gateway.networking.k8s.io";

function* gatewayOwners(stream: ManifestSet): Iterable<ManifestFinding> {
  const crds = stream
    .ofKind("apiextensions.k8s.io", "CustomResourceDefinition")
    .filter(({ name }) => name.endsWith(`.${gatewayGroup}`));
  const first = new Map<string, Manifest>();
  for (const manifest of crds) {
    const other = first.get(manifest.name);
    if (other === undefined) first.set(manifest.name, manifest);
    else
      yield {
        manifest,
        path: ["metadata", "name"],
        message: `${manifest.name} stands in ${other.source.file} too`,
        fix: "keep one",
        // Those of two folders may be two clusters'.
        mild: folderOf(manifest.source.file) !== folderOf(other.source.file),
      };
  }
  const [crd] = crds;
  for (const manifest of helmReleases(stream, "linkerd-crds")) {
    const { installGatewayAPI } = asMap(specOf(manifest)["values"]);
    if (crd === undefined || installGatewayAPI !== true) continue;
    const message = `this chart installs the Gateway API's CRDs, and ${crd.source.file} does so too`;
    yield {
      manifest,
      path: ["spec", "values", "installGatewayAPI"],
      message,
      fix: "set installGatewayAPI: false, or leave the CRDs out",
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
      message: `Linkerd ${release.version} reads nothing of the jaeger extension, which ended before edge-25.10.7`,
      fix: "remove it, and set proxy.tracing of the control plane",
    };
}

function helmReleases(stream: ManifestSet, chart: string): Manifest[] {
  return stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease").filter((release) => chartOf(release)["chart"] === chart);
}

/** Webhooks of Linkerd with `Fail` whose server has a single replica. */
function* failWithoutReplicas(stream: ManifestSet): Iterable<ManifestFinding> {
  const configurations = stream.ofKind(
    "admissionregistration.k8s.io",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
  );
  for (const manifest of configurations.filter(({ name }) => name.startsWith("linkerd-")))
    for (const [index, webhook] of listOf(manifest.value["webhooks"]).map(asMap).entries()) {
      if (webhook["failurePolicy"] !== "Fail") continue;
      const { name, namespace } = asMap(asMap(webhook["clientConfig"])["service"]);
      const service = serviceNamed(stream, String(name), String(namespace));
      if (service === null) continue;
      const servers = stream.workloadsOf(service);
      const replicas = servers.reduce((sum, { manifest: owner }) => sum + Number(specOf(owner)["replicas"] ?? 1), 0);
      if (replicas !== 1) continue;
      const message = `${String(webhook["name"])} has one server, and Fail refuses what it is asked about while that is down`;
      yield { manifest, path: ["webhooks", index, "failurePolicy"], message, fix: "run three replicas, or use Ignore" };
    }
}

function* goneImages(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads)
    for (const { container, path } of containersOf(workload)) {
      const found = typeof container["image"] === "string" ? goneImage(container["image"]) : null;
      if (found !== null) yield { manifest: workload.manifest, path: [...path, "image"], ...found };
    }
}
