import { describe, expect, test } from "vitest";
import { type LinkerdRelease, linkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { attempt, clusterOf, type Mode, modes } from "../support/dgraph-peers.ts";
import { withReference } from "../support/guards.ts";
import { judge, type Verdict } from "../support/policy-evaluator.ts";
import { evaluated } from "../support/policy-worlds.ts";

/*
 * Results of connections to Dgraph. The clients are the clients in the blog article, and attackers. Each row contains
 * the client, the server, the port of the server, and the path of an HTTP request. The first three result columns are
 * for Linkerd 2.18 and later releases, which have the transport header. The last three result columns are for Linkerd
 * 2.14. The three columns are for the three modes of the internal ports. `-`: the packets do not arrive. `x`: the proxy
 * rejects the connection. `ok`: the application answers.
 */
const traffic = `
                                              2.18+              2.14
                                              opaque skip mesh   opaque skip mesh
unmeshed client            alpha 8080 /state  -      -    -      -      -    -
unmeshed client            alpha 9080         -      -    -      -      -    -
unmeshed client            alpha 4143         -      -    -      -      -    -
unmeshed client            zero  5080         -      -    -      -      -    -
unmeshed neighbour         alpha 8080 /state  -      -    -      -      -    -
unmeshed neighbour         alpha 7080         -      -    -      -      -    -
unmeshed neighbour         zero  6080 /remove -      -    -      -      -    -
label forger               alpha 8080 /state  -      -    -      x      x    x
label forger               alpha 9080         -      -    -      x      x    x
label forger               alpha 4143         x      x    x      x      x    x
label forger               alpha 7080         -      -    -      -      -    -
label forger               zero  5080         -      -    -      -      -    -
listed client              alpha 8080 /state  ok     ok   ok     ok     ok   ok
listed client              alpha 9080         ok     ok   ok     ok     ok   ok
listed client              alpha 7080         x      -    x      x      -    -
listed client              zero  5080         -      -    -      -      -    -
listed client              zero  6080 /remove -      -    -      -      -    -
http client                alpha 8080 /state  ok     ok   ok     ok     ok   ok
http client                alpha 9080         x      x    x      -      -    -
grpc client                alpha 8080 /state  x      x    x      -      -    -
grpc client                alpha 9080         ok     ok   ok     ok     ok   ok
unlisted account           alpha 8080 /state  x      x    x      x      x    x
unlisted account           alpha 9080         x      x    x      x      x    x
unlisted namespace         alpha 8080 /state  -      -    -      -      -    -
unlisted namespace         alpha 9080         -      -    -      -      -    -
alpha                      zero  5080         ok     ok   ok     ok     ok   ok
alpha                      alpha 7080         ok     ok   ok     ok     ok   ok
alpha                      alpha 8080 /state  x      x    x      -      -    -
alpha                      zero  6080 /remove x      x    x      -      -    -
zero                       alpha 7080         ok     ok   ok     ok     ok   ok
zero                       zero  5080         ok     ok   ok     ok     ok   ok
dgraph forger              alpha 7080         x      ok   x      x      ok   x
dgraph forger              zero  5080         x      ok   x      x      ok   x
viz prometheus             alpha 4191         ok     ok   ok     ok     ok   ok
viz prometheus             zero  4191         ok     ok   ok     ok     ok   ok
viz prometheus             alpha 4190         -      -    -      -      -    -
viz tap                    alpha 4190         ok     ok   ok     ok     ok   ok
viz tap                    zero  4190         ok     ok   ok     ok     ok   ok
viz tap                    alpha 8080 /state  -      -    -      -      -    -
listed client              alpha 4191         -      -    -      -      -    -
kubelet                    alpha 8080 /alter  x      x    x      x      x    x
`;

/**
 * Additional rows for charts whose pods have probes (0.3.0 and later). If a port has a probe, the proxy allows GET
 * requests for the path of the probe from every client whose packets arrive at the proxy. Therefore a request for
 * `/health` does not test the policies of the proxy.
 */
const probes = `
kubelet                    alpha 8080 /health        ok  ok  ok  ok  ok  ok
kubelet                    alpha 8080 /probe/graphql ok  ok  ok  ok  ok  ok
kubelet                    zero  6080 /health        ok  ok  ok  ok  ok  ok
kubelet                    zero  6080 /state         ok  ok  ok  ok  ok  ok
unlisted account           alpha 8080 /health        ok  ok  ok  ok  ok  ok
unmeshed client            alpha 8080 /health        -   -   -   -   -   -
unlisted namespace         alpha 8080 /health        -   -   -   -   -   -
`;

withReference("access to Dgraph", () => {
  describe.each(linkerdReleases.map((track) => [track.version, track] as const))("%s", (_, track) => {
    describe.each(modes)("with internal ports %s", (mode) => {
      test.each(["24.1.4", "0.0.17"] as const)("chart %s", (chart) => {
        const { cluster, peers } = clusterOf(track, mode, chart);
        const rows = parse(chart === "24.1.4" ? traffic + probes : traffic);
        expect(rows.length).toBe(chart === "24.1.4" ? 48 : 41);
        const column = (track.traits.transportHeader ? 0 : 3) + modes.indexOf(mode);
        const seen = rows.map(
          ({ text, from, to, port, get }) => `${text}: ${sign[judge(attempt(peers, from, to, port, get), cluster)]}`,
        );
        expect(seen).toEqual(rows.map(({ text, verdicts }) => `${text}: ${verdicts[column]}`));
        // The policy evaluator of meshops must return the same results. The test leaves out the rows with a port of a
        // proxy, with an HTTP path, or with the kubelet, because this evaluator does not support them.
        const covered = rows.filter(({ from, port, get }) => port > 4191 && get === undefined && from !== "kubelet");
        expect(covered.length).toBeGreaterThan(15);
        for (const { text, from, to, port, verdicts } of covered)
          expect(`${text}: ${sign[evaluated(attempt(peers, from, to, port), cluster, track)]}`).toBe(
            `${text}: ${verdicts[column]}`,
          );
      });
    });
  });

  test("the policy evaluator of the tests throws an error for features that it does not support", () => {
    const { cluster, peers } = clusterOf(linkerdRelease("edge-26.8.3"), "opaque", "24.1.4");
    const others: [string, string, object][] = [
      ["NetworkPolicy", "egress", { podSelector: {}, policyTypes: ["Egress"] }],
      ["NetworkPolicy", "endPort", { podSelector: {}, ingress: [{ ports: [{ port: 1, endPort: 9 }] }] }],
      ["ServerAuthorization", "ServerAuthorization", {}],
    ];
    for (const [kind, what, spec] of others) {
      const object = { apiVersion: "v1", kind, metadata: { name: "x", namespace: "dgraph" }, spec };
      const more = { ...cluster, objects: [...cluster.objects, object] };
      expect(() => judge(attempt(peers, "listed client", "alpha", 8080), more), what).toThrow(what);
    }
    const open = { podSelector: {}, ingress: [{ from: [], ports: [] }] };
    const all = { apiVersion: "v1", kind: "NetworkPolicy", metadata: { name: "x", namespace: "dgraph" }, spec: open };
    expect(judge(attempt(peers, "viz tap", "alpha", 8080), { ...cluster, objects: [...cluster.objects, all] })).toBe("mesh");
  });

  /*
   * After a change of the internal ports, the new policies are applied first. After that, the pods restart one by one.
   * Therefore the new policies must allow connections between a pod with the old setting and a pod with the new
   * setting.
   */
  describe("during a rollout", () => {
    const between = (track: LinkerdRelease, before: Mode, after: Mode): Verdict[] => {
      const [old, current] = [clusterOf(track, before, "24.1.4"), clusterOf(track, after, "24.1.4")];
      const pairs = [
        [old, old],
        [old, current],
        [current, old],
      ] as const;
      return pairs.flatMap(([{ peers: from }, { peers: to }]) =>
        (["alpha", "zero"] as const).flatMap((source) => [
          judge(attempt({ ...to, source: from[source] }, "source", "alpha", 7080), current.cluster),
          judge(attempt({ ...to, source: from[source] }, "source", "zero", 5080), current.cluster),
        ]),
      );
    };
    const all = linkerdReleases.map((track) => [track.version, track] as const);

    test.each(all)("%s: no connection is refused if internalPorts changes to skip, or between opaque and mesh", (_, track) => {
      for (const [before, after] of [
        ["opaque", "skip"],
        ["mesh", "skip"],
        ["opaque", "mesh"],
        ["mesh", "opaque"],
      ] as const)
        expect(between(track, before, after), `${before} to ${after}`).toEqual(Array(12).fill("reached"));
    });

    test.each(all)("%s: connections are refused if internalPorts changes from skip, as docs/access.md describes", (_, track) => {
      for (const after of ["opaque", "mesh"] as const) expect(between(track, "skip", after)).toContain("mesh");
    });

    test("the policies for Linkerd 2.14 still allow the same clients after the proxies use the transport header", () => {
      for (const mode of modes) {
        const { cluster, peers } = clusterOf(linkerdRelease("stable-2.14.10"), mode, "24.1.4");
        const later = { ...cluster, transportHeader: true };
        expect(judge(attempt(peers, "listed client", "alpha", 8080), later)).toBe("reached");
        expect(judge(attempt(peers, "alpha", "zero", 5080), later)).toBe("reached");
        expect(judge(attempt(peers, "unlisted account", "alpha", 8080), later)).toBe("mesh");
      }
    });
  });

  /*
   * The NetworkPolicy of the blog article (darkn3rd/blog_tutorials, part_3_linkerd, network_policy.yaml). As in the
   * article, the proxies skip the internal ports.
   */
  describe("the policy of the blog article", () => {
    const article: KubernetesObject = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "article", namespace: "dgraph" },
      spec: {
        podSelector: { matchLabels: { app: "dgraph", component: "alpha" } },
        ingress: [
          { from: [{ podSelector: {} }] },
          {
            from: [{ namespaceSelector: {}, podSelector: { matchLabels: { "linkerd.io/control-plane-ns": "linkerd" } } }],
            ports: [{ port: 9080 }, { port: 8080 }],
          },
        ],
      },
    };
    const seen = (track: LinkerdRelease, from: string, to: string, port: number, get?: string): Verdict => {
      const { cluster, peers } = clusterOf(track, "skip", "0.0.17");
      return judge(attempt(peers, from, to, port, get), { ...cluster, objects: [article] });
    };

    test.each(linkerdReleases.map((track) => [track.version, track] as const))("%s", (_, track) => {
      const later = track.traits.transportHeader;
      // The policy denies clients without a proxy, as intended.
      expect(seen(track, "unmeshed client", "alpha", 8080)).toBe("network");
      // From 2.18 on, the proxies of meshed clients connect to port 4143. The policy does not list port 4143. Therefore
      // the policy denies the clients that it should allow.
      expect(seen(track, "listed client", "alpha", 8080)).toBe(later ? "network" : "reached");
      expect(seen(track, "listed client", "alpha", 9080)).toBe(later ? "network" : "reached");
      // The policy allows a pod without a proxy if the pod has a forged label, or if it is in Dgraph's namespace. In
      // 2.14, the policy allows every meshed pod of the cluster.
      expect(seen(track, "label forger", "alpha", 8080)).toBe("reached");
      expect(seen(track, "unmeshed neighbour", "alpha", 8080)).toBe("reached");
      expect(seen(track, "unlisted namespace", "alpha", 9080)).toBe(later ? "network" : "reached");
      // The policy denies linkerd-viz access to the proxies. The policy does not select Zero, so all clients can
      // connect to Zero.
      expect(seen(track, "viz prometheus", "alpha", 4191)).toBe("network");
      expect(seen(track, "viz tap", "alpha", 4190)).toBe("network");
      expect(seen(track, "unmeshed client", "zero", 5080)).toBe("reached");
      expect(seen(track, "unmeshed client", "zero", 6080, "/removeNode")).toBe("reached");
    });
  });
});

const sign: Readonly<Record<Verdict, string>> = { network: "-", mesh: "x", reached: "ok", counted: "ok" };

interface Row {
  readonly text: string;
  readonly from: string;
  readonly to: string;
  readonly port: number;
  readonly get: string | undefined;
  readonly verdicts: readonly string[];
}

function parse(table: string): Row[] {
  return table.split("\n").flatMap((line) => {
    const found = /^(\S+(?: \S+)*) {2,}(alpha|zero) +(\d+)(?: (\/\S+))? +(.*)$/.exec(line);
    if (found === null) return [];
    const [, from = "", to = "", port = "", get, verdicts = ""] = found;
    return [
      { text: `${from} to ${to} ${port} ${get ?? ""}`, from, to, port: Number(port), get, verdicts: verdicts.trim().split(/ +/) },
    ];
  });
}
