import { type DgraphRole, dgraphChart, dgraphPorts } from "../../catalog/dgraph.ts";
import { linkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import { guardedPorts } from "../../components/dgraph-policy/authorization.ts";
import type { Model } from "../../components/model.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { groupBy } from "../../system/data.ts";
import type { Graph, GraphEdge, GraphNode } from "./model.ts";

const roles: readonly DgraphRole[] = ["alpha", "zero"];
const everybody = "everybody else";

/** Who may talk to Dgraph, on which port and by which identity, as the policies of the environment say. */
export function trafficOf({ environment }: Model): Graph {
  const { dgraph, linkerd } = environment.spec;
  const closed = dgraph.networkPolicy;
  return {
    title: `${environment.metadata.name}: who may talk to Dgraph`,
    direction: "right",
    caption: closed
      ? `${arrival(environment)} The paths of HTTP probes answer a pod's own node, and whoever the network lets through.`
      : "There is no policy: dgraph.networkPolicy is false.",
    boxes: [
      ...clientBoxes(environment),
      ...(linkerd.viz.enabled ? vizBoxes : []),
      outsiders,
      ...roles.map((role) => dgraphBox(environment, role)),
    ],
    arrows: [
      ...(closed ? clientArrows(environment) : []),
      ...peerArrows(environment),
      ...(linkerd.viz.enabled ? roles.flatMap(vizArrows) : []),
      ...roles.map(
        (role): GraphEdge =>
          closed
            ? { from: everybody, to: name(role), lines: ["refused"], kind: "refused" }
            : { from: everybody, to: name(role), lines: ["every port"], kind: "open" },
      ),
    ],
  };
}

function arrival({ spec: { linkerd } }: Environment): string {
  return linkerdRelease(linkerd.version).traits.transportHeader
    ? `Connections between proxies arrive at port ${proxyPorts.inbound}, whatever port was dialled, with mutual TLS.`
    : "Connections between proxies arrive at the port that was dialled, with mutual TLS.";
}

function name(role: DgraphRole): string {
  return `Dgraph ${role === "alpha" ? "Alpha" : "Zero"}`;
}

function dgraphBox({ spec: { dgraph } }: Environment, role: DgraphRole): GraphNode {
  const { serviceAccount } = dgraphChart(dgraph.chart).traits;
  return {
    name: name(role),
    lines: [name(role), `${dgraph[role].replicas} pods in ${dgraph.namespace}`, `identity ${dgraph.namespace}/${serviceAccount}`],
    family: "dgraph",
    shape: "store",
  };
}

function clientName({ namespace, serviceAccount }: { namespace: string; serviceAccount: string }): string {
  return `${namespace}/${serviceAccount}`;
}

function clientBoxes({ spec: { dgraph } }: Environment): GraphNode[] {
  return [...groupBy(dgraph.clients, clientName).keys()].map((client) => ({
    name: client,
    lines: ["client", `identity ${client}`],
    family: "meshops",
    shape: "box",
  }));
}

/** One arrow a client and role, with every port that it may use. */
function clientArrows(environment: Environment): GraphEdge[] {
  const ports = guardedPorts(environment, dgraphChart(environment.spec.dgraph.chart));
  return environment.spec.dgraph.clients
    .map(clientName)
    .filter((client, index, all) => all.indexOf(client) === index)
    .flatMap((client) =>
      [
        ...groupBy(
          ports.filter(({ accounts }) => accounts.some((account) => clientName(account) === client)),
          ({ role }) => role,
        ),
      ].map(
        ([role, own]): GraphEdge => ({
          from: client,
          to: name(role as DgraphRole),
          lines: own.map(({ port, protocol }) => `${port} ${protocol}`),
          kind: "allowed",
        }),
      ),
    );
}

function peerArrows({ spec: { dgraph } }: Environment): GraphEdge[] {
  const skipped = dgraph.internalPorts === "skip";
  return roles.flatMap((from) =>
    roles.map((to): GraphEdge => {
      const port = dgraphPorts[to].internal;
      return {
        from: name(from),
        to: name(to),
        lines: [
          skipped ? `${port} past the proxy, no identity` : `${port} Raft${dgraph.internalPorts === "opaque" ? ", opaque" : ""}`,
        ],
        kind: skipped || !dgraph.networkPolicy ? "open" : "allowed",
      };
    }),
  );
}

const vizBoxes: readonly GraphNode[] = [
  { name: "viz Prometheus", lines: ["viz Prometheus", "identity linkerd-viz/prometheus"], family: "linkerd", shape: "box" },
  { name: "viz tap", lines: ["viz tap", "identity linkerd-viz/tap"], family: "linkerd", shape: "box" },
];

function vizArrows(role: DgraphRole): GraphEdge[] {
  return [
    { from: "viz Prometheus", to: name(role), lines: [`${proxyPorts.admin} metrics`], kind: "allowed" },
    { from: "viz tap", to: name(role), lines: [`${proxyPorts.control} tap`], kind: "allowed" },
  ];
}

const outsiders: GraphNode = {
  name: everybody,
  lines: [everybody, "no proxy, or another identity"],
  family: "outside",
  shape: "stranger",
};
