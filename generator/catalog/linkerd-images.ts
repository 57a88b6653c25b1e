import type { Image } from "./image.ts";
import type { LinkerdChart, LinkerdRelease } from "./linkerd.ts";

/**
 * Returns the images that a chart of a Linkerd release runs. These are the images in the rendered chart. `Image.runs`
 * specifies when an image runs.
 */
export function linkerdImages(release: LinkerdRelease, chart: LinkerdChart): readonly Image[] {
  const linkerd = (name: string, tag: string = release.version, runs: Image["runs"] = "pod"): Image => ({
    name: `cr.l5d.io/linkerd/${name}`,
    tag,
    runs,
  });
  const third = (name: string, tag: string): Image => ({ name: `docker.io/${name}`, tag, runs: "pod" });
  const job = release.traits.extensionJob === "always" ? "pod" : "install-job";
  const { proxyInit, policyController, extensionInit, prometheus, collector } = release.images;
  switch (chart) {
    case "linkerd-crds":
      return [];
    case "linkerd-control-plane":
      return [
        linkerd("controller"),
        linkerd("debug", release.version, "on-demand"),
        ...(policyController ? [linkerd("policy-controller")] : []),
        linkerd("proxy"),
        ...(proxyInit === null ? [] : [linkerd("proxy-init", proxyInit)]),
      ];
    case "linkerd-viz":
      return [
        linkerd("extension-init", extensionInit, job),
        linkerd("metrics-api"),
        linkerd("tap"),
        linkerd("web"),
        third("prom/prometheus", prometheus),
      ];
    case "linkerd-jaeger":
      return [
        linkerd("extension-init", extensionInit, job),
        linkerd("jaeger-webhook"),
        third("jaegertracing/all-in-one", "1.31"),
        ...(collector === null ? [] : [{ ...collector, runs: "pod" as const }]),
      ];
  }
}
