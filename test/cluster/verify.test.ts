import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import { makeServerCertificate, makeWebhookCa } from "../../generator/identity/authority.ts";
import { meshops } from "../support/cli.ts";
import { withCluster, withPydgraph } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { environmentOf } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { makeGitPlatform, type Platform } from "./harness/platform.ts";
import { ProbeNode } from "./harness/probe-node.ts";
import { until } from "./harness/processes.ts";
import type { User } from "./harness/users.ts";

interface CheckResult {
  readonly id: string;
  readonly status: string;
  readonly cause: string | null;
  readonly seen: string;
  readonly durationMs: number;
}

/*
 * The probes run commands that use the Python packages in the image of the test client. Therefore this test needs
 * pydgraph.
 */
withPydgraph("verify", () =>
  withCluster("on a real API server", () => {
    let cluster: Cluster;
    let platform: Platform;
    let node: ProbeNode;
    const table: string[] = [];

    beforeAll(async () => {
      platform = await makeGitPlatform({ linkerd: { version: "edge-25.10.7" } });
      cluster = await Cluster.startFor(platform);
      await cluster.bootstrap();
      await cluster.settled(await cluster.git.publish());
      node = new ProbeNode(cluster.api, cluster.webhooks.tap, join(projectRoot, "test/client/api.proto"));
      cluster.webhooks.kubelet = await node.start();
    });
    afterAll(async () => {
      node?.stop();
      await cluster?.stop();
      console.log(table.join("\n"));
    });

    /**
     * Starts `meshops verify` as a process. When the process ends, `done` resolves with the exit code and the output.
     */
    function start(
      args: readonly string[],
      user: User = "admin",
    ): { child: ReturnType<typeof spawn>; done: Promise<{ code: number; out: string; err: string }> } {
      const child = spawn(
        process.execPath,
        [
          join(projectRoot, "dist/cli.js"),
          "--directory",
          platform.root,
          "verify",
          "own",
          "--context",
          "harness",
          "--kubeconfig",
          cluster.plane.kubeconfigFile(user),
          ...args,
        ],
        { env: { PATH: process.env["PATH"] ?? "", HOME: cluster.plane.folder } },
      );
      let [out, err] = ["", ""];
      child.stdout.on("data", (chunk) => (out += chunk));
      child.stderr.on("data", (chunk) => (err += chunk));
      return { child, done: once(child, "close").then(([code]) => ({ code: Number(code), out, err })) };
    }

    async function verify(
      args: readonly string[] = [],
      user: User = "admin",
    ): Promise<{ code: number; tests: CheckResult[]; err: string }> {
      const flags = ["--context", "harness", "--kubeconfig", cluster.plane.kubeconfigFile(user)];
      const { code, stdout, stderr } = await meshops(platform.root, ["verify", "own", ...flags, "--output", "json", ...args]);
      if (stdout === "") throw new Error(stderr);
      return { code: code ?? -1, tests: (JSON.parse(stdout) as { tests: CheckResult[] }).tests, err: stderr };
    }

    /** Returns `<status>: <cause>` for each check that failed or is undecided, keyed by the ID of the check. */
    const wrong = (tests: readonly CheckResult[]): Record<string, string> =>
      Object.fromEntries(
        tests
          .filter(({ status }) => status === "failed" || status === "undecided")
          .map(({ id, status, cause }) => [id, `${status}: ${cause}`]),
      );

    /**
     * Changes objects, runs an action, and restores the objects. Returns the result of the action.
     *
     * @param change edits an object in place; if it returns null, the object is deleted
     */
    async function changed<T>(
      paths: readonly string[],
      change: (object: ApiObject) => unknown,
      action: () => Promise<T>,
    ): Promise<T> {
      const before: [string, ApiObject][] = [];
      for (const path of paths) {
        const object = await cluster.api.get(path);
        if (object === null) throw new Error(`no ${path}`);
        before.push([path, structuredClone(object)]);
        if (change(object) === null) await cluster.api.delete(path);
        else await cluster.api.send("PUT", path, object);
      }
      try {
        return await action();
      } finally {
        for (const [path, object] of before) {
          delete object.metadata.uid;
          delete object.metadata.resourceVersion;
          const there = await cluster.api.get(path);
          if (there === null) await cluster.api.send("POST", path.slice(0, path.lastIndexOf("/")), object);
          else
            await cluster.api.send("PUT", path, {
              ...object,
              metadata: { ...object.metadata, resourceVersion: there.metadata.resourceVersion },
            });
        }
      }
    }

    async function allOf(kind: string): Promise<string[]> {
      return (await cluster.api.list(kind)).map(({ metadata }) => `${kind}/${metadata.name}`);
    }

    const policies = "/apis/policy.linkerd.io/v1alpha1/namespaces/dgraph";
    const network = "/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies";
    const servers = "/apis/policy.linkerd.io/v1beta3/namespaces/dgraph/servers";
    const secrets = "/api/v1/namespaces/linkerd/secrets";

    test("all checks pass on an intact cluster", async () => {
      const began = Date.now();
      const page = join(scratchFolder("report"), "report.html");
      const { code, tests, err } = await verify(["--write", "--report", page]);
      expect(wrong(tests), err).toEqual({});
      expect(code).toBe(0);
      expect(tests.filter(({ status }) => status === "skipped").map(({ id }) => id)).toEqual(["T0", "M8"]);
      expect(tests).toHaveLength(19);
      // If the probes ran one after another, the whole run would take longer than the sum of their durations.
      const probes = tests.filter(({ id }) => ["T1", "T2a", "T2b", "T2c"].includes(id));
      expect(Date.now() - began).toBeLessThan(probes.reduce((sum, { durationMs }) => sum + durationMs, 0));
      expect(readFileSync(page, "utf8")).toContain("the AuthorizationPolicy refuses the HTTP and gRPC calls");
      expect(await leftovers()).toEqual([]);
      if (process.env["MESHOPS_REPORT"] !== undefined) writeFileSync(process.env["MESHOPS_REPORT"], readFileSync(page));
    });

    test("without an image for probes, verify runs only the tests that need no probe", async () => {
      const file = join(platform.root, "environments/own.yaml");
      const text = readFileSync(file, "utf8");
      const withoutClient = parseDocument(text);
      withoutClient.setIn(["spec", "pydgraphClient"], { enabled: false });
      writeFileSync(file, withoutClient.toString());
      try {
        const { code, tests } = await verify();
        expect(wrong(tests)).toEqual({});
        expect(code).toBe(0);
        const skipped = tests.filter(({ seen }) => seen.includes("no default image for the probe")).map(({ id }) => id);
        expect(skipped).toEqual(["T0", "T1", "T2a", "T2b", "T2c", "T3", "D1", "D2", "D3", "D4", "D5"]);
        expect(tests).toHaveLength(19);
        expect(await leftovers()).toEqual([]);
      } finally {
        writeFileSync(file, text);
      }
    });

    /** Returns the names of the objects that `meshops verify` created and did not delete. */
    async function leftovers(): Promise<string[]> {
      const pods = await cluster.api.list("/api/v1/pods?labelSelector=meshops.dev/verify");
      const accounts = (await cluster.api.list("/api/v1/serviceaccounts")).filter(({ metadata }) =>
        metadata.name.startsWith("meshops-verify"),
      );
      const namespaces = (await cluster.api.list("/api/v1/namespaces")).filter(({ metadata }) =>
        metadata.name.startsWith("meshops-verify"),
      );
      return [...pods, ...accounts, ...namespaces]
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ metadata }) => metadata.name);
    }

    const broken: Record<
      string,
      { args?: string[]; run: (verify: () => Promise<CheckResult[]>) => Promise<CheckResult[]>; expected: Record<string, RegExp> }
    > = {
      "no policy": {
        run: async (look) =>
          changed(
            [...(await allOf(network)), ...(await allOf(servers)), ...(await allOf(`${policies}/authorizationpolicies`))],
            () => null,
            look,
          ),
        expected: {
          T1: /^failed: no NetworkPolicy selects/,
          T2b: /^failed: no NetworkPolicy selects/,
          T2c: /^failed: no NetworkPolicy selects/,
        },
      },
      "policy without 4143": {
        run: async (look) =>
          changed(
            await allOf(network),
            ({ spec }) => {
              const from = [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "pydgraph-client" } } }];
              spec.ingress = [{ from, ports: [8080, 9080].map((port) => ({ port, protocol: "TCP" })) }];
            },
            look,
          ),
        expected: {
          T2a: /^failed: .* port 4143 of Alpha/,
          T2b: /^undecided: .* port 4143/,
          T3: /^failed/,
          D1: /T2a/,
          D2: /T2a/,
          D3: /T2a/,
          D5: /T2a/,
        },
      },
      "another service account on the lists": {
        run: async (look) =>
          changed(
            await allOf(`${policies}/meshtlsauthentications`),
            ({ metadata, spec }) => {
              if (/http|grpc/.test(metadata.name))
                spec.identityRefs = [{ kind: "ServiceAccount", name: "other", namespace: "elsewhere" }];
            },
            look,
          ),
        expected: {
          T2a: /^failed: the AuthorizationPolicy of port 8080 lists other.elsewhere, but not pydgraph-client.pydgraph-client.*of port 9080/,
          ...{ T3: /^failed/, D1: /refuse.*: see test T2a/, D2: /refuse/, D3: /refuse/, D5: /T2a/ },
        },
      },
      "no Server and a policy that targets nothing": {
        run: async (look) =>
          changed(
            await allOf(`${policies}/authorizationpolicies`),
            ({ spec }) => {
              spec.targetRef.name = "nothing";
            },
            async () => changed(await allOf(servers), () => null, look),
          ),
        expected: { T2b: /^failed: no Server selects port 8080 and 9080/ },
      },
      "expired issuer": {
        args: ["--probe-timeout", "20"],
        run: async (look) => {
          node.faults.proxyNeverReady = true;
          const { identity } = environmentOf().spec.linkerd;
          const past = new Date(Date.now() - 3 * 365 * 86_400_000);
          const expired = makeServerCertificate("x", identity, makeWebhookCa(identity, past), past).certificate;
          const data = Buffer.from(expired).toString("base64");
          return changed(
            [`${secrets}/linkerd-identity-issuer`],
            (secret) => {
              secret["data"]["tls.crt"] = data;
            },
            look,
          ).finally(() => {
            node.faults.proxyNeverReady = false;
          });
        },
        expected: {
          // M2 also fails, because no trust anchor in the trust bundle has signed the expired certificate.
          M2: /^failed: no trust anchor in the trust bundle signed the issuer's certificate/,
          M3: /^failed: run meshops identity rotate-issuer own/,
          ...{ T2a: /the proxy is not ready.*M3/, T2b: /M3/, T3: /M3/, D1: /M3/, D2: /M3/, D3: /M3/, D5: /M3/ },
        },
      },
      "mismatched bundle": {
        run: async (look) => {
          const other = makeWebhookCa(environmentOf().spec.linkerd.identity, new Date()).certificate;
          return changed(
            ["/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots"],
            (roots) => {
              roots["data"]["ca-bundle.crt"] = other;
            },
            look,
          );
        },
        expected: {
          M2: /^failed: no trust anchor in the trust bundle signed the issuer's certificate/,
          M3: /^failed: the trust bundle does not contain the issuer's trust anchor/,
          T2a: /^failed: the proxies of the probe and of Alpha trust different trust anchors/,
          ...{ T2b: /^undecided/, T3: /^failed/, D1: /T2a/, D2: /T2a/, D3: /T2a/, D5: /T2a/ },
        },
      },
      "stale caBundle": {
        run: async (look) => {
          const other = Buffer.from(makeWebhookCa(environmentOf().spec.linkerd.identity, new Date()).certificate).toString(
            "base64",
          );
          const path =
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config";
          return changed(
            [path],
            (hooks) => {
              hooks["webhooks"][0].clientConfig.caBundle = other;
            },
            look,
          );
        },
        expected: {
          M4: /^failed/,
          T2a: /has no proxy.*M4/,
          T2b: /has no proxy.*M4/,
          T3: /^failed/,
          D1: /T2a/,
          D2: /T2a/,
          D3: /T2a/,
          D5: /T2a/,
        },
      },
      "a Dgraph pod without a proxy": {
        run: async (look) => {
          const labels = { app: "dgraph", release: "demo", component: "zero" };
          const spec = { containers: [{ name: "dgraph", image: "dgraph" }] };
          await cluster.api.apply({
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "stray", namespace: "dgraph", labels, annotations: { "linkerd.io/inject": "disabled" } },
            spec,
          });
          return look().finally(() => cluster.api.delete("/api/v1/namespaces/dgraph/pods/stray"));
        },
        expected: { M5: /^failed: the API server did not call the injector/ },
      },
      "one Alpha gets all requests": { run: (look) => withFault("allToOne", look), expected: { D5: /^failed/ } },
      "NetworkPolicies are not enforced": {
        run: (look) => withFault("noEngine", look),
        expected: { T1: /^failed: .*the cluster does not enforce NetworkPolicies/ },
      },
      "no TLS": { run: (look) => withFault("plaintext", look), expected: { T3: /^failed: the proxies do not use mTLS/ } },
      "Alphas started before tap": {
        run: (look) => {
          cluster.webhooks.tap.enabled = false;
          return look().finally(() => {
            cluster.webhooks.tap.enabled = true;
          });
        },
        expected: { T3: /^failed: no pods to tap.*restart these pods/s },
      },
      "two Zeros dead": {
        run: (look) => {
          node.alphas.faults.zerosAlive = 1;
          return look().finally(() => {
            node.alphas.faults.zerosAlive = 3;
          });
        },
        expected: { D1: /^failed/ },
      },
      "writes are lost": {
        args: ["--write"],
        run: (look) => {
          node.alphas.faults.writesLost = true;
          return look().finally(() => {
            node.alphas.faults.writesLost = false;
          });
        },
        expected: { D4: /^failed: the Alpha that answered did not have the new value yet, or the write was lost/ },
      },
    };

    async function withFault<T>(name: keyof ProbeNode["faults"], action: () => Promise<T>): Promise<T> {
      node.faults[name] = true;
      return action().finally(() => {
        node.faults[name] = false;
      });
    }

    describe("broken clusters", () => {
      test.each(Object.keys(broken))(
        "%s",
        async (name) => {
          const { args = [], run, expected } = broken[name] as (typeof broken)[string];
          const tests = await run(async () => (await verify(args)).tests);
          const found = wrong(tests);
          table.push(
            `${name.padEnd(36)} ${Object.entries(found)
              .map(([id, text]) => `${id}${text.startsWith("undecided") ? "?" : ""}`)
              .join(" ")}`,
          );
          for (const [id, pattern] of Object.entries(expected))
            expect(found[id], `${id} of ${JSON.stringify(found, null, 1)}`).toMatch(pattern);
          expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
          expect(await leftovers()).toEqual([]);
        },
        120_000,
      );
    });

    test("verify --baseline removes the NetworkPolicies during T0, and restores them", async () => {
      const before = (await allOf(network)).length;
      const { tests, err } = await verify(["--only", "T0,T1", "--baseline"]);
      expect(
        tests.map(({ id, status }) => `${id} ${status}`),
        err,
      ).toEqual(["T0 passed", "T1 passed"]);
      expect(await allOf(network)).toHaveLength(before);
      const policy = await cluster.api.get(
        "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/dgraph-policy",
      );
      expect(policy?.["spec"].suspend ?? false).toBe(false);
    });

    test("after Ctrl-C during --baseline, verify restores the NetworkPolicies, and deletes all objects that it created", async () => {
      const before = (await allOf(network)).length;
      const { child, done } = start(["--only", "T0", "--baseline"]);
      await until("the policy is gone", async () => (await allOf(network)).length === 0, 30);
      child.kill("SIGINT");
      const { code, err } = await done;
      expect(code, err).toBe(130);
      expect(await allOf(network)).toHaveLength(before);
      expect(await leftovers()).toEqual([]);
    });

    describe("permissions", () => {
      const bind = async (rules: object[]): Promise<void> => {
        await cluster.api.apply({
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRole",
          metadata: { name: "probing" },
          rules,
        } as ApiObject);
        await cluster.api.apply({
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRoleBinding",
          metadata: { name: "probing" },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "probing" },
          subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "restricted" }],
        } as ApiObject);
      };
      const groups = [
        "",
        "apps",
        "networking.k8s.io",
        "policy.linkerd.io",
        "linkerd.io",
        "admissionregistration.k8s.io",
        "apiregistration.k8s.io",
        "kustomize.toolkit.fluxcd.io",
      ];

      test("without the permission to use tap, only the check T3 does not pass", async () => {
        await bind([{ apiGroups: groups, resources: ["*"], verbs: ["*"] }]);
        const { code, tests } = await verify([], "restricted");
        expect(code).toBe(1);
        expect(Object.keys(wrong(tests))).toEqual(["T3"]);
        expect(wrong(tests)["T3"]).toMatch(/you are not allowed to use tap \(bind the ClusterRole linkerd-linkerd-viz-tap-admin/);
      });

      test("without permission to create pods or to read Secrets, the checks that need it are undecided, with the reason", async () => {
        const resources = ["namespaces", "pods", "configmaps"];
        await bind([
          { apiGroups: [""], resources, verbs: ["get", "list"] },
          { apiGroups: groups.slice(1), resources: ["*"], verbs: ["get", "list"] },
        ]);
        const { code, tests } = await verify([], "restricted");
        expect(code).toBe(1);
        const found = wrong(tests);
        expect(found["T1"]).toMatch(/^undecided: cannot create Namespace meshops-verify-.*forbidden/);
        expect(found["T2a"]).toMatch(/^undecided: cannot create Pod verify-allowed.*forbidden/);
        expect(found["M3"]).toMatch(/^undecided: you are not allowed to read Secrets/);
      });
    });

    test("if the API server stops during a run, verify reports an error, and lists the objects that it could not delete", async () => {
      const { done } = start(["--only", "T1,T2"]);
      await until(
        "probes exist",
        async () => (await cluster.api.list("/api/v1/pods?labelSelector=meshops.dev/verify")).length > 0,
        30,
      );
      await cluster.plane.processes.kill("kube-apiserver");
      const { code, err } = await done;
      expect(code, err).toBe(3);
      expect(err).toMatch(/cannot be reached/);
      expect(err).toMatch(/could not delete Pod verify-/);
      await cluster.plane.startApiServer();
    });
  }),
);
