import type { ApiObject } from "../cluster/harness/api.ts";
import { isReady } from "../cluster/harness/helm-actor.ts";
import { until } from "../cluster/harness/processes.ts";
import type { RealNode } from "./harness/node.ts";
import { nodeImage } from "./harness/node-image.ts";

/** A pod of a test, without a proxy. */
export interface TestPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Starts a pod that connects to other pods on request, and waits until the pod runs. */
export async function startCaller(node: RealNode, name: string, peer: TestPod): Promise<void> {
  const pod = podOf(name, peer, ["/pods/caller.mjs"]);
  await node.api.apply(pod);
  await until(`${name} runs`, () => runs(node, pod));
}

/**
 * Sends a request to the program of a caller. The request passes through the API server, because the policies of a pod
 * do not apply to the pod's node.
 */
export function ask(node: RealNode, name: string, peer: TestPod, path: string): Promise<ApiObject> {
  return node.api.send("GET", `${pathOf(podOf(name, peer, []))}:9999/proxy${path}`);
}

/** Whether a pod runs and accepts commands. */
async function runs(node: RealNode, pod: ApiObject): Promise<boolean> {
  const found = await node.api.get(pathOf(pod));
  return found !== null && isReady(found);
}

/** A pod that listens on ports after a request to do so. */
export function listener(name: string, peer: TestPod, ports: readonly number[]): ApiObject {
  return podOf(name, peer, ["/pods/listener.mjs", ...ports.map(String)]);
}

/** Waits until the firewall has rules for a listener. Then makes the listener listen, and returns its address. */
export async function listen(node: RealNode, pod: ApiObject, address: string): Promise<void> {
  await until(`${pod.metadata.name} runs`, () => runs(node, pod));
  // kube-router creates the rules some time after the pod has started. On a busy machine, it takes longer.
  await until("the firewall has rules for the pod", async () => node.firewallHas(address));
  await node.api.send("GET", `${pathOf(pod)}:9998/proxy/`);
}

/** Waits until a pod has an address. */
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
          // The pod is ready when its program accepts commands. Policies do not apply to connections from the kubelet
          // of the pod's node.
          readinessProbe: { tcpSocket: { port: args[0] === "/pods/caller.mjs" ? 9999 : 9998 }, periodSeconds: 1 },
        },
      ],
    },
  };
}

function pathOf({ metadata: { namespace, name } }: ApiObject): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
