import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../../generator/identity/authority.ts";
import { environmentOf } from "../../support/specs.ts";
import { tool } from "../../support/tools.ts";
import { Api } from "./api.ts";
import { stages } from "./kwok-stages.ts";
import { freePort, Processes, until } from "./processes.ts";

/** Users of the API server, with their tokens. Kubernetes' default RBAC has roles for its own controllers. */
const users = {
  admin: { name: "admin", groups: "system:masters" },
  kwok: { name: "kwok", groups: "system:masters" },
  "kube-controller-manager": { name: "system:kube-controller-manager", groups: "" },
  "kube-scheduler": { name: "system:kube-scheduler", groups: "" },
  "kustomize-controller": {
    name: "system:serviceaccount:flux-system:kustomize-controller",
    groups: "system:serviceaccounts,system:serviceaccounts:flux-system",
  },
  /** A user who has only the permissions that a test grants. */
  restricted: { name: "restricted", groups: "" },
} as const;
export type User = keyof typeof users;

/** Host name that the API server's certificate contains. Clients of the API server verify this name. */
const host = "localhost";

/** A real control plane on loopback: etcd, API server, controllers, scheduler. kwok simulates the nodes. */
export class ControlPlane {
  readonly folder: string;
  readonly processes: Processes;
  readonly api: Api;
  readonly server: string;
  readonly #ca: string;
  readonly #tokens: Readonly<Record<User, string>>;
  readonly #apiArguments: readonly string[];

  private constructor(folder: string, ports: { etcd: number; peer: number; api: number }) {
    this.folder = folder;
    this.processes = new Processes(folder);
    this.server = `https://${host}:${ports.api}`;
    const identity = environmentOf().spec.linkerd.identity;
    const ca = makeWebhookCa(identity, new Date());
    const certificate = makeServerCertificate(host, identity, ca, new Date());
    this.#ca = ca.certificate;
    const account = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const tokens = Object.fromEntries(Object.keys(users).map((user) => [user, randomBytes(24).toString("hex")]));
    this.#tokens = tokens as Record<User, string>;
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const rows = Object.entries(users).map(([user, { name, groups }], index) => `${tokens[user]},${name},${index},"${groups}"\n`);
    const accountKey = write("account.key", account.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    write("ca.crt", ca.certificate);
    for (const user of Object.keys(users) as User[]) write(`${user}.kubeconfig`, stringify(this.kubeconfig(user)));
    write("kwok.yaml", stages);
    this.#apiArguments = [
      `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${ports.api}`,
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--tls-cert-file=${write("server.crt", certificate.certificate)}`,
      `--tls-private-key-file=${write("server.key", privateKeyPem(certificate))}`,
      `--token-auth-file=${write("tokens.csv", rows.join(""))}`,
      "--authorization-mode=RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${write("account.pub", account.publicKey.export({ type: "spki", format: "pem" }).toString())}`,
      `--service-account-signing-key-file=${accountKey}`,
      // A loopback range is used, because another host in the network may have an address such as 10.x.
      "--service-cluster-ip-range=127.96.0.0/16",
      "--allow-privileged=true",
      // etcd 3.4 cannot report progress on a watch.
      "--feature-gates=WatchList=false",
      `--egress-selector-config-file=${write("egress.yaml", stringify(this.#egress()))}`,
    ];
    this.api = new Api(this.server, this.#tokens.admin, this.#ca);
    this.#startEtcd(ports);
  }

  /** @param folder folder for data and logs; the caller removes the folder */
  static async start(folder: string): Promise<ControlPlane> {
    const plane = await ControlPlane.startWithoutControllers(folder);
    plane.#startControllers();
    for (const index of [1, 2, 3]) await plane.api.apply(node(`node-${index}`));
    for (const name of ["default", "managed-csi-premium"]) await plane.#makeStorage(name);
    return plane;
  }

  /** Starts only etcd and the API server, for tests of what the API server itself does with objects. */
  static async startWithoutControllers(folder: string): Promise<ControlPlane> {
    mkdirSync(join(folder, "etcd"), { recursive: true });
    const plane = new ControlPlane(folder, { etcd: await freePort(), peer: await freePort(), api: await freePort() });
    await plane.startApiServer();
    return plane;
  }

  async startApiServer(): Promise<void> {
    this.processes.start("kube-apiserver", tool("kube-apiserver"), this.#apiArguments);
    await until("the API server is ready", () => this.api.send("GET", "/readyz").then(() => true));
  }

  /** @param context name of the context */
  kubeconfig(user: User, context: string = "harness"): object {
    return {
      apiVersion: "v1",
      kind: "Config",
      "current-context": context,
      clusters: [
        {
          name: context,
          cluster: { server: this.server, "certificate-authority-data": Buffer.from(this.#ca).toString("base64") },
        },
      ],
      users: [{ name: user, user: { token: this.#tokens[user] } }],
      contexts: [{ name: context, context: { cluster: context, user } }],
    };
  }

  kubeconfigFile(user: User): string {
    return join(this.folder, `${user}.kubeconfig`);
  }

  /**
   * Socket that receives the API server's calls to Services in the cluster; see webhooks.ts. The path of a socket must
   * be short.
   */
  get egressSocket(): string {
    return join(this.folder, "egress");
  }

  async stop(): Promise<void> {
    this.api.close();
    await this.processes.stop();
  }

  #egress(): object {
    const connection = { proxyProtocol: "HTTPConnect", transport: { uds: { udsName: this.egressSocket } } };
    return {
      apiVersion: "apiserver.k8s.io/v1beta1",
      kind: "EgressSelectorConfiguration",
      egressSelections: [{ name: "cluster", connection }],
    };
  }

  #startEtcd({ etcd, peer }: { etcd: number; peer: number }): void {
    const [client, member] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${peer}`];
    this.processes.start("etcd", "etcd", [
      "--name=harness",
      `--data-dir=${join(this.folder, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${member}`,
      `--initial-advertise-peer-urls=${member}`,
      `--initial-cluster=harness=${member}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ]);
  }

  #startControllers(): void {
    this.processes.start("kube-controller-manager", tool("kube-controller-manager"), [
      `--kubeconfig=${this.kubeconfigFile("kube-controller-manager")}`,
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${join(this.folder, "account.key")}`,
      `--root-ca-file=${join(this.folder, "ca.crt")}`,
      "--secure-port=0",
      "--feature-gates=WatchListClient=false",
      `--flex-volume-plugin-dir=${join(this.folder, "flex")}`,
    ]);
    const scheduler = [`--kubeconfig=${this.kubeconfigFile("kube-scheduler")}`, "--leader-elect=false", "--secure-port=0"];
    this.processes.start("kube-scheduler", tool("kube-scheduler"), scheduler);
    this.processes.start("kwok", tool("kwok"), [
      `--kubeconfig=${this.kubeconfigFile("kwok")}`,
      `--config=${join(this.folder, "kwok.yaml")}`,
      "--manage-all-nodes=true",
      "--node-lease-duration-seconds=40",
      "--cidr=10.244.0.0/16",
      "--node-ip=10.243.0.1",
    ]);
  }

  /** Creates a storage class and its volumes, because the cluster has no provisioner. */
  async #makeStorage(name: string): Promise<void> {
    const annotations = { "storageclass.kubernetes.io/is-default-class": String(name === "default") };
    const binding = { provisioner: "harness", volumeBindingMode: "Immediate", reclaimPolicy: "Retain" };
    await this.api.apply({ apiVersion: "storage.k8s.io/v1", kind: "StorageClass", metadata: { name, annotations }, ...binding });
    for (let index = 0; index < 12; index++)
      await this.api.apply({
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
      });
  }
}

function node(name: string): Parameters<Api["apply"]>[0] {
  const labels = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" };
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels, annotations: { "kwok.x-k8s.io/node": "fake" } } };
}
