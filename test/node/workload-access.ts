import { afterAll, beforeAll, expect, test } from "vitest";
import { linkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { modelOf } from "../../generator/components/build.ts";
import { generatedObjects } from "../../generator/components/model.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import type { ApiObject } from "../cluster/harness/api.ts";
import { until } from "../cluster/harness/processes.ts";
import { judge, type Peer } from "../support/policy-evaluator.ts";
import { environmentOf } from "../support/specs.ts";
import { addressOf, ask, listen, listener, podOf, startCaller, type TestPod } from "./callers.ts";
import type { RealNode } from "./harness/node.ts";

const meshed = { "linkerd.io/control-plane-ns": "linkerd" };

/**
 * Pods that connect to the workload. None of these pods has a proxy. The pods whose labels are `meshed` have the label
 * of meshed pods. Some of these pods act as meshed pods. The others act as attackers with a forged label.
 */
const callers: Readonly<Record<string, TestPod>> = {
  web: { namespace: "wl-web", labels: meshed },
  "web without proxy": { namespace: "wl-web", labels: {} },
  orders: { namespace: "wl-orders", labels: { app: "orders", ...meshed } },
  team: { namespace: "wl-team", labels: meshed },
  forger: { namespace: "wl-other", labels: meshed },
  stranger: { namespace: "wl-other", labels: {} },
  vpn: { namespace: "wl-other", labels: {} },
  neighbour: { namespace: "wl-shop", labels: {} },
  prometheus: { namespace: "wl-monitoring", labels: {} },
};

const shop: TestPod = { namespace: "wl-shop", labels: { app: "shop" } };

/**
 * Ports on which the pod listens: the ports in the spec, a port that is not in the spec (5555), and the ports of a
 * proxy.
 */
const ports = [5432, 5555, 7000, 8080, 9090, 9102, 9443, 4143, 4190, 4191];

/**
 * Returns the spec of the workload.
 *
 * @param vpn IP address of the caller `vpn`. The spec lists this address in `cidrs`
 * @param everyone whether all clients may connect to port 7000
 */
function specFor(version: string, vpn: string, everyone: boolean): Record<string, unknown> {
  return {
    linkerd: { lifecycle: "existing", version, viz: { enabled: false } },
    dgraph: { enabled: false },
    monitoring: { prometheus: { unmeshed: "wl-monitoring" } },
    workloads: {
      shop: {
        namespace: "wl-shop",
        pods: {
          api: {
            selector: { matchLabels: shop.labels },
            serviceAccountName: "shop",
            proxy: { "skip-inbound-ports": "9102" },
            ports: {
              http: { port: 8080, protocol: "HTTP/1" },
              grpc: { port: 9090, protocol: "gRPC" },
              admin: { port: 9443, protocol: "TLS" },
              database: { port: 5432, protocol: "opaque" },
              open: { port: 7000, protocol: "HTTP/1" },
              metrics: { port: 9102, protocol: "HTTP/1" },
            },
            access: {
              mode: "enforce",
              clients: {
                web: { serviceAccountRef: { namespace: "wl-web", name: "web" }, ports: ["http", "metrics"] },
                orders: { workload: "orders/api", ports: ["grpc"] },
                team: { namespace: "wl-team", ports: ["http"] },
                vpn: { cidrs: [`${vpn}/32`], ports: ["database"] },
                ...(everyone ? { all: { builtin: "everyone", ports: ["open"] } } : {}),
              },
            },
          },
        },
      },
      orders: {
        namespace: "wl-orders",
        pods: { api: { selector: { matchLabels: { app: "orders" } }, serviceAccountName: "orders" } },
      },
    },
  };
}

/*
 * Tests the NetworkPolicies of a workload in a real kernel, for every kind of client in `access.clients`. kube-router
 * enforces the policies. The pods have no proxies. The proxy of a meshed client would connect to port 4143. Therefore
 * the callers in this test also connect to port 4143. The test compares the result of every connection with the results
 * of two policy evaluators: the evaluator of meshops, and the independent evaluator of the tests. All three results
 * must be the same.
 */
export function workloadAccessTests(running: () => RealNode): void {
  let node: RealNode;
  let target: string;
  const addresses = new Map<string, string>();
  const namespaces = [...new Set([shop, ...Object.values(callers)].map(({ namespace }) => namespace))];

  beforeAll(async () => {
    node = running();
    for (const name of namespaces) await node.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    await Promise.all(Object.entries(callers).map(([name, peer]) => startCaller(node, name, peer)));
    for (const [name, peer] of Object.entries(callers)) addresses.set(name, await addressOf(node, podOf(name, peer, [])));
    await policiesFor("edge-26.8.3", false).apply();
    const pod = listener("shop", shop, ports);
    await node.api.apply(pod);
    target = await addressOf(node, pod);
    await listen(node, pod, target);
  });
  afterAll(() => node.removeNamespaces(namespaces));

  function policiesFor(version: string, everyone: boolean): { objects: KubernetesObject[]; apply: () => Promise<void> } {
    const environment = environmentOf(specFor(version, addresses.get("vpn") ?? "", everyone));
    const objects = generatedObjects(modelOf(environment).components);
    const apply = async (): Promise<void> => {
      for (const object of objects) if (object.kind === "NetworkPolicy") await node.api.apply(object as ApiObject);
    };
    return { objects, apply };
  }

  const columns = linkerdReleases.flatMap(({ version }) => [false, true].map((everyone) => [version, everyone] as const));

  test.each(columns)("Linkerd %s, 7000 open to all: %s; the kernel agrees with both evaluators", async (version, everyone) => {
    const release = linkerdRelease(version);
    const { objects, apply } = policiesFor(version, everyone);
    await apply();
    const wanted = Object.entries(callers).flatMap(([name, { namespace, labels }]) =>
      ports.map((port) => {
        const peer = { namespace, labels, serviceAccount: "any", proxy: null, probes: [], kubelet: false } as const;
        const address = addresses.get(name) ?? "";
        const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "shop", ...shop } } as KubernetesObject;
        const from = { namespace, labels, identity: null, address };
        const ours = evaluate({ from, to: pod, port }, objects, { release }).network.admits;
        const to: Peer = { ...peer, ...shop };
        const cluster = { objects, transportHeader: release.traits.transportHeader };
        expect(judge({ from: { ...peer, address }, to, port }, cluster) !== "network", `${name} → ${port}`).toBe(ours);
        return `${name} → ${port}: ${ours ? "open" : "closed"}`;
      }),
    );
    let found: string[] = [];
    await until(
      "kube-router has applied the policies",
      async () => {
        found = await matrix();
        return found.join() === wanted.join();
      },
      30,
    ).catch(() => {});
    expect(found).toEqual(wanted);
    const open = found.filter((line) => line.endsWith("open"));
    expect(open.filter((line) => line.includes("→ 7000"))).toHaveLength(everyone ? Object.keys(callers).length : 0);
    expect(open.filter((line) => line.includes("→ 5432"))).toEqual(["vpn → 5432: open"]);
    expect(open.filter((line) => /→ (5555|9443|4190)/.test(line))).toEqual([]);
    expect(open.filter((line) => line.includes("→ 4191"))).toEqual(["prometheus → 4191: open"]);
    // The caller `vpn` must reach port 4143, because a client whose address is in `cidrs` can have a proxy. If all
    // clients may connect to port 7000, meshed pods of all namespaces must reach port 4143. In this case, the test does
    // not check the list of callers that reach port 4143.
    if (everyone || !release.traits.transportHeader) return;
    expect(open.filter((line) => line.includes("→ 4143")).map((line) => line.split(" →")[0])).toEqual([
      "web",
      "orders",
      "team",
      "vpn",
    ]);
  });

  /** Connects from every caller to every port. Returns lines such as `web → 8080: open`. */
  async function matrix(): Promise<string[]> {
    const to = ports.map((port) => `${target}:${port}`).join(",");
    const results = await Promise.all(
      Object.entries(callers).map(async ([name, peer]) => [name, await ask(node, name, peer, `/try?to=${to}`)] as const),
    );
    return results.flatMap(([name, answers]) => ports.map((port) => `${name} → ${port}: ${answers[`${target}:${port}`]}`));
  }
}
