import type { ApiObject } from "../cluster/harness/api.ts";
import { isReady } from "../cluster/harness/helm-actor.ts";
import { until } from "../cluster/harness/processes.ts";
import type { RealNode } from "./harness/node.ts";
import { nodeImage } from "./harness/node-image.ts";

/** Namespace and labels of a pod in a test. The pod has no proxy. */
export interface TestPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Starts a pod with caller.mjs, which connects to other pods on request. Waits until the pod is ready. */
export async function startCaller(node: RealNode, name: string, peer: TestPod): Promise<void> {
  const pod = podOf(name, peer, ["/pods/caller.mjs"]);
  await node.api.apply(pod);
  await until(`${name} runs`, () => runs(node, pod));
}

/**
 * Sends a request to caller.mjs in a pod, and returns the answer. The API server forwards the request. The
 * NetworkPolicies of the pod cannot block the request, because they do not apply to connections from the pod's own
 * node.
 */
export function ask(node: RealNode, name: string, peer: TestPod, path: string): Promise<ApiObject> {
  return node.api.send("GET", `${pathOf(podOf(name, peer, []))}:9999/proxy${path}`);
}

/** Whether a pod is ready. The program in a ready pod answers the requests of the test. */
async function runs(node: RealNode, pod: ApiObject): Promise<boolean> {
  const found = await node.api.get(pathOf(pod));
  return found !== null && isReady(found);
}

/** Returns a pod with listener.mjs. The program listens on the ports only after the test has called `listen`. */
export function listener(name: string, peer: TestPod, ports: readonly number[]): ApiObject {
  return podOf(name, peer, ["/pods/listener.mjs", ...ports.map(String)]);
}

/** Waits until kube-router has created rules for the pod of a listener. Then makes the listener listen on its ports. */
export async function listen(node: RealNode, pod: ApiObject, address: string): Promise<void> {
  await until(`${pod.metadata.name} runs`, () => runs(node, pod));
  // kube-router creates the rules only some time after the pod has started. On a busy machine, this time is longer.
  await until("the firewall has rules for the pod", async () => node.firewallHas(address));
  await node.api.send("GET", `${pathOf(pod)}:9998/proxy/`);
}

/** Waits until a pod has an IP address, and returns this address. */
export async function addressOf(node: RealNode, pod: ApiObject): Promise<string> {
  return String(
    await until(`${pod.metadata.name} has an address`, async () => (await node.api.get(pathOf(pod)))?.["status"]?.podIP),
  );
}

export function podOf(name: string, { namespace, labels }: TestPod, args: readonly string[]): ApiObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: name.replaceAll(" ", "-"), namespace, labels: { ...labels } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "main",
          image: nodeImage,
          imagePullPolicy: "Never",
          args,
          // The probe succeeds as soon as the program listens on the port for requests of the test. NetworkPolicies
          // cannot block the probe, because they do not apply to connections from the kubelet of the pod's node.
          readinessProbe: { tcpSocket: { port: args[0] === "/pods/caller.mjs" ? 9999 : 9998 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

function pathOf({ metadata: { namespace, name } }: ApiObject): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
