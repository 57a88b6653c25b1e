import { afterAll, beforeAll, expect, test } from "vitest";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import type { ApiObject } from "../cluster/harness/api.ts";
import { until } from "../cluster/harness/processes.ts";
import { clusterOf, modes, type Peers } from "../support/dgraph-peers.ts";
import { judge } from "../support/policy-evaluator.ts";
import { addressOf, ask, listen, listener, startCaller } from "./callers.ts";
import type { RealNode } from "./harness/node.ts";

/** Ports to which the callers connect: the ports of each role of Dgraph, and the ports of a proxy. */
const ports = {
  alpha: [7080, 8080, 9080, 4143, 4190, 4191],
  zero: [5080, 6080, 4143, 4190, 4191],
} as const;
type Role = keyof typeof ports;
const roles = Object.keys(ports) as Role[];

/*
 * Tests the generated NetworkPolicies. kube-router enforces the policies in a real kernel. The pods have the labels of
 * the real pods, but no proxies. The proxy of a meshed client would connect to port 4143. Therefore the callers in this
 * test also connect to port 4143. The test compares the result of every connection with the results of two policy
 * evaluators: the evaluator of meshops, and the independent evaluator of the tests. All three results must be the same.
 */
export function accessTests(running: () => RealNode): void {
  let node: RealNode;
  /**
   * IP addresses of the pods to which the callers connect, keyed by the pod's role. No caller runs in one of these
   * pods, because NetworkPolicies do not apply to a connection from a pod to itself.
   */
  const addresses = new Map<Role, string>();
  const { peers } = clusterOf(linkerdRelease("edge-26.8.3"), "opaque", "24.1.4");
  const callers = Object.keys(peers).filter((name) => name !== "kubelet");

  const namespaces = [...new Set(callers.map((name) => peerOf(peers, name).namespace))];

  beforeAll(async () => {
    node = running();
    for (const name of namespaces) await node.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  });
  afterAll(() => node.removeNamespaces(namespaces));

  const targets = roles.flatMap((role) => ports[role].map((port) => ({ role, port })));
  const address = ({ role, port }: { role: Role; port: number }): string => `${addresses.get(role)}:${port}`;
  const askCaller = (caller: string, path: string): Promise<ApiObject> => ask(node, caller, peerOf(peers, caller), path);

  /** Connects from every caller to every port. Returns lines such as `viz tap → zero 4190: open`. */
  async function matrix(): Promise<string[]> {
    const to = targets.map(address).join(",");
    const results = await Promise.all(callers.map(async (caller) => [caller, await askCaller(caller, `/try?to=${to}`)] as const));
    return results.flatMap(([caller, found]) =>
      targets.map((target) => `${caller} → ${target.role} ${target.port}: ${found[address(target)]}`),
    );
  }

  async function applyPolicies(objects: readonly KubernetesObject[]): Promise<void> {
    for (const object of objects) if (object.kind === "NetworkPolicy") await node.api.apply(object as ApiObject);
  }

  const columns = (["edge-26.8.3", "stable-2.14.10"] as const).flatMap((release) =>
    modes.map((mode) => [release, mode] as const),
  );

  test("as soon as kube-router has created rules for Dgraph's pods, no connection of an unmeshed pod succeeds", async () => {
    const { cluster } = clusterOf(linkerdRelease("edge-26.8.3"), "opaque", "24.1.4");
    await applyPolicies(cluster.objects);
    await Promise.all(callers.map((name) => startCaller(node, name, peerOf(peers, name))));
    for (const role of roles) {
      const starting = listener(`target-${role}`, peerOf(peers, role), ports[role]);
      await node.api.apply(starting);
      const podIp = await addressOf(node, starting);
      addresses.set(role, podIp);
      await askCaller("unmeshed client", `/watch?to=${ports[role].map((port) => address({ role, port })).join(",")}`);
      await listen(node, starting, podIp);
    }
    const watched = await until("each port was tried 20 times", async () => {
      const found = Object.values(await askCaller("unmeshed client", "/watched")) as { tries: number; open: number }[];
      return found.length === targets.length && found.every(({ tries }) => tries >= 20) && found;
    });
    expect(watched.filter(({ open }) => open > 0)).toEqual([]);
  });

  test.each(columns)("Linkerd %s with internal ports %s: the kernel agrees with both evaluators", async (version, mode) => {
    const release = linkerdRelease(version);
    const { cluster, peers: theirs } = clusterOf(release, mode, "24.1.4");
    await applyPolicies(cluster.objects);
    const verdicts = callers.flatMap((caller) =>
      targets.map(({ role, port }) => {
        // The pods have no proxies. Therefore only the verdicts of the network layer are compared.
        const from = { ...peerOf(theirs, caller), proxy: null };
        const to = { ...peerOf(theirs, role), proxy: null };
        const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: role, namespace: "dgraph", labels: to.labels } };
        const ours = evaluate({ from: { ...from, identity: null }, to: pod, port }, cluster.objects, { release }).network.admits;
        const independent = judge({ from, to, port }, cluster) !== "network";
        expect(ours, `${caller} → ${role} ${port}`).toBe(independent);
        return `${caller} → ${role} ${port}: ${ours ? "open" : "closed"}`;
      }),
    );
    let found: string[] = [];
    await until(
      "kube-router has applied the policies",
      async () => {
        found = await matrix();
        return found.join() === verdicts.join();
      },
      30,
    ).catch(() => {});
    expect(found).toEqual(verdicts);
    expect(found.filter((line) => line.endsWith("open")).length).toBeGreaterThan(10);
    expect(found.filter((line) => line.endsWith("closed")).length).toBeGreaterThan(40);
  });

  test("no connection of the unmeshed pod has succeeded during all changes of policies; connections succeed after all policies are deleted", async () => {
    const watched = async (): Promise<{ tries: number; open: number }[]> =>
      Object.values(await askCaller("unmeshed client", "/watched"));
    const during = await watched();
    expect(during.filter(({ open }) => open > 0)).toEqual([]);
    expect(Math.min(...during.map(({ tries }) => tries))).toBeGreaterThan(40);
    for (const { metadata } of await node.api.list("/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies"))
      await node.api.delete(`/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies/${metadata.name}`);
    await until("every port answers", async () => (await watched()).every(({ open }) => open > 0));
    const { cluster } = clusterOf(linkerdRelease("edge-26.8.3"), "opaque", "24.1.4");
    await applyPolicies(cluster.objects);
    await until("every port is closed again", async () => {
      const open = (await matrix()).filter((line) => line.startsWith("unmeshed client") && line.endsWith("open"));
      return open.length === 0;
    });
  });
}

function peerOf(peers: Peers, name: string): Peers[string] {
  const peer = peers[name];
  if (peer === undefined) throw new Error(`unknown peer: ${name}`);
  return peer;
}
