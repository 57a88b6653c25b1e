import type { LinkerdChart, LinkerdRelease } from "../../generator/catalog/linkerd-release.ts";
import { at } from "../../generator/kubernetes/object-fields.ts";
import type { DerivedChart } from "./chart-facts.ts";

/** The catalog entry of a Linkerd release. */
export interface DerivedRelease {
  readonly release: LinkerdRelease;
  /**
   * Fields that charts do not contain. `deriveRelease` copies the values of these fields from the nearest older
   * release.
   */
  readonly inherited: readonly string[];
}

/**
 * Returns the catalog entry of a Linkerd release. Derives most fields from the charts of the release.
 *
 * @param nearest the nearest older release, from which the function copies the fields that charts do not contain
 * @param maxKubernetes newest Kubernetes version that the documentation lists for the release, if it is known
 * @throws Error if a required chart is missing
 */
export function deriveRelease(
  version: string,
  charts: Partial<Record<LinkerdChart, DerivedChart>>,
  nearest: LinkerdRelease,
  maxKubernetes: string | null,
): DerivedRelease {
  const chart = (name: LinkerdChart): DerivedChart => {
    const found = charts[name];
    if (found === undefined) throw new Error(`the chart ${name} of ${version} is missing`);
    return found;
  };
  const [crds, plane, viz] = [chart("linkerd-crds"), chart("linkerd-control-plane"), chart("linkerd-viz")];
  const jaeger = charts["linkerd-jaeger"];
  const value = (...path: readonly string[]): unknown => at(plane.values, ...path);
  const tag = (path: unknown): string => String(path);
  const served = (plural: string): string => newest(crds.facts.crds[`${plural}.policy.linkerd.io`] ?? []);
  const gatewayApi = "installGatewayAPI" in crds.values ? "installGatewayAPI" : "enableHttpRoutes";
  const release: LinkerdRelease = {
    version,
    channel: version.startsWith("edge-") ? "edge" : "stable",
    minKubernetes: /\d+\.\d+/.exec(plane.facts.kubeVersion ?? "")?.[0] ?? nearest.minKubernetes,
    maxKubernetes: maxKubernetes ?? nearest.maxKubernetes,
    charts: {
      "linkerd-crds": crds.facts.version,
      "linkerd-control-plane": plane.facts.version,
      "linkerd-viz": viz.facts.version,
      ...(jaeger === undefined ? {} : { "linkerd-jaeger": jaeger.facts.version }),
    },
    crds: Object.keys(crds.facts.crds)
      .filter((name) => !name.endsWith(".gateway.networking.k8s.io"))
      .sort(),
    images: {
      proxyInit: value("proxyInit", "image", "version") === undefined ? null : tag(value("proxyInit", "image", "version")),
      policyController: value("policyController", "image", "name") !== undefined,
      extensionInit: tag(at(viz.values, "namespaceMetadata", "image", "tag")),
      prometheus: tag(at(viz.values, "prometheus", "image", "tag")),
      collector: jaeger === undefined ? null : collectorOf(jaeger),
    },
    traits: {
      transportHeader: value("proxy", "outboundTransportMode") === "transport-header",
      nativeSidecar: value("proxy", "nativeSidecar") === true,
      tracing: value("proxy", "tracing") === undefined ? "jaeger-chart" : "built-in",
      controlPlaneTracing: nearest.traits.controlPlaneTracing,
      collectorIdentity: nearest.traits.collectorIdentity,
      gatewayApi: { value: gatewayApi, default: crds.values[gatewayApi] === true },
      extensionJob: at(viz.values, "createNamespaceMetadataJob") === undefined ? "always" : "optional",
      ipv6: value("disableIPv6") !== undefined,
      grpcRoute: nearest.traits.grpcRoute,
      policyApi: {
        server: served("servers") as LinkerdRelease["traits"]["policyApi"]["server"],
        authorizationPolicy: served("authorizationpolicies") as "v1alpha1",
        httpRoute: served("httproutes") as "v1beta3",
      },
    },
  };
  const inherited = ["traits.controlPlaneTracing", "traits.collectorIdentity", "traits.grpcRoute"];
  return { release, inherited: [...(maxKubernetes === null ? ["maxKubernetes"] : []), ...inherited] };
}

function collectorOf({ values }: DerivedChart): { name: string; tag: string } {
  const { name, version } = at(values, "collector", "image") as { name: string; version: string };
  return { name: /^[^/]+\.[^/]+\//.test(name) ? name : `docker.io/${name}`, tag: version };
}

/** Returns the newest of several API versions. Kubernetes' order is `v1`, `v1beta3`, `v1beta1`, `v1alpha1`. */
function newest(versions: readonly string[]): string {
  const rank = (version: string): number => {
    const [, major = "0", stage, minor = "0"] = /^v(\d+)(alpha|beta)?(\d+)?$/.exec(version) ?? [];
    return (stage === undefined ? 2e6 : stage === "beta" ? 1e6 : 0) + Number(major) * 1e3 + Number(minor);
  };
  return [...versions].sort((a, b) => rank(b) - rank(a))[0] ?? "";
}
