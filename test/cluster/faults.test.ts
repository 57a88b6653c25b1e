import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity } from "age-encryption";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Cause } from "../../generator/cluster/status/cause.ts";
import type { StatusNode } from "../../generator/cluster/status/node.ts";
import { freeQueue } from "../../generator/cluster/status/proxy-cause.ts";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { scratchFolder, testIdentity } from "../support/platform.ts";
import { run, tool } from "../support/tools.ts";
import { Cluster } from "./harness/cluster.ts";
import { ageKeys, edit, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { until } from "./harness/processes.ts";

withCluster("faults, and how status reports them", () => {
  let cluster: Cluster;
  let platform: Platform;

  beforeAll(async () => {
    platform = await makeGitPlatform();
    cluster = await Cluster.startFor(platform);
    await cluster.bootstrap();
    await cluster.settled(await cluster.git.publish());
  });
  afterAll(() => cluster?.stop());

  const status = (...options: string[]): ReturnType<typeof meshops> =>
    meshops(platform.root, [
      "status",
      "own",
      "--kubeconfig",
      cluster.plane.kubeconfigFile("admin"),
      "--context",
      "harness",
      ...options,
    ]);

  /**
   * Waits until `meshops status` reports a cause with this code. Returns three values: the cause, the name of the node
   * that has this cause in the JSON output, and the text output.
   */
  async function waitForCause(code: Cause["code"]): Promise<{ cause: Cause; name: string; text: string }> {
    const found = await until(
      `status reports ${code}`,
      async () => {
        const { stdout } = await status("-o", "json");
        const { ready, nodes } = JSON.parse(stdout) as { ready: boolean; nodes: StatusNode[] };
        const hit = nodes.flatMap((node) => [node, ...node.children]).find(({ cause }) => cause?.code === code);
        if (hit === undefined || ready) throw new Error(stdout);
        return hit;
      },
      180,
    );
    const { stdout: text, code: exit } = await status();
    expect(exit).toBe(1);
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    return { cause: found.cause as Cause, name: found.name, text };
  }

  const pushed = async (message: string): Promise<void> => cluster.settled(await cluster.git.push(message));

  test("with a wrong age key, Flux does not apply the identity and keeps the old Secrets; with the right key, Flux applies it", async () => {
    await cluster.setAgeKey(await generateX25519Identity());
    const before = await cluster.api.get("/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer");
    await meshops(platform.root, ["identity", "rotate-issuer", "own"], { env: ageKeys() });
    await edit(platform, {});
    await cluster.git.push("a new issuer");
    const { name, cause } = await waitForCause("age-key-wrong");
    expect(name).toBe("identity");
    expect(cause.fix).toContain("meshops bootstrap own");
    expect((await cluster.api.get("/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer"))?.["data"]).toEqual(
      before?.["data"],
    );
    await cluster.setAgeKey(testIdentity().clusterKey);
    await cluster.reconcile("kustomizations", "flux-system", "identity");
    await pushed("again");
  });

  test("a missing age key is reported", async () => {
    await cluster.api.delete("/api/v1/namespaces/flux-system/secrets/sops-age");
    await cluster.reconcile("kustomizations", "flux-system", "identity");
    expect((await waitForCause("age-key-missing")).name).toBe("identity");
    await cluster.setAgeKey(testIdentity().clusterKey);
    await cluster.reconcile("kustomizations", "flux-system", "identity");
    await pushed("again");
  });

  test("a component with invalid YAML is not applied, and the other components stay ready", async () => {
    const file = join(platform.root, "overlays/own/service-profile/kustomization.yaml");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, "resources: [\n");
    await cluster.git.push("broken");
    expect((await waitForCause("build-failed")).name).toBe("service-profile");
    await until("dgraph-policy is ready", async () => /^ok dgraph-policy/m.test((await status()).stdout));
    writeFileSync(file, good);
    await pushed("fixed");
  });

  test("a chart version that does not exist is reported", async () => {
    const file = join(platform.root, "overlays/own/dgraph/release.yaml");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, good.replace("24.1.4", "24.9.9"));
    await cluster.git.push("no such chart");
    expect((await waitForCause("chart-missing")).name).toBe("dgraph");
    writeFileSync(file, good);
    await pushed("fixed");
  });

  test("for a change of an immutable field, status prints a command that deletes the StatefulSet and keeps its pods", async () => {
    await edit(platform, { dgraph: { alpha: { storage: "20Gi" } } });
    await cluster.git.push("larger volumes");
    const { cause } = await waitForCause("immutable-field");
    expect(cause.fix).toContain("kubectl delete statefulset demo-dgraph-alpha -n dgraph --cascade=orphan");
    await edit(platform, { dgraph: { alpha: { storage: "10Gi" } } });
    await pushed("fixed");
  });

  test("the steps that diff prints for larger volumes recreate the StatefulSet, keep its pods, and resize the volume claims", async () => {
    const pods = async (): Promise<string[]> =>
      (await cluster.api.list("/api/v1/namespaces/dgraph/pods")).map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
    const before = await pods();
    await edit(platform, { dgraph: { alpha: { storage: "20Gi" } } });
    const { stdout } = await meshops(platform.root, ["diff", "own"]);
    expect(stdout).toContain("volume-claim");
    const commands = stdout.split("\n").flatMap((line) => /^ {9}(\S.*)$/.exec(line)?.[1] ?? []);
    const push = commands.findIndex((command) => command.startsWith("kubectl wait"));
    expect(push).toBeGreaterThan(3);
    const bash = (script: readonly string[]): Promise<string> =>
      run("bash", ["-ec", script.join("\n")], {
        env: {
          ...process.env,
          KUBECONFIG: cluster.plane.kubeconfigFile("admin"),
          PATH: `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`,
        },
      });
    const generation =
      (await bash([...commands.slice(0, push), 'echo "generation=$generation"'])).trim().split("\n").at(-1) ?? "";
    const pushing = cluster.git.push("larger volumes, in the order of diff");
    await bash([generation, ...commands.slice(push)]);
    await cluster.settled(await pushing);
    const set = await cluster.api.get("/apis/apps/v1/namespaces/dgraph/statefulsets/demo-dgraph-alpha");
    expect(set?.["spec"].volumeClaimTemplates[0].spec.resources.requests.storage).toBe("20Gi");
    for (const { metadata, spec } of await cluster.api.list("/api/v1/namespaces/dgraph/persistentvolumeclaims"))
      if (metadata.name.includes("alpha")) expect(spec.resources.requests.storage, metadata.name).toBe("20Gi");
    expect(await pods()).toEqual(before);
    expect((await status()).code).toBe(0);
  });

  test("a rollout completes, even if the API server stops and restarts during the rollout", async () => {
    await edit(platform, { dgraph: { alpha: { replicas: 5 } } });
    const revision = await cluster.git.push("five Alphas");
    await cluster.plane.processes.kill("kube-apiserver");
    const down = await status();
    expect(down.code).toBe(3);
    expect(down.stderr).toContain("cannot be reached");
    await cluster.plane.startApiServer();
    await cluster.settled(revision);
    expect((await status()).code).toBe(0);
  });

  test("objects that were edited or deleted by hand are restored", async () => {
    const policy = "/apis/networking.k8s.io/v1/namespaces/dgraph/networkpolicies/demo-dgraph-alpha";
    const issuer = "/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer";
    const [before, secret] = [await cluster.api.get(policy), await cluster.api.get(issuer)];
    await cluster.api.merge(policy, { spec: { ingress: [] } });
    await cluster.api.delete(issuer);
    for (const name of ["dgraph-policy", "identity"]) await cluster.reconcile("kustomizations", "flux-system", name);
    await until("both are restored", async () => {
      const [again, back] = [await cluster.api.get(policy), await cluster.api.get(issuer)];
      return (
        JSON.stringify(again?.["spec"]) === JSON.stringify(before?.["spec"]) &&
        JSON.stringify(back?.["data"]) === JSON.stringify(secret?.["data"])
      );
    });
  });

  describe("a fix that a user pushes while Flux still checks the health of a broken revision", () => {
    const folder = (): string => join(platform.root, "overlays/own/service-profile");
    const stuck = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "stuck", namespace: "dgraph" },
      spec: {
        selector: { matchLabels: { app: "stuck" } },
        template: {
          metadata: { labels: { app: "stuck" } },
          spec: { nodeSelector: { nowhere: "true" }, containers: [{ name: "stuck", image: "stuck" }] },
        },
      },
    };
    const health = async (): Promise<string> => {
      const found = (await cluster.kustomizations()).find(({ metadata }) => metadata.name === "service-profile");
      const conditions = (found?.["status"].conditions ?? []) as { type: string; message: string }[];
      return conditions.find(({ type }) => type === "Reconciling")?.message ?? "";
    };

    /**
     * Pushes a Deployment whose pods cannot be scheduled. Waits until Flux checks the health of the Deployment. Then
     * pushes a commit without the Deployment, and returns the revision of this commit.
     */
    async function breakAndFix(): Promise<string> {
      const file = join(folder(), "kustomization.yaml");
      const good = readFileSync(file, "utf8");
      writeFileSync(join(folder(), "stuck.yaml"), stringify(stuck));
      writeFileSync(file, good.replace("resources:\n", "resources:\n  - stuck.yaml\n"));
      const broken = await cluster.git.push("never ready");
      await until("the health check runs", async () => (await health()).includes(`Running health checks for revision ${broken}`));
      writeFileSync(file, good);
      rmSync(join(folder(), "stuck.yaml"));
      return cluster.git.push("fixed");
    }

    test("is applied immediately with the feature gate that bootstrap sets", async () => {
      for (const name of ["kustomize-controller", "helm-controller"]) {
        const deployment = await cluster.api.get(`/apis/apps/v1/namespaces/flux-system/deployments/${name}`);
        expect(deployment?.["spec"].template.spec.containers[0].args).toContain(
          "--feature-gates=CancelHealthCheckOnNewRevision=true",
        );
      }
      await cluster.settled(await breakAndFix());
      const lines = cluster.plane.processes.fullLog("kustomize-controller").split("\n");
      const canceled = lines.filter((line) => line.includes("New reconciliation triggered, canceling health checks"));
      expect(canceled.filter((line) => line.includes('"name":"service-profile"'))).not.toEqual([]);
    });

    test("waits without the feature gate, until the user runs the command that status prints", async () => {
      await cluster.restartKustomizeController("CancelHealthCheckOnNewRevision=false");
      const fixed = await breakAndFix();
      await sleep(8000);
      expect(await health()).toContain("Running health checks for revision");
      const [program = "", ...words] = freeQueue.split(" ");
      expect(program).toBe("kubectl");
      await run(tool("kubectl"), words, { env: { KUBECONFIG: cluster.plane.kubeconfigFile("admin") } });
      // The command restarts only the Deployment, whose pods kwok simulates. The real kustomize-controller is a process
      // outside the cluster, so the test also restarts this process.
      const restarted = await cluster.api.get("/apis/apps/v1/namespaces/flux-system/deployments/kustomize-controller");
      expect(restarted?.["spec"].template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]).toBeTruthy();
      await cluster.restartKustomizeController("CancelHealthCheckOnNewRevision=true");
      await cluster.settled(fixed);
    });
  });

  describe("the injector is down", () => {
    const config = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config";
    const injector = "/apis/apps/v1/namespaces/linkerd/deployments/linkerd-proxy-injector";
    const scale = (replicas: number): Promise<unknown> => cluster.api.merge(injector, { spec: { replicas } });
    const failurePolicy = async (policy: string): Promise<void> => {
      const found = await cluster.api.get(config);
      const webhooks = ((found?.["webhooks"] ?? []) as object[]).map((webhook) => ({ ...webhook, failurePolicy: policy }));
      await cluster.api.merge(config, { webhooks });
    };
    const deleteClient = async (): Promise<void> => {
      const [pod] = await cluster.api.list("/api/v1/namespaces/pydgraph-client/pods");
      await cluster.api.delete(`/api/v1/namespaces/pydgraph-client/pods/${pod?.metadata.name}`);
    };
    const gone = (): Promise<boolean> =>
      until("the injector has stopped", async () =>
        (await cluster.api.list("/api/v1/namespaces/linkerd/pods")).every(
          ({ metadata }) => !metadata.name.startsWith("linkerd-proxy-injector"),
        ),
      );

    test("with failurePolicy Fail, no pod starts, and status reports the webhook that does not answer", async () => {
      await failurePolicy("Fail");
      await scale(0);
      await gone();
      await deleteClient();
      const { cause, name } = await waitForCause("webhook");
      expect(name).toBe("pydgraph-client");
      expect(cause.reason).toContain("linkerd-proxy-injector.linkerd.io");
    });

    test("with failurePolicy Ignore, a pod starts without a proxy, and status does not report the workload as ready", async () => {
      await failurePolicy("Ignore");
      const { cause, name } = await waitForCause("not-meshed");
      expect(name).toBe("pydgraph-client");
      expect(cause.fix).toBe(
        "kubectl rollout restart deployment pydgraph-client --namespace pydgraph-client --field-manager=flux-client-side-apply",
      );
      await scale(1);
      await until("the injector answers", async () => (await cluster.api.get(injector))?.["status"].readyReplicas === 1);
      await deleteClient();
      await until("status reports ready", async () => (await status()).code === 0);
    });
  });

  describe("a cluster that status cannot read", () => {
    const kubeconfig = (server: string): string => {
      const path = join(scratchFolder("kubeconfig"), "config");
      const cluster = { name: "c", cluster: { server } };
      const context = { name: "c", context: { cluster: "c", user: "u" } };
      writeFileSync(
        path,
        stringify({
          apiVersion: "v1",
          kind: "Config",
          "current-context": "c",
          clusters: [cluster],
          users: [{ name: "u", user: { token: "t" } }],
          contexts: [context],
        }),
      );
      return path;
    };
    const read = (file: string, context: string): ReturnType<typeof meshops> =>
      meshops(platform.root, ["status", "own", "--kubeconfig", file, "--context", context]);

    test("if a server accepts connections but never answers, status sends one request, and reports the server after the timeout", async () => {
      let connections = 0;
      const silent = createServer(() => {
        connections += 1;
      }).listen(0, "127.0.0.1");
      await new Promise((resolve) => silent.on("listening", resolve));
      const { code, stderr } = await read(kubeconfig(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`), "c");
      expect(code).toBe(3);
      expect(stderr).toContain("cannot be reached: no answer within 7 seconds\nfix: ");
      // A second request would double the time that the user has to wait.
      expect(connections).toBe(1);
      silent.close();
    });

    test("a missing server, context, permission, kubeconfig or file is reported", async () => {
      expect(await read(kubeconfig("https://127.0.0.1:1"), "c")).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("cannot be reached: "),
      });
      expect(await read(kubeconfig("https://127.0.0.1:1"), "d")).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('has no context "d"; its contexts are c'),
      });
      expect(await read(cluster.plane.kubeconfigFile("restricted"), "harness")).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("you are not allowed to list Kustomizations in flux-system"),
      });
      const bare = await meshops(platform.root, ["status", "own"], {
        env: { HOME: scratchFolder("home"), KUBECONFIG: "" },
      });
      expect(bare).toMatchObject({ code: 3, stderr: expect.stringContaining("no kubeconfig found") });
      expect(await read("/nowhere", "c")).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("cannot read the kubeconfig"),
      });
    });
  });

  test("teardown removes all components in reverse order and leaves no webhook and no terminating namespace", async () => {
    const flags = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    const remove = (): ReturnType<typeof meshops> => meshops(platform.root, ["env", "remove", "own", ...flags]);
    expect(await remove()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^meshops: own is still deployed in its cluster: Kustomization flux-system applies flux\/own\nfix: first run meshops teardown own --run/,
      ),
    });
    const output = await cluster.script("teardown");
    for (const kind of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])
      expect(await cluster.api.list(`/apis/admissionregistration.k8s.io/v1/${kind}`)).toEqual([]);
    const namespaces = (await cluster.api.list("/api/v1/namespaces")).map(
      ({ metadata, status }) => `${metadata.name} ${status.phase}`,
    );
    expect(namespaces.sort()).toEqual([
      "default Active",
      "dgraph Active",
      "flux-system Active",
      "kube-node-lease Active",
      "kube-public Active",
      "kube-system Active",
    ]);
    expect(output).toContain("kept because they are not empty: dgraph");
    expect(output).toMatch(/these volumes and their data are kept[\s\S]*datadir-demo-dgraph-alpha-0/);
    expect(await cluster.kustomizations()).toEqual([]);
    const again = await cluster.script("teardown");
    expect(again).toContain("teardown of own is complete");
    // Before teardown, `env remove` refuses to remove the environment from the repository. After teardown, it removes
    // the environment.
    expect(await remove()).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(platform.root, "environments/own.yaml"))).toBe(false);
  });
});
