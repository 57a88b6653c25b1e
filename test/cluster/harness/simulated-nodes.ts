import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { tool } from "../../support/tools.ts";
import type { ApiObject } from "./api.ts";
import { ControlPlane, type Place } from "./control-plane.ts";
import { stages } from "./kwok-stages.ts";

/** Starts only etcd and an API server on loopback. Controllers, the scheduler and nodes do not run. */
export async function startApiOnLoopback(folder: string): Promise<ControlPlane> {
  return ControlPlane.startApi(folder, loopback(folder));
}

/**
 * Starts a control plane on loopback with three nodes that kwok simulates.
 *
 * @param folder folder for data and logs, which the caller removes
 */
export async function startSimulatedNodes(folder: string): Promise<ControlPlane> {
  const plane = await ControlPlane.start(folder, loopback(folder));
  writeFileSync(join(folder, "kwok.yaml"), stages);
  plane.processes.start("kwok", tool("kwok"), [
    `--kubeconfig=${plane.kubeconfigFile("kwok")}`,
    `--config=${join(folder, "kwok.yaml")}`,
    "--manage-all-nodes=true",
    "--node-lease-duration-seconds=40",
    "--cidr=10.244.0.0/16",
    "--node-ip=10.243.0.1",
  ]);
  for (const index of [1, 2, 3]) await plane.api.apply(node(`node-${index}`));
  for (const name of ["default", "managed-csi-premium"]) for (const object of storage(name)) await plane.api.apply(object);
  return plane;
}

/**
 * Returns the path of the socket that receives the API server's calls to Services of the cluster; see webhooks.ts. The
 * path must be short, because the length of a socket's path is limited.
 */
export function egressSocket({ folder }: Pick<ControlPlane, "folder">): string {
  return join(folder, "egress");
}

function loopback(folder: string): Place {
  const connection = { proxyProtocol: "HTTPConnect", transport: { uds: { udsName: egressSocket({ folder }) } } };
  const egress = {
    apiVersion: "apiserver.k8s.io/v1beta1",
    kind: "EgressSelectorConfiguration",
    egressSelections: [{ name: "cluster", connection }],
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "egress.yaml"), stringify(egress));
  return {
    address: "127.0.0.1",
    enter: [],
    // The addresses of Services are in a loopback range. With 10.x addresses, a host of the local network could answer.
    serviceRange: "127.96.0.0/16",
    apiServer: ["--endpoint-reconciler-type=none", `--egress-selector-config-file=${join(folder, "egress.yaml")}`],
    controllerManager: [],
  };
}

function node(name: string): ApiObject {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels, annotations: { "kwok.x-k8s.io/node": "fake" } } };
}

/**
 * Returns a storage class and 12 volumes. The cluster has no provisioner, so the volumes must exist before Dgraph
 * claims them.
 */
function storage(name: string): ApiObject[] {
  const annotations = { "storageclass.kubernetes.io/is-default-class": String(name === "default") };
  const binding = { provisioner: "harness", volumeBindingMode: "Immediate", reclaimPolicy: "Retain" };
  const volumes = Array.from({ length: 12 }, (_, index) => ({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: `${name}-${index}` },
    spec: {
      capacity: { storage: "1Ti" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: name,
      hostPath: { path: `/nowhere/${index}` },
    },
  }));
  return [
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name, annotations },
      ...binding,
      allowVolumeExpansion: true,
    },
    ...volumes,
  ];
}
