import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run, tool } from "../../support/tools.ts";
import { Api } from "./api.ts";
import { Processes, reservePort, until } from "./processes.ts";
import { kubeconfigOf, makeTokens, tokenFile, type User, userNames } from "./users.ts";

/** Settings that differ between a control plane on loopback and the control plane of a real node. */
export interface Place {
  /** Address at which the servers of the control plane listen. */
  readonly address: string;
  /**
   * Program and arguments that start another program in the namespaces of a node. Empty if the programs run directly
   * on the machine.
   */
  readonly enter: readonly string[];
  readonly serviceRange: string;
  /** Additional arguments of the API server and of the controller manager. */
  readonly apiServer: readonly string[];
  readonly controllerManager: readonly string[];
}

/** An event in the API server's audit log (audit.k8s.io/v1). Contains only the fields that the tests read. */
interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly stageTimestamp: string;
  readonly objectRef: { readonly resource: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
}

/** A real control plane: etcd, API server, controllers and scheduler. */
export class ControlPlane {
  readonly folder: string;
  readonly processes: Processes;
  readonly server: string;
  readonly #place: Place;
  readonly #ports: { readonly etcd: number; readonly peer: number; readonly api: number };
  readonly #tokens: Readonly<Record<User, string>> = makeTokens();
  #api: Api | null = null;

  private constructor(folder: string, place: Place, ports: { etcd: number; peer: number; api: number }) {
    this.folder = folder;
    this.#place = place;
    this.#ports = ports;
    this.processes = new Processes(folder, place.enter);
    this.server = `https://${place.address}:${ports.api}`;
  }

  /**
   * Starts only etcd and the API server, without controllers and scheduler.
   *
   * @param folder folder for data and logs, which the caller removes
   */
  static async startApi(folder: string, place: Place): Promise<ControlPlane> {
    mkdirSync(join(folder, "etcd"), { recursive: true });
    const plane = new ControlPlane(folder, place, {
      etcd: await reservePort(),
      peer: await reservePort(),
      api: await reservePort(),
    });
    plane.#startEtcd();
    plane.#writeKeys();
    await plane.#writeServerCertificate();
    await plane.startApiServer();
    return plane;
  }

  /** Starts etcd, the API server, the controllers and the scheduler. */
  static async start(folder: string, place: Place): Promise<ControlPlane> {
    const plane = await ControlPlane.startApi(folder, place);
    plane.#startControllers();
    return plane;
  }

  get api(): Api {
    if (this.#api === null) throw new Error("the API server has not been started");
    return this.#api;
  }

  async startApiServer(): Promise<void> {
    this.processes.start("kube-apiserver", tool("kube-apiserver"), this.#apiArguments());
    this.#api ??= new Api(this.server, this.#tokens.admin, readFileSync(this.#ca, "utf8"));
    for (const user of userNames) writeFileSync(this.kubeconfigFile(user), stringify(this.kubeconfig(user)), { mode: 0o600 });
    await until("the API server is ready", () => this.api.send("GET", "/readyz").then(() => true));
  }

  /** Returns a kubeconfig for a user. @param context name of the only context */
  kubeconfig(user: User, context: string = "harness"): object {
    return kubeconfigOf(this.server, readFileSync(this.#ca, "utf8"), this.#tokens[user], context);
  }

  kubeconfigFile(user: User): string {
    return join(this.folder, `${user}.kubeconfig`);
  }

  /**
   * Returns the policies and pods that were created in a namespace, in the order of their creation. The format is
   * `<resource> <name>`. The policies are NetworkPolicies and Linkerd's policy objects. Reads the API server's audit
   * log.
   */
  created(namespace: string): string[] {
    return this.#audited(namespace, ({ responseStatus }) => responseStatus?.code === 201);
  }

  /**
   * Does the same as `created` for the policies and pods that were deleted. They are in the order of their deletion.
   */
  deleted(namespace: string): string[] {
    return this.#audited(namespace, ({ verb, responseStatus }) => verb === "delete" && responseStatus?.code === 200);
  }

  #audited(namespace: string, chosen: (event: AuditEvent) => boolean): string[] {
    const events = readFileSync(this.#auditLog, "utf8").trim().split("\n");
    return events
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.objectRef.namespace === namespace && chosen(event))
      .filter(({ requestURI }) => !requestURI.includes("dryRun="))
      .sort((a, b) => (a.stageTimestamp < b.stageTimestamp ? -1 : 1))
      .map(({ objectRef: { resource, name } }) => `${resource} ${name ?? ""}`);
  }

  async stop(): Promise<void> {
    this.#api?.close();
    await this.processes.stop();
  }

  get #ca(): string {
    return join(this.folder, "certificates/apiserver.crt");
  }

  get #auditLog(): string {
    return join(this.folder, "audit.log");
  }

  #startEtcd(): void {
    const { etcd, peer } = this.#ports;
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

  /** Writes the users' tokens, the audit policy, and the key that signs the tokens of service accounts. */
  #writeKeys(): void {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const files = {
      "tokens.csv": tokenFile(this.#tokens),
      "account.key": privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      "account.pub": publicKey.export({ type: "spki", format: "pem" }).toString(),
    };
    const changes = {
      level: "Metadata",
      verbs: ["create", "patch", "delete"],
      omitStages: ["RequestReceived"],
      resources: [
        { group: "", resources: ["pods"] },
        { group: "networking.k8s.io", resources: ["networkpolicies"] },
        { group: "policy.linkerd.io" },
      ],
    };
    const audit = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [changes, { level: "None" }] };
    writeFileSync(join(this.folder, "audit.yaml"), stringify(audit));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.folder, name), text, { mode: 0o600 });
  }

  /**
   * Writes an ECDSA key and a self-signed certificate for the API server. Without these files, the API server would
   * generate an RSA key. In a test whose clients opened many connections, RSA signatures took a quarter of the API
   * server's CPU time.
   */
  async #writeServerCertificate(): Promise<void> {
    const { address, serviceRange } = this.#place;
    const folder = join(this.folder, "certificates");
    mkdirSync(folder);
    const service = serviceRange.replace(/\.0\/.*/, ".1");
    const names = [`IP:${address}`, `IP:${service}`, "DNS:kubernetes", "DNS:kubernetes.default.svc", "DNS:localhost"];
    await run("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", "/CN=kube-apiserver", "-addext", `subjectAltName=${names.join(",")}`],
      ...["-keyout", join(folder, "apiserver.key"), "-out", this.#ca],
    ]);
  }

  #apiArguments(): string[] {
    const { address, serviceRange, apiServer } = this.#place;
    return [
      `--etcd-servers=http://127.0.0.1:${this.#ports.etcd}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${this.#ports.api}`,
      `--cert-dir=${join(this.folder, "certificates")}`,
      `--token-auth-file=${join(this.folder, "tokens.csv")}`,
      "--authorization-mode=Node,RBAC",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(this.folder, "account.pub")}`,
      `--service-account-signing-key-file=${join(this.folder, "account.key")}`,
      `--service-cluster-ip-range=${serviceRange}`,
      "--allow-privileged=true",
      `--audit-policy-file=${join(this.folder, "audit.yaml")}`,
      `--audit-log-path=${this.#auditLog}`,
      // WatchList is disabled, because etcd 3.4 cannot report progress on a watch.
      "--feature-gates=WatchList=false",
      ...apiServer,
    ];
  }

  #startControllers(): void {
    this.processes.start("kube-controller-manager", tool("kube-controller-manager"), [
      `--kubeconfig=${this.kubeconfigFile("kube-controller-manager")}`,
      "--leader-elect=false",
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${join(this.folder, "account.key")}`,
      `--root-ca-file=${this.#ca}`,
      "--secure-port=0",
      "--feature-gates=WatchListClient=false",
      `--flex-volume-plugin-dir=${join(this.folder, "flex")}`,
      ...this.#place.controllerManager,
    ]);
    const scheduler = [`--kubeconfig=${this.kubeconfigFile("kube-scheduler")}`, "--leader-elect=false", "--secure-port=0"];
    this.processes.start("kube-scheduler", tool("kube-scheduler"), scheduler);
  }
}
