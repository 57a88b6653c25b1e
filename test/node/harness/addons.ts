import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Api, ApiObject } from "../../cluster/harness/api.ts";
import { ranges } from "./programs.ts";

const metadata = { name: "coredns", namespace: "kube-system" };
const labels = { "k8s-app": "kube-dns" };

const corefile = `.:53 {
  errors
  health :8080
  ready :8181
  cache 5
  kubernetes cluster.local in-addr.arpa
}
`;

/** Objects of CoreDNS. NetworkPolicies select DNS servers by the label `k8s-app: kube-dns` of their pods. */
export const dnsObjects: readonly ApiObject[] = [
  { apiVersion: "v1", kind: "ServiceAccount", metadata },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "coredns" },
    rules: [
      { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "coredns" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "coredns" },
    subjects: [{ kind: "ServiceAccount", ...metadata }],
  },
  { apiVersion: "v1", kind: "ConfigMap", metadata, data: { Corefile: corefile } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: "coredns",
          dnsPolicy: "Default",
          containers: [
            {
              name: "coredns",
              image: "registry.example/coredns:1",
              imagePullPolicy: "Never",
              args: ["-conf", "/etc/coredns/Corefile"],
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
              readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
            },
          ],
          volumes: [{ name: "config", configMap: { name: "coredns" } }],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system", labels },
    spec: {
      selector: labels,
      clusterIP: ranges.dns,
      ports: [
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "dns-tcp", port: 53, protocol: "TCP" },
      ],
    },
  },
];

/**
 * Names of the storage classes that the harness creates: the default class, and the class that the samples use on AKS.
 */
const classes = ["default", "managed-csi-premium"];

/** Creates a PersistentVolume for each pending PersistentVolumeClaim. The volume is a folder on the machine. */
export class Volumes {
  readonly #api: Api;
  readonly #folder: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(api: Api, folder: string) {
    this.#api = api;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    for (const name of classes)
      await this.#api.apply({
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": String(name === "default") } },
        provisioner: "meshops.dev/folders",
        volumeBindingMode: "Immediate",
      });
    this.#timer = setInterval(() => void this.#provide().catch(() => {}), 1000); // fails if the API server does not run
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #provide(): Promise<void> {
    for (const { metadata, spec, status } of await this.#api.list("/api/v1/persistentvolumeclaims")) {
      const { name, namespace = "", uid = "" } = metadata;
      if (status?.phase !== "Pending" || !classes.includes(spec.storageClassName) || spec.volumeName) continue;
      const path = join(this.#folder, uid);
      mkdirSync(path, { recursive: true });
      await this.#api.apply({
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: `folder-${uid}` },
        spec: {
          capacity: spec.resources.requests,
          accessModes: spec.accessModes,
          persistentVolumeReclaimPolicy: "Retain",
          storageClassName: spec.storageClassName,
          hostPath: { path },
          claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
        },
      });
    }
  }
}
