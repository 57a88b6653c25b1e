import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import { type ChartServer, serveCharts } from "../support/charts.ts";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { type Registry, type RegistryChart, serveRegistry } from "../support/registry.ts";
import { run, tool } from "../support/tools.ts";
import { shapeOf, workloadFiles } from "../support/workload-shapes.ts";
import type { ApiObject } from "./harness/api.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster, type PrintedStep } from "./harness/cluster.ts";
import { edit, environmentIn, makeGitPlatform, type Platform } from "./harness/platform.ts";

/*
 * Tests six workloads. The test rebuilds their manifests from facts about public workloads (reference/workloads). Each
 * workload is a chart in a repository, a chart in a registry, or a folder. `meshops workload add` adds the workloads to
 * the spec. Flux installs each workload after the policies of the workload.
 */
withCluster("workloads that meshops delivers on a real API server", () => {
  let cluster: Cluster;
  let platform: Platform;
  let registry: Registry;
  let repository: ChartServer;
  let queueChart: string;
  const shapes = workloadFiles.map((file) => shapeOf(file));
  // Namespaces of the workloads, without kube-system. A CronJob in kube-system can create and remove pods at any time.
  const namespaces = shapes.map(({ expected }) => expected.namespace).filter((each) => each !== "kube-system");

  beforeAll(async () => {
    platform = await makeGitPlatform({
      dgraph: { enabled: false },
      pydgraphClient: { enabled: false, image: null },
      cluster: { networks: { nodes: ["10.0.0.0/16"], apiServer: ["10.0.0.1/32"] } },
    });
    const charts = scratchFolder("charts");
    cpSync(await clusterCharts(), charts, { recursive: true });
    const inRegistry: RegistryChart[] = [];
    for (const { name, manifests, delivery } of shapes) {
      // Replaces the type LoadBalancer of Services. Helm would wait for the addresses of these Services, but the
      // cluster has no load balancers. Also leaves out the hooks of the charts.
      const text = manifests
        .filter((manifest) => !JSON.stringify(manifest).includes('"helm.sh/hook"'))
        .map((manifest) => stringify(manifest))
        .join("---\n")
        .replaceAll("type: LoadBalancer", "type: NodePort");
      if (delivery.kind === "path")
        writeTree(platform.root, {
          [`apps/${name}/kustomization.yaml`]: "resources: [all.yaml]\n",
          [`apps/${name}/all.yaml`]: text,
        });
      else {
        const chart = chartOf(delivery);
        await pack(chart, delivery.version, text, charts);
        if (delivery.kind === "oci")
          inRegistry.push({
            path: `charts/${chart}`,
            version: delivery.version,
            archive: join(charts, `${chart}-${delivery.version}.tgz`),
          });
      }
    }
    await pack("queue", "1.0.0", queue, charts);
    queueChart = join(charts, "queue-1.0.0.tgz");
    await run(tool("helm"), ["repo", "index", charts]);
    registry = await serveRegistry(inRegistry);
    repository = await serveCharts(charts, []);
    cluster = await Cluster.startFor(platform, { charts });
  });
  afterAll(async () => {
    await cluster?.stop();
    registry?.close();
    repository?.close();
  });

  function command(...args: string[]): ReturnType<typeof meshops> {
    const path = ["helm", "kustomize"].map((name) => join(tool(name as "helm"), "..")).join(":");
    return meshops(platform.root, args, { env: { ...repository.env, ...registry.env, PATH: `${path}:${process.env["PATH"]}` } });
  }

  function status(): ReturnType<typeof meshops> {
    return command("status", "own", "--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness");
  }

  async function pods(): Promise<ApiObject[]> {
    const lists = namespaces.map((namespace) => cluster.api.list(`/api/v1/namespaces/${namespace}/pods`));
    return (await Promise.all(lists)).flat();
  }

  async function uids(): Promise<string[]> {
    return (await pods()).map(({ metadata }) => metadata.uid ?? "").sort();
  }

  test("workload add writes a valid block for each chart and for the folder, from which meshops generates files", async () => {
    for (const { name, delivery, expected } of shapes) {
      const from =
        delivery.kind === "path"
          ? ["--path", join(platform.root, `apps/${name}`)]
          : delivery.kind === "oci"
            ? ["--chart", `oci://${registry.host}/charts/${chartOf(delivery)}@${delivery.version}`]
            : ["--chart", `${repository.url}/${delivery.chart}@${delivery.version}`];
      const added = await command("workload", "add", name, "--env", "own", "--namespace", expected.namespace, ...from);
      expect(added.code, added.stderr).toBe(0);
    }
    const { code, stdout } = await command("validate", "own");
    expect(code, stdout).toBe(0);
    platform.environment = environmentIn(platform.root, "own");
    expect((await command("generate", "own")).code).toBe(0);
  });

  test("all workloads become ready, no Server is created after the first pod of its namespace, and all pods have a proxy", async () => {
    await cluster.bootstrap();
    await cluster.settled(await cluster.git.publish());
    const { code, stdout } = await status();
    expect(code, stdout).toBe(0);
    for (const namespace of namespaces) {
      const created = cluster.plane.created(namespace);
      const firstPod = created.findIndex((line) => line.startsWith("pods "));
      expect(firstPod, namespace).toBeGreaterThan(0);
      expect(created.slice(firstPod).filter((line) => line.startsWith("servers "))).toEqual([]);
    }
    const bare = (await pods()).filter(
      ({ spec }) => !spec.containers.some((each: { name: string }) => each.name === "linkerd-proxy"),
    );
    expect(bare.map(({ metadata }) => metadata.name)).toEqual([]);
  });

  test("a change of the mode from audit to enforce restarts no pod", async () => {
    const before = await uids();
    expect(before.length).toBeGreaterThan(20);
    await edit(platform, { workloads: enforced(platform.environment) });
    await cluster.settled(await cluster.git.push("enforce"));
    expect(await uids()).toEqual(before);
    const policies = await cluster.api.list(
      "/apis/networking.k8s.io/v1/networkpolicies?labelSelector=app.kubernetes.io/managed-by=meshops",
    );
    expect(policies.length).toBeGreaterThan(15);
  });

  test("the steps that diff prints rename a workload, and its pods keep running", async () => {
    const before = await uids();
    const { redis } = platform.environment.spec.workloads;
    const renamed = JSON.parse(JSON.stringify(redis)) as { source: { oci: { releaseName: string } } };
    renamed.source.oci.releaseName = "redis";
    const text = JSON.stringify({ cache: renamed }).replaceAll('"redis/', '"cache/');
    await edit(platform, { workloads: { redis: null, ...(JSON.parse(text) as object) } });
    const found = await command("diff", "own", "-o", "json");
    const changes = JSON.parse(found.stdout) as {
      kind: string;
      name: string;
      change: string;
      risk: string;
      steps: PrintedStep[];
    }[];
    const removals = changes.filter(({ steps, change }) => change === "removed" && steps.length > 0);
    const ofPods = removals.find(({ kind, name }) => kind === "HelmRelease" && name === "workload-redis");
    expect(ofPods?.risk).toBe("data-loss");
    const ofPolicies = removals.find(({ kind }) => kind === "Server");
    let pushed: Promise<unknown> | null = null;
    const push = async (): Promise<void> => {
      pushed ??= cluster.git.push("redis is called cache").then((revision) => cluster.settled(revision));
      await pushed;
    };
    // diff prints one list of steps for the HelmRelease, and one list of steps for the policies. Each list contains
    // steps before a push, the push, and steps after the push. This test runs one push for both lists.
    const [first, second] = [ofPods?.steps ?? [], ofPolicies?.steps ?? []].map(split);
    for (const steps of [first?.before, second?.before]) await cluster.follow(steps ?? [], push);
    await push();
    for (const steps of [first?.after, second?.after]) await cluster.follow(steps ?? [], push);
    expect(await uids()).toEqual(before);
    const releases = await cluster.api.list("/apis/helm.toolkit.fluxcd.io/v2/namespaces/redis/helmreleases");
    expect(releases.map(({ metadata }) => metadata.name)).toEqual(["workload-cache"]);
    expect((await status()).code).toBe(0);
  });

  test("a release of another tool gets policies in the modes audit and enforce, and is then delivered by meshops; its pods keep running", async () => {
    const admin = cluster.plane.kubeconfigFile("admin");
    await cluster.api.applyAll(
      "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: queue\n  annotations: {linkerd.io/inject: enabled}\n",
    );
    await run(tool("helm"), ["install", "queue", queueChart, "--namespace", "queue", "--wait", "--kubeconfig", admin]);
    const running = async (): Promise<string[]> => {
      const found = await cluster.api.list("/api/v1/namespaces/queue/pods");
      return found.map(({ metadata }) => metadata.uid ?? "").sort();
    };
    const before = await running();
    expect(before.length).toBe(2);
    const steps: readonly (readonly [title: string, change: Readonly<Record<string, unknown>>])[] = [
      [
        "described in the mode audit",
        {
          namespaces: { queue: { create: false, mesh: { inject: "enabled" } } },
          workloads: {
            queue: {
              namespace: "queue",
              pods: {
                api: {
                  workloadRef: { kind: "Deployment", name: "queue" },
                  selector: { matchLabels: { app: "queue" } },
                  ports: { http: { port: 8080, protocol: "HTTP/1" } },
                  access: { mode: "audit", clients: { web: { serviceAccountRef: { namespace: "web", name: "web" } } } },
                },
              },
            },
          },
        },
      ],
      ["enforced", { workloads: { queue: { pods: { api: { access: { mode: "enforce" } } } } } }],
      [
        "delivered by meshops",
        { workloads: { queue: { source: { chart: { repository: repository.url, name: "queue", version: "1.0.0" } } } } },
      ],
    ];
    for (const [title, change] of steps) {
      await edit(platform, change);
      await cluster.settled(await cluster.git.push(title));
      expect(await running(), title).toEqual(before);
      const { code, stdout } = await status();
      expect(code, `${title}\n${stdout}`).toBe(0);
    }
    const history = await run(tool("helm"), [
      "history",
      "queue",
      "--namespace",
      "queue",
      "--output",
      "json",
      "--kubeconfig",
      admin,
    ]);
    // The history contains at least two revisions: one from the other tool, and one from Flux. On a busy machine, the
    // stand-in for helm-controller can upgrade the release twice.
    expect((JSON.parse(history) as object[]).length).toBeGreaterThanOrEqual(2);
  });

  test("the teardown script removes workloads before their policies, and does not delete kube-system", async () => {
    const { stdout } = await command("teardown", "own", "--context", "harness");
    const removals = [...stdout.matchAll(/'take_down' '([a-z-]+)' '([a-z-]*)' '([a-z-]*)'/g)].map((found) => found.slice(1));
    expect(removals).toContainEqual(["workload-mysql", "mysql", "workload-mysql"]);
    expect(removals).toContainEqual(["workload-emojivoto", "emojivoto", ""]);
    const order = removals.map(([kustomization]) => kustomization);
    expect(order.indexOf("workload-mysql")).toBeLessThan(order.indexOf("policy-mysql"));
    expect(/'remove_namespaces'.*/.exec(stdout)?.[0]).toContain("'mysql'");
    expect(/'remove_namespaces'.*/.exec(stdout)?.[0]).not.toContain("'kube-system'");
  });
});

/** Manifests of a service that another tool installs with Helm. */
const queue = `apiVersion: apps/v1
kind: Deployment
metadata: {name: queue}
spec:
  replicas: 2
  selector: {matchLabels: {app: queue}}
  template:
    metadata: {labels: {app: queue}}
    spec: {containers: [{name: queue, image: "example.org/queue:1", ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: queue}
spec: {selector: {app: queue}, ports: [{name: http, port: 80, targetPort: http}]}
`;

function split(steps: readonly PrintedStep[]): { before: PrintedStep[]; after: PrintedStep[] } {
  const push = steps.findIndex(({ text }) => text.startsWith("Push"));
  return { before: steps.slice(0, push), after: steps.slice(push + 1) };
}

function chartOf(
  delivery: { readonly kind: "chart"; readonly chart: string } | { readonly kind: "oci"; readonly url: string },
): string {
  return delivery.kind === "chart" ? delivery.chart : delivery.url.slice(delivery.url.lastIndexOf("/") + 1);
}

/**
 * Returns a change of `spec.workloads` that replaces each mode `audit` by the mode `enforce`, and changes nothing else.
 */
function enforced({ spec }: Environment): Record<string, object> {
  return Object.fromEntries(
    Object.entries(spec.workloads).map(([key, { pods }]) => [
      key,
      {
        pods: Object.fromEntries(
          Object.entries(pods)
            .filter(([, { access }]) => access.mode === "audit")
            .map(([name]) => [name, { access: { mode: "enforce" } }]),
        ),
      },
    ]),
  );
}

/** Packs a chart whose only template is the given text. Writes the archive to the folder `into`. */
async function pack(name: string, version: string, text: string, into: string): Promise<void> {
  const folder = join(scratchFolder("chart"), name);
  mkdirSync(join(folder, "templates"), { recursive: true });
  writeTree(folder, { "Chart.yaml": stringify({ apiVersion: "v2", name, version }), "values.yaml": "{}\n" });
  writeFileSync(join(folder, "templates/all.yaml"), text);
  await run(tool("helm"), ["package", folder, "--destination", into]);
}
