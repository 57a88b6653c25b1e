import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { allNetworks, policyGroup as group, proxyPortNames } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { authorize } from "../../mesh/authorization.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { compareText } from "../../system/text.ts";
import type { Component } from "../component.ts";
import { scrapersOf } from "../scrapers.ts";

/**
 * Returns components with policies that allow Prometheus to read the metrics of proxies. There is one component for
 * each namespace in `created` in which proxies can refuse clients without an identity (see `refuses`). Returns no
 * components if viz is disabled and the spec does not set `monitoring.prometheus`. The default inbound policy also
 * applies to the admin port of a proxy (linkerd2#10691), and Prometheus connects to this port without an identity.
 *
 * @param created namespaces that meshops creates
 */
export function proxyMetrics(environment: Environment, created: readonly string[]): Component[] {
  const { viz } = environment.spec.linkerd;
  const scrapers = scrapersOf(environment);
  if (!viz.enabled && scrapers.length === 0) return [];
  // In all charts of the catalog, an annotation of the control plane's pods sets the default inbound policy to
  // `all-unauthenticated`.
  const namespaces = [...new Set(created)].filter((name) => name !== "linkerd" && refuses(name, environment)).sort(compareText);
  const known = scrapers.flatMap((scraper) => ("cidrs" in scraper ? scraper.cidrs : allNetworks));
  const networks = viz.enabled ? allNetworks : [...new Set(known)];
  return namespaces.map((namespace) => ({
    id: `proxy-metrics/${namespace}`,
    group: "meshops",
    needs: [{ component: "linkerd-control-plane" }],
    build: ({ linkerdRelease }) => ({
      namespace,
      delivery: { kind: "objects", helmfile: "release" },
      objects: { authorization: policies(namespace, networks, linkerdRelease) },
      timeoutMinutes: 2,
    }),
  }));
}

/**
 * Whether the default inbound policy of a namespace, or of pods in the namespace, can refuse clients without an
 * identity.
 */
function refuses(namespace: string, environment: Environment): boolean {
  const workloads = Object.values(environment.spec.workloads).filter((workload) => workload.namespace === namespace);
  const ofPods = workloads.flatMap(({ pods }) =>
    Object.values(pods).flatMap(({ proxy }) => proxy["default-inbound-policy"] ?? []),
  );
  return [defaultPolicyIn(namespace, environment), ...ofPods].some(
    (policy) => policy === "deny" || policy.endsWith("-authenticated") || policy === "cluster-unauthenticated",
  );
}

const name = "proxy-metrics";

/**
 * Returns a Server for the admin port of all proxies in a namespace. Also returns a route for the metrics, a route for
 * the probes of the proxy, and the authorizations for both routes. The route for the probes is required, because
 * Linkerd's automatic routes for probes do not apply to a Server with routes. The proxies refuse requests for all other
 * paths of the admin port, such as `/env.json` and `/shutdown`.
 */
function policies(namespace: string, networks: readonly string[], release: LinkerdRelease): KubernetesObject[] {
  const metadata = { name, namespace };
  const { server, httpRoute } = release.traits.policyApi;
  const open = { ...metadata, name: `${name}-probes` };
  return [
    {
      apiVersion: `${group}/${server}`,
      kind: "Server",
      metadata,
      spec: { podSelector: {}, port: proxyPortNames.admin, proxyProtocol: "HTTP/1" },
    },
    route(metadata, ["/metrics"], httpRoute),
    route(open, ["/live", "/ready"], httpRoute),
    ...admit(metadata, networks, release),
    ...admit(open, allNetworks, release),
  ];
}

function route(metadata: KubernetesObject["metadata"], paths: readonly string[], version: string): KubernetesObject {
  const matches = paths.map((value) => ({ method: "GET", path: { type: "Exact", value } }));
  return {
    apiVersion: `${group}/${version}`,
    kind: "HTTPRoute",
    metadata,
    spec: { parentRefs: [{ group, kind: "Server", name }], rules: [{ matches }] },
  };
}

/**
 * Returns the policies that allow clients in the given networks to use the route with the same name as `metadata.name`.
 */
function admit(
  metadata: { readonly name: string; readonly namespace: string },
  networks: readonly string[],
  release: LinkerdRelease,
): KubernetesObject[] {
  const target = { kind: "HTTPRoute", name: metadata.name } as const;
  return authorize(target, metadata, "NetworkAuthentication", { networks: networks.map((cidr) => ({ cidr })) }, release);
}
