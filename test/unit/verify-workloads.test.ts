import { spawn } from "node:child_process";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { afterAll, describe, expect, test } from "vitest";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import { type Probe, probePod, readProbe } from "../../generator/cluster/verify/probe.ts";
import type { Run } from "../../generator/cluster/verify/run.ts";
import type { ProbeRun } from "../../generator/cluster/verify/run-probe.ts";
import { testsOf } from "../../generator/cluster/verify/tests.ts";
import { testedSets } from "../../generator/cluster/verify/workload-probes.ts";
import { workloadTests } from "../../generator/cluster/verify/workload-tests.ts";
import { buildModel } from "../../generator/components/build.ts";
import type { Call, CallResult, ClusterState } from "../../generator/components/check.ts";
import type { CheckResult } from "../../generator/components/check-result.ts";
import { generatedObjects } from "../../generator/components/model.ts";
import { outcomeOf } from "../../generator/components/outcome.ts";
import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../generator/identity/authority.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { describedPod } from "../../generator/mesh/described-pod.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import { environmentOf, environmentOfShop, sampleIdentity } from "../support/specs.ts";

describe("the script of a probe, with the real curl", () => {
  const open: { close(): unknown }[] = [];
  afterAll(() => {
    for (const server of open) server.close();
  });

  async function listen(server: Server): Promise<string> {
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const http = (status: number, headers: Record<string, string> = {}): Promise<string> =>
    listen(createHttp((_, response) => response.writeHead(status, headers).end("body")));
  const http2 = (headers: Record<string, string | number>): Promise<string> => {
    const server = createHttp2();
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.respond(headers);
      stream.end();
    });
    return listen(server as unknown as Server);
  };
  const tcp = (greeting: "greet" | "wait" | "close" | "reset"): Promise<string> =>
    listen(
      createTcp((socket) => {
        socket.on("error", () => {});
        if (greeting === "greet") socket.write(Buffer.from([0x4a, 0, 0, 0, 0x0a, 0x38, 0]));
        if (greeting === "close") socket.end();
        if (greeting === "reset") socket.resetAndDestroy();
      }),
    );

  const tls = (): Promise<string> => {
    const settings = environmentOf().spec.linkerd.identity;
    const pair = makeServerCertificate("shop", settings, makeWebhookCa(settings, new Date()), new Date());
    const server = createHttps({ cert: pair.certificate, key: privateKeyPem(pair) }, (_, response) => response.end("body"));
    return listen(server);
  };

  test("distinguishes a call that reaches the port from a refused call, for each kind of call", async () => {
    const calls: readonly (readonly [Call, string])[] = [
      [{ kind: "http", name: "http", address: await http(404), path: "/" }, "answered"],
      [
        { kind: "http", name: "http-denied", address: await http(403, { "l5d-proxy-error": "unauthorized" }), path: "/" },
        "denied",
      ],
      [{ kind: "http", name: "http-broken", address: await http(503), path: "/" }, "broken"],
      [{ kind: "http2", name: "grpc", address: await http2({ ":status": 200, "grpc-status": 12 }), grpc: true }, "answered"],
      [{ kind: "http2", name: "grpc-denied", address: await http2({ ":status": 200, "grpc-status": 7 }), grpc: true }, "denied"],
      [{ kind: "http2", name: "h2-denied", address: await http2({ ":status": 403 }), grpc: false }, "denied"],
      [{ kind: "tcp", name: "greets", address: await tcp("greet") }, "answered"],
      [{ kind: "tcp", name: "waits", address: await tcp("wait") }, "answered"],
      [{ kind: "tcp", name: "closes", address: await tcp("close") }, "silent"],
      [{ kind: "tcp", name: "resets", address: await tcp("reset") }, "silent"],
      [{ kind: "tcp", name: "nobody", address: "127.0.0.1:1" }, "silent"],
      [{ kind: "tls", name: "tls", address: await tls() }, "answered"],
      [{ kind: "tls", name: "tls-refused", address: await tcp("close") }, "silent"],
      [{ kind: "http", name: "nobody-http", address: "127.0.0.1:1", path: "/" }, "silent"],
      [{ kind: "http2", name: "nobody-http2", address: "127.0.0.1:1", grpc: true }, "silent"],
    ];
    const probe: Probe = {
      name: "probe",
      namespace: "a",
      serviceAccount: "b",
      meshed: true,
      calls: calls.map(([call]) => call),
      protoVariable: "MESHOPS_NO_PROTO",
    };
    const container = (
      probePod(probe, "image", "run", 60).spec as { containers: { command: string[]; env: { name: string; value: string }[] }[] }
    ).containers[0];
    const [command = "", ...args] = container?.command ?? [];
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
    const child = spawn(command, args, { env: { ...env, PATH: process.env["PATH"] } });
    let log = "";
    child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    const results = readProbe(log);
    for (const [call, expected] of calls) {
      const result = results.get(call.name);
      expect(result, call.name).toBeDefined();
      if (call.kind === "spread" || result === undefined) throw new Error(call.name);
      expect(outcomeOf(call.kind, result), `${call.name}: ${result.output}`).toBe(expected);
    }
  });
});

const environment = environmentOfShop({
  api: {
    selector: { matchLabels: { app: "shop" } },
    serviceAccountName: "shop",
    ports: { http: { port: 8080, protocol: "HTTP/1" }, db: { port: 5432, protocol: "opaque" } },
    access: {
      mode: "enforce",
      clients: { web: { serviceAccountRef: { namespace: "web", name: "web" }, ports: ["http"] } },
    },
  },
});
const model = buildModel({ environment, identity: sampleIdentity() });
const generated = generatedObjects(model.components);
const [shop] = testedSets(model);

/** Returns a running and ready pod of the set `shop/api`. @param change changes the pod */
function pod(change: (pod: KubernetesObject) => KubernetesObject = (same) => same): KubernetesObject {
  if (shop === undefined) throw new Error("no set is tested");
  const described = describedPod(shop, null);
  return change({
    ...described,
    status: { phase: "Running", podIP: "10.1.0.5", conditions: [{ type: "Ready", status: "True" }] },
  } as KubernetesObject);
}

/**
 * Runs the tests of workloads with a replacement for the cluster and for the probes. Returns the finding of the last
 * test. The replacement calculates the result of each call of a probe from the policies.
 *
 * @param policies policies in the cluster
 * @param pods pods in the cluster
 * @param trouble reason why the probes cannot run; null if the probes can run
 */
async function findingWith(
  policies: readonly KubernetesObject[],
  pods: readonly KubernetesObject[],
  trouble: string | null = null,
  { of = model, metrics = null as string | null } = {},
): Promise<CheckResult | null> {
  const release = linkerdRelease("edge-26.8.3");
  let found: CheckResult | null = null;
  const run = {
    id: "abc123",
    model: of,
    cluster: { fetchFromPod: async () => metrics },
    options: { image: null, curlImage: "curl:1" },
    state: { pods, policies, namespaces: [], installation: { release } } as unknown as ClusterState,
    resources: { trouble: null, unlistedAccountIn: async () => null },
    wants: () => true,
    probe: async (probe: Probe): Promise<ProbeRun> => {
      const results = probe.calls.map((call): [string, CallResult] => {
        const port = Number(call.address.split(":").at(-1));
        const from = {
          namespace: probe.namespace,
          labels: probe.meshed ? { "linkerd.io/control-plane-ns": "linkerd" } : {},
          identity: probe.meshed ? { namespace: probe.namespace, name: probe.serviceAccount } : null,
        };
        const { refusedBy } = evaluate({ from, to: pods[0] ?? pod(), port }, policies, { release });
        const output =
          call.kind === "tcp"
            ? refusedBy === null
              ? "curl: (28) Time-out\nconnected 0.001"
              : "connected 0.001"
            : refusedBy?.layer === "mesh"
              ? "HTTP/1.1 403 Forbidden\nl5d-proxy-error: unauthorized"
              : "HTTP/1.1 200 OK";
        return [call.name, { name: call.name, exit: call.kind === "http" && refusedBy?.layer === "network" ? 28 : 0, output }];
      });
      const proxied = pod();
      return { probe, pod: proxied, results: new Map(results), trouble, notes: [] };
    },
    report: (_: string, __: number, finding: CheckResult) => (found = finding),
  } as unknown as Run;
  await workloadTests(run);
  return found;
}

describe("verify of workloads", () => {
  test("has one test for each set of pods that policies protect; the test does not need the image of the test client", () => {
    expect(testsOf(model).filter(({ id }) => id.includes("/"))).toMatchObject([{ id: "shop/api", needsProbe: false }]);
  });

  test("passes if the cluster has the generated policies", async () => {
    // There are three probes: one with a service account in `access.clients`, one with a service account that is not in
    // `access.clients`, and one without a proxy. Each of the three probes calls two ports.
    expect(await findingWith(generated, [pod()])).toMatchObject({
      status: "passed",
      seen: "6 tested connections match the spec",
    });
  });

  const without = (name: string): KubernetesObject[] =>
    generated.filter(({ kind, metadata }) => `${kind} ${metadata.name}` !== name);

  test.each([
    [
      "a Server was deleted",
      without("Server shop-api-db"),
      "web/web can connect to port db, an undeclared client in namespace web can connect to port db",
      "the policies in the cluster admit web/web at shop/api port db (default inbound policy all-unauthenticated)",
    ],
    [
      "the NetworkPolicy was deleted, and a Server admits everyone",
      [...generated.filter(({ kind }) => !["NetworkPolicy", "Server"].includes(kind))],
      "a pod without a proxy can connect to port http",
      "the policies in the cluster admit a pod without a proxy",
    ],
    [
      "the AuthorizationPolicy was deleted",
      without("AuthorizationPolicy shop-api-http"),
      "web/web cannot connect to port http",
      "Server shop-api-http in the cluster refuses web/web at shop/api port http",
    ],
  ])("fails if %s", async (_, policies, seen, cause) => {
    const finding = await findingWith(policies, [pod()]);
    expect(finding?.status).toBe("failed");
    expect(finding?.seen).toContain(seen);
    expect(finding?.causes.join("; ")).toContain(cause);
  });

  test("for a set of pods in the mode audit, lists the clients that the mode enforce would refuse", async () => {
    const audit = environmentOfShop({
      api: {
        selector: { matchLabels: { app: "shop" } },
        ports: { http: { port: 8080, protocol: "HTTP/1" } },
        access: { mode: "audit", clients: { web: { serviceAccountRef: { namespace: "web", name: "web" } } } },
      },
    });
    const of = buildModel({ environment: audit, identity: sampleIdentity() });
    const [set] = testedSets(of);
    if (set === undefined) throw new Error("no set is tested");
    const counter = (account: string): string =>
      `inbound_http_authz_allow_total{srv_name="shop-api-http",authz_name="audit",client_id="${account}.serviceaccount.identity.linkerd.cluster.local"} 7`;
    const metrics = ["cron.reports", "web.web", "meshops-verify-abc123.web"].map(counter).join("\n");
    const pods = [pod(() => ({ ...pod(), ...describedPod(set, null), status: pod()["status"] }) as KubernetesObject)];
    const finding = (given: string | null): Promise<CheckResult | null> =>
      findingWith(generatedObjects(of.components), pods, null, { of, metrics: given });
    // The mode audit admits every client, so each probe reaches the port.
    expect(await finding(metrics)).toMatchObject({
      status: "passed",
      seen: "3 tested connections match the spec",
      notes: ["in the access mode enforce, this client would be refused: http 8080: reports/cron, 7 times"],
    });
    expect((await finding(null))?.notes[0]).toContain("meshops did not read the metrics of 1 pod of shop/api");
    expect((await findingWith(generated, [pod()]))?.notes).toEqual([]);
  });

  test("is undecided if no pod of the set is ready, or if a probe does not run", async () => {
    expect(await findingWith(generated, [])).toMatchObject({ status: "undecided", seen: "none of the selected pods is ready" });
    expect(await findingWith(generated, [pod()], "image cannot be pulled")).toMatchObject({
      status: "undecided",
      cause: "image cannot be pulled",
    });
  });
});
