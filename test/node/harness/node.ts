import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pinnedTool } from "../../../scripts/tools/paths.ts";
import type { Api } from "../../cluster/harness/api.ts";
import { ControlPlane } from "../../cluster/harness/control-plane.ts";
import { isReady } from "../../cluster/harness/helm-actor.ts";
import { until } from "../../cluster/harness/processes.ts";
import { run } from "../../support/tools.ts";
import { dnsObjects, Volumes } from "./addons.ts";
import { type ImageOptions, packImage, removeArchive } from "./image.ts";
import { kernelSettings, makeCgroups, removeCgroups, restoreKernelSettings } from "./kernel.ts";
import { busybox } from "./machine.ts";
import { Namespaces, network } from "./namespaces.ts";
import * as programs from "./programs.ts";

/** Folder of the node's data, logs and kubeconfigs. The path is fixed, because only one node can run on a machine. */
export const nodeFolder = "/tmp/meshops-node";

/**
 * A real Kubernetes node and its control plane. containerd and runc run the pods. kube-proxy forwards connections to
 * Services, and kube-router enforces NetworkPolicies in the kernel. The node can connect only to this machine and
 * cannot pull images, so images must be imported. When the process that started the node ends, all processes of the
 * node end.
 */
export class RealNode {
  readonly plane: ControlPlane;
  readonly #namespaces: Namespaces;
  readonly #volumes: Volumes;

  private constructor(plane: ControlPlane, namespaces: Namespaces) {
    this.plane = plane;
    this.#namespaces = namespaces;
    this.#volumes = new Volumes(plane.api, join(plane.folder, "volumes"));
  }

  /**
   * Starts a node, and waits until it is ready.
   *
   * @param wait whether to wait until another node on the machine has ended
   */
  static async start({ wait }: { readonly wait: boolean }): Promise<RealNode> {
    const namespaces = await Namespaces.create(wait);
    try {
      await removeLeftovers();
      mkdirSync(nodeFolder, { mode: 0o700 });
      writeFileSync(join(nodeFolder, "kernel.json"), JSON.stringify(kernelSettings()));
      makeCgroups();
      namespaces.connect();
      namespaces.run(programs.networkScript);
      const plane = await ControlPlane.start(nodeFolder, {
        address: network.node,
        enter: namespaces.enter,
        serviceRange: programs.ranges.services,
        apiServer: ["--kubelet-preferred-address-types=InternalIP"],
        controllerManager: ["--allocate-node-cidrs=true", `--cluster-cidr=${programs.ranges.pods}`],
      });
      const node = new RealNode(plane, namespaces);
      await node.#startNode();
      return node;
    } catch (error) {
      await namespaces.end();
      throw error;
    }
  }

  get api(): Api {
    return this.plane.api;
  }

  /** Whether kube-router has created iptables rules for a pod. Before that, NetworkPolicies do not apply to the pod. */
  firewallHas(podIp: string): boolean {
    return this.#namespaces.run("iptables-save").includes(` ${podIp}/32 `);
  }

  /** Deletes namespaces, and waits until they and all objects in them are deleted. */
  async removeNamespaces(names: readonly string[]): Promise<void> {
    for (const name of names) await this.api.delete(`/api/v1/namespaces/${name}`);
    for (const name of names)
      await until(`namespace ${name} is gone`, async () => (await this.api.get(`/api/v1/namespaces/${name}`)) === null);
  }

  async stop(): Promise<void> {
    this.#volumes.stop();
    this.api.close();
    await this.#namespaces.end();
    await removeLeftovers();
  }

  async #startNode(): Promise<void> {
    const { processes, folder } = this.plane;
    const write = (path: string, text: string): string => {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), text);
      return join(folder, path);
    };
    write("cni/10-pods.conflist", programs.cniConfig);
    processes.start("containerd", "containerd", ["--config", write("containerd.toml", programs.containerdConfig(folder))]);
    await until("containerd listens", () => run("ctr", ["--address", socketPath, "version"]));
    await addImage({ name: programs.pauseImage, source: busybox, entrypoint: ["/busybox", "sleep", "2147483647"] });
    processes.start("kubelet", pinnedTool("kubelet"), [
      `--config=${write("kubelet.yaml", programs.kubeletConfig(folder))}`,
      `--kubeconfig=${this.plane.kubeconfigFile("kubelet")}`,
      `--root-dir=${join(folder, "kubelet")}`,
      `--hostname-override=${programs.nodeName}`,
      `--node-ip=${network.node}`,
    ]);
    processes.start("kube-proxy", pinnedTool("kube-proxy"), programs.kubeProxyArguments(this.plane.kubeconfigFile("kube-proxy")));
    await addImage({ name: "registry.example/coredns:1", source: pinnedTool("coredns") });
    await until("the node is ready", async () => {
      const node = await this.api.get(`/api/v1/nodes/${programs.nodeName}`);
      return node !== null && isReady(node);
    });
    processes.start(
      "kube-router",
      pinnedTool("kube-router"),
      programs.kubeRouterArguments(this.plane.kubeconfigFile("kube-router")),
    );
    for (const object of dnsObjects) await this.api.apply(object);
    await this.#volumes.start();
    await until("DNS is ready", async () => {
      const deployment = await this.api.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns");
      return deployment?.["status"]?.readyReplicas === 1;
    });
  }
}

const socketPath = join(nodeFolder, "containerd.sock");

/**
 * Packs an image, and imports it into the running node. Pods with the image must not have `imagePullPolicy: Always`.
 */
export async function addImage(options: ImageOptions): Promise<void> {
  const archive = await packImage(options);
  try {
    await run("ctr", ["--address", socketPath, "--namespace", "k8s.io", "images", "import", archive]);
  } finally {
    removeArchive(archive);
  }
}

/**
 * Removes the cgroups, the network device and the files that an earlier node has left on the machine. Restores the
 * kernel settings that the earlier node changed. The processes of that node have already been killed.
 */
export async function removeLeftovers(): Promise<void> {
  for (let tries = 0; ; tries++)
    try {
      removeCgroups();
      break;
    } catch (error) {
      if (tries === 600) throw error; // a cgroup can be removed only after its processes have ended
      await sleep(100);
    }
  Namespaces.disconnect();
  const record = join(nodeFolder, "kernel.json");
  if (existsSync(record)) restoreKernelSettings(JSON.parse(readFileSync(record, "utf8")) as Record<string, string>);
  rmSync(nodeFolder, { recursive: true, force: true });
}
