import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createHttps, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../../generator/identity/authority.ts";
import { pydgraph } from "../../../scripts/tools/paths.ts";
import { type Attempt, judge, type Peer, type Cluster as Policies } from "../../support/policy-evaluator.ts";
import { environmentOf } from "../../support/specs.ts";
import { tool } from "../../support/tools.ts";
import { Alphas, type Fate } from "./alphas.ts";
import type { Api, ApiObject } from "./api.ts";
import { until } from "./processes.ts";
import type { TapApi } from "./tap-api.ts";

/**
 * A stand-in for the kubelet that runs the probe pods of `meshops verify` and serves the logs of pods. It runs the
 * command of a probe as a process with the real curl and grpcurl. The process connects to servers on loopback. When a
 * probe starts, the stand-in reads the policies in the cluster. The policy evaluator of the tests determines from these
 * policies whether a connection succeeds.
 */
export class ProbeNode {
  readonly alphas: Alphas = new Alphas();
  /** Faults that no object in the cluster can cause. Therefore the stand-in simulates these faults. */
  readonly faults: { allToOne: boolean; plaintext: boolean; proxyNeverReady: boolean; noEngine: boolean } = {
    allToOne: false,
    plaintext: false,
    proxyNeverReady: false,
    noEngine: false,
  };
  readonly #api: Api;
  readonly #tap: TapApi;
  readonly #proto: string;
  readonly #logs: Map<string, string> = new Map();
  readonly #known: Set<string> = new Set();
  readonly #kubelet: Server;
  readonly #running: Set<ChildProcess> = new Set();
  #blackHole = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param proto path of an api.proto file with the methods CheckVersion, Query and Alter */
  constructor(api: Api, tap: TapApi, proto: string) {
    this.#api = api;
    this.#tap = tap;
    this.#proto = proto;
    const identity = environmentOf().spec.linkerd.identity;
    const certificate = makeServerCertificate("node", identity, makeWebhookCa(identity, new Date()), new Date());
    this.#kubelet = createHttps({ cert: certificate.certificate, key: privateKeyPem(certificate) }, (request, response) => {
      const [, , namespace, pod] = (request.url ?? "").split("/");
      response.end(this.#logs.get(`${namespace}/${pod}`) ?? "");
    });
  }

  /** Starts to watch for probe pods. @returns the port on loopback at which the stand-in serves logs */
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.#kubelet.listen(0, "127.0.0.1", resolve));
    this.#blackHole = await this.#digBlackHole();
    this.#timer = setInterval(() => void this.#look().catch(() => {}), 200);
    return (this.#kubelet.address() as AddressInfo).port;
  }

  /** Sets the log of a pod that is not a probe. */
  setLog(namespace: string, pod: string, text: string): void {
    this.#logs.set(`${namespace}/${pod}`, text);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const child of this.#running) child.kill("SIGKILL");
    this.#kubelet.closeAllConnections();
    this.#kubelet.close();
  }

  /**
   * Opens a port whose connection queue is full, and returns the port. Connections to this port time out, as they do if
   * a firewall drops the packets.
   */
  async #digBlackHole(): Promise<number> {
    const program = `
import socket, time
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen(0)
port = server.getsockname()[1]
fill = []
for _ in range(4):
    each = socket.socket(); each.setblocking(False); fill.append(each)
    try: each.connect(("127.0.0.1", port))
    except BlockingIOError: pass
print(port, flush=True); time.sleep(100000)`;
    const child = spawn("python3", ["-c", program], { stdio: ["ignore", "pipe", "inherit"] });
    this.#running.add(child);
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    await until("a black hole", async () => text.includes("\n"), 10);
    return Number(text);
  }

  async #look(): Promise<void> {
    for (const pod of await this.#api.list("/api/v1/pods?labelSelector=meshops.dev/verify")) {
      const uid = pod.metadata.uid ?? "";
      if (this.#known.has(uid) || pod["spec"].nodeName === undefined) continue;
      this.#known.add(uid);
      void this.#run(pod).catch((error: unknown) => console.error(`probe ${pod.metadata.name}: ${String(error)}`));
    }
  }

  async #run(pod: ApiObject): Promise<void> {
    const meshed = proxyOf(pod) !== undefined;
    const { namespace, name } = pod.metadata;
    if (meshed && this.faults.proxyNeverReady) {
      await this.#setStatus(pod, "Pending", { waiting: { reason: "PodInitializing" } });
      return;
    }
    await this.#setStatus(pod, "Running", { running: { startedAt: new Date().toISOString() } });
    const closers: (() => void)[] = [];
    const addresses = await this.#wire(pod, closers);
    const container = pod["spec"].containers.find((each: { name: string }) => each.name === "probe");
    const [command = "sh", ...args] = [...container.command].map((word: string) => addresses.get(word) ?? word) as string[];
    const env = Object.fromEntries(
      container.env.map(({ name: key, value }: { name: string; value: string }) => [key, addresses.get(value) ?? value]),
    );
    const child = spawn(command, args, {
      env: {
        ...env,
        PATH: `${join(pydgraph, "bin")}:${join(tool("grpcurl"), "..")}:${process.env["PATH"]}`,
        DGRAPH_PROTO: this.#proto,
        TMPDIR: mkdtempSync(join(tmpdir(), "probe-")),
      },
    });
    this.#running.add(child);
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (log += chunk));
    const exitCode = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 137)));
    this.#running.delete(child);
    for (const close of closers) close();
    this.#logs.set(`${namespace}/${name}`, log);
    const now = new Date().toISOString();
    await this.#setStatus(pod, meshed ? "Running" : "Succeeded", {
      terminated: { exitCode, reason: "Completed", startedAt: now, finishedAt: now },
    });
  }

  /**
   * Starts the servers to which a probe connects. Reads the addresses of the servers from the probe's command. Returns
   * the loopback address that replaces each of these addresses. The caller stops the servers with `closers`.
   */
  async #wire(pod: ApiObject, closers: (() => void)[]): Promise<Map<string, string>> {
    const [policies, alphas, profiles] = await Promise.all([
      this.#policies(),
      this.#api.list("/api/v1/namespaces/dgraph/pods?labelSelector=app=dgraph,component=alpha"),
      this.#api.list("/apis/linkerd.io/v1alpha2/namespaces/dgraph/serviceprofiles"),
    ]);
    const names = alphas.map(({ metadata }) => metadata.name);
    const counts = new Map(names.map((each) => [each, 0]));
    const meshed = proxyOf(pod) !== undefined;
    const [target] = alphas;
    if (target === undefined) throw new Error("no Alpha");
    let turn = 0;
    const fate =
      (port: number) =>
      (path: string): Fate => {
        const attempt: Attempt = { from: peer(pod), to: peer(target), port, get: path };
        const verdict = judge(
          attempt,
          this.faults.noEngine
            ? { ...policies, objects: policies.objects.filter(({ kind }) => kind !== "NetworkPolicy") }
            : policies,
        );
        if (verdict === "network") return "unreachable";
        if (meshed && anchors(pod) !== anchors(target)) return "untrusted";
        if (verdict === "mesh") return "denied";
        const chosen = names[this.faults.allToOne ? 0 : turn++ % names.length] ?? "";
        counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
        const route = profiles.length > 0 && path.startsWith("/api.Dgraph/") ? path.slice(path.lastIndexOf("/") + 1) : null;
        if (meshed)
          this.#tap.report({ pod: pod.metadata.name, path, tls: this.faults.plaintext ? "no_tls_from_remote" : "true", route });
        return "pass";
      };
    // If a NetworkPolicy denies a connection, the packets are dropped. A probe without a proxy then waits until its own
    // timeout. A probe with a proxy receives an error from the proxy.
    const lead = async (port: number, serve: () => Promise<number>): Promise<string> =>
      `127.0.0.1:${!meshed && fate(port)("/") === "unreachable" ? this.#blackHole : await serve()}`;
    const host = "demo-dgraph-alpha.dgraph.svc.cluster.local";
    const [http, grpc, admin] = [
      await lead(8080, () => this.alphas.http(fate(8080), closers)),
      await lead(9080, () => this.alphas.grpc(fate(9080), closers)),
      await metrics(counts, closers),
    ];
    const direct = await lead(4143, () => cutOff(closers));
    return new Map([
      [`${host}:8080`, http],
      [`${host}:9080`, grpc],
      [`${target["status"].podIP}:4143`, direct],
      ["127.0.0.1:4191", `127.0.0.1:${admin}`],
    ]);
  }

  async #policies(): Promise<Policies> {
    const [network, servers, authorizations, authentications] = await Promise.all([
      this.#api.list("/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies"),
      this.#api.list("/apis/policy.linkerd.io/v1beta3/namespaces/dgraph/servers"),
      this.#api.list("/apis/policy.linkerd.io/v1alpha1/namespaces/dgraph/authorizationpolicies"),
      this.#api.list("/apis/policy.linkerd.io/v1alpha1/namespaces/dgraph/meshtlsauthentications"),
    ]);
    const of = (kind: string, objects: ApiObject[]): Policies["objects"] => objects.map((each) => ({ ...each, kind })) as never;
    const objects = [
      ...of("NetworkPolicy", network),
      ...of("Server", servers),
      ...of("AuthorizationPolicy", authorizations),
      ...of("MeshTLSAuthentication", authentications),
    ];
    const plain = JSON.parse(JSON.stringify(objects)) as { spec: { accessPolicy?: string } }[];
    // The API server adds the CRD's default `accessPolicy: deny` to Servers. The stand-in removes this value, because
    // the evaluator uses the same default.
    for (const { spec } of plain) if (spec.accessPolicy === "deny") delete spec.accessPolicy;
    return { objects: plain as never, transportHeader: true };
  }

  async #setStatus({ metadata, spec }: ApiObject, phase: string, state: object): Promise<void> {
    const others = (spec.containers as { name: string; image: string }[]).filter(({ name }) => name !== "probe");
    const running = { running: { startedAt: new Date().toISOString() } };
    const status = (name: string, image: string, own: object): object => ({
      name,
      image,
      imageID: "",
      ready: true,
      restartCount: 0,
      state: own,
    });
    const containerStatuses = [
      status("probe", "probe", state),
      ...others.map(({ name, image }) => status(name, image, "waiting" in state ? state : running)),
    ];
    await this.#api.merge(`/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`, {
      status: { phase, podIP: "10.245.0.9", containerStatuses },
    });
  }
}

function proxyOf(pod: ApiObject): { env: { name: string; value?: string }[] } | undefined {
  return [...pod["spec"].containers, ...(pod["spec"].initContainers ?? [])].find(({ name }) => name === "linkerd-proxy");
}

function anchors(pod: ApiObject): string | undefined {
  return proxyOf(pod)
    ?.env.find(({ name }) => name.endsWith("TRUST_ANCHORS"))
    ?.value?.trim();
}

function peer(pod: ApiObject): Peer {
  const ports = (key: string): number[] =>
    (pod.metadata.annotations?.[`config.linkerd.io/${key}`] ?? "").split(",").filter(Boolean).map(Number);
  return {
    namespace: pod.metadata.namespace ?? "",
    labels: pod.metadata.labels ?? {},
    serviceAccount: pod["spec"].serviceAccountName ?? "default",
    proxy:
      proxyOf(pod) === undefined
        ? null
        : { opaque: ports("opaque-ports"), skipInbound: ports("skip-inbound-ports"), skipOutbound: ports("skip-outbound-ports") },
    probes: [{ port: 8080, path: "/health" }],
    kubelet: false,
  };
}

/**
 * Starts a server with the metrics that a probe's proxy would serve. Returns the port.
 *
 * @param counts number of requests to each pod, keyed by the name of the pod
 */
async function metrics(counts: ReadonlyMap<string, number>, closers: (() => void)[]): Promise<number> {
  const server = createServer((_, response) => {
    const lines = [...counts].map(
      ([pod, count]) => `request_total{direction="outbound",authority="alpha",dst_pod="${pod}",tls="true"} ${count}\n`,
    );
    response.end(`# TYPE request_total counter\n${lines.join("")}request_total{direction="inbound"} 7\n`);
  });
  closers.push(() => server.close().closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/**
 * Starts a server that closes every connection, as the inbound port of a proxy does for clients without a proxy.
 * Returns the port.
 */
async function cutOff(closers: (() => void)[]): Promise<number> {
  const server = createServer();
  server.on("connection", (socket) => socket.destroy());
  closers.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
