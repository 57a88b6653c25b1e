import { readFileSync } from "node:fs";
import { plainPatches } from "../../generator/bundle/emit/patches.ts";
import { render } from "../../generator/bundle/render.ts";
import type { LinkerdRelease } from "../../generator/catalog/linkerd.ts";
import { type ComponentModel, releaseOf } from "../../generator/components/model.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { field, objectsIn, pick } from "./objects.ts";
import type { Attempt, Cluster, Peer, Sidecar } from "./policy-evaluator.ts";
import { environmentOf, sampleIdentity } from "./specs.ts";
import { referenceFolder } from "./tools.ts";

/** Values of `dgraph.internalPorts` in a spec. */
export const modes = ["opaque", "skip", "mesh"] as const;
export type Mode = (typeof modes)[number];

/** The ends of connections, keyed by name: clients of Dgraph, attackers, Dgraph's own pods, and the kubelet. */
export type Peers = Readonly<Record<string, Peer>>;

/** Returns an attempt of one peer to connect to another peer. @param get path of a `GET` request */
export function attempt(
  peers: Readonly<Record<string, Peer | undefined>>,
  from: string,
  to: string,
  port: number,
  get?: string,
): Attempt {
  const [source, target] = [peers[from], peers[to]];
  if (source === undefined || target === undefined) throw new Error(`unknown peer: ${from} or ${to}`);
  return { from: source, to: target, port, ...(get === undefined ? {} : { get }) };
}

/**
 * Returns a cluster with the policies that meshops generates for Dgraph, and the peers in this cluster. The pods of
 * Dgraph have the labels from the reference data, and the annotations from the generated values and patches.
 */
export function clusterOf(track: LinkerdRelease, internalPorts: Mode, chart: string): { cluster: Cluster; peers: Peers } {
  const environment = environmentOf({
    linkerd: { version: track.version },
    dgraph: {
      chart,
      internalPorts,
      clients: [
        { namespace: "pydgraph-client", serviceAccount: "pydgraph-client" },
        { namespace: "reports", serviceAccount: "reader", ports: ["http"] },
        { namespace: "loader", serviceAccount: "writer", ports: ["grpc"] },
      ],
    },
  });
  const { bundle, model } = render({ environment, identity: sampleIdentity() });
  const objects = [...bundle].flatMap(([path, text]) =>
    /^overlays\/test\/dgraph-policy\/(?!kustomization)/.test(path) ? objectsIn(text) : [],
  );
  const component = model.components.find(({ id }) => id === "dgraph");
  if (component === undefined) throw new Error("there is no component dgraph");
  const proxy: Sidecar = { opaque: [], skipInbound: [], skipOutbound: [] };
  const meshed = { "linkerd.io/control-plane-ns": "linkerd" };
  const pod = (namespace: string, serviceAccount: string, more: Partial<Peer> = {}): Peer => ({
    namespace,
    serviceAccount,
    labels: {},
    proxy: null,
    probes: [],
    kubelet: false,
    ...more,
  });
  const viz = objectsIn(read(`linkerd-viz/${track.charts["linkerd-viz"]}`));
  const vizPod = (name: string): Peer =>
    pod("linkerd-viz", name, { labels: { ...podLabels(pick(viz, "Deployment", name)), ...meshed }, proxy });
  return {
    cluster: { objects, transportHeader: track.traits.transportHeader },
    peers: {
      alpha: dgraphPod("alpha", chart, component),
      zero: dgraphPod("zero", chart, component),
      "unmeshed client": pod("pydgraph-client", "pydgraph-client"),
      "unmeshed neighbour": pod("dgraph", "default"),
      "label forger": pod("pydgraph-client", "pydgraph-client", { labels: meshed }),
      "dgraph forger": pod("dgraph", "default", { labels: { app: "dgraph", release: "demo", component: "alpha", ...meshed } }),
      "listed client": pod("pydgraph-client", "pydgraph-client", { labels: meshed, proxy }),
      "http client": pod("reports", "reader", { labels: meshed, proxy }),
      "grpc client": pod("loader", "writer", { labels: meshed, proxy }),
      "unlisted account": pod("pydgraph-client", "somebody-else", { labels: meshed, proxy }),
      "unlisted namespace": pod("elsewhere", "pydgraph-client", { labels: meshed, proxy }),
      "viz prometheus": vizPod("prometheus"),
      "viz tap": vizPod("tap"),
      kubelet: pod("", "", { kubelet: true }),
    },
  };
}

/**
 * Returns a pod of Dgraph. Its labels, service account and probes are from the reference data. Its proxy has the
 * settings in the annotations of the generated patches or values.
 */
function dgraphPod(role: "alpha" | "zero", chart: string, component: ComponentModel): Peer {
  const workload = pick(objectsIn(read(`dgraph/${chart}`)), "StatefulSet", `demo-dgraph-${role}`);
  const patch = plainPatches(component.patches).find(
    ({ kind, metadata }) => kind === "StatefulSet" && metadata.name === workload.metadata.name,
  );
  const annotations = (field(patch, "spec", "template", "metadata", "annotations") ??
    field(releaseOf(component)?.values, role, "extraAnnotations")) as Record<string, string>;
  if (annotations["linkerd.io/inject"] !== "enabled") throw new Error(`${role} is not injected`);
  const ports = (name: string): number[] =>
    (annotations[`config.linkerd.io/${name}`] ?? "").split(",").filter(Boolean).map(Number);
  const [container] = field(workload, "spec", "template", "spec", "containers") as Record<
    string,
    { httpGet?: { port: number; path: string } }
  >[];
  return {
    namespace: "dgraph",
    labels: { ...podLabels(workload), "linkerd.io/control-plane-ns": "linkerd" },
    serviceAccount: String(field(workload, "spec", "template", "spec", "serviceAccountName") ?? "default"),
    proxy: {
      opaque: ports("opaque-ports"),
      skipInbound: ports("skip-inbound-ports"),
      skipOutbound: ports("skip-outbound-ports"),
    },
    probes: ["livenessProbe", "readinessProbe", "startupProbe"].flatMap((probe) => container?.[probe]?.httpGet ?? []),
    kubelet: false,
  };
}

function podLabels(workload: KubernetesObject): Record<string, string> {
  return field(workload, "spec", "template", "metadata", "labels") as Record<string, string>;
}

function read(path: string): string {
  return readFileSync(`${referenceFolder}charts/${path}/rendered.yaml`, "utf8");
}
