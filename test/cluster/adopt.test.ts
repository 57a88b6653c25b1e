import { afterAll, beforeAll, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { Cluster, type PrintedStep } from "./harness/cluster.ts";
import { edit, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { policiesOf } from "./harness/policies.ts";

const existing = { lifecycle: "existing" };

/**
 * In this test, meshops installs Linkerd. The user then hands Linkerd over to another tool, and meshops adds Dgraph.
 */
withCluster("Linkerd that another tool installs", () => {
  let cluster: Cluster;
  let platform: Platform;
  let before: string;

  beforeAll(async () => {
    platform = await makeGitPlatform({ dgraph: { enabled: false } });
    cluster = await Cluster.startFor(platform);
    await cluster.bootstrap();
    await cluster.settled(await cluster.git.publish());
    before = await meshOfOthers();
  });
  afterAll(() => cluster?.stop());

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  /**
   * Returns the UIDs of Linkerd's objects, the generations of the Deployments, and the data of the Secrets and
   * ConfigMaps, as text.
   */
  async function meshOfOthers(): Promise<string> {
    const paths = [
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      "/api/v1/namespaces",
      ...["linkerd", "linkerd-viz"].flatMap((namespace) => [
        `/apis/apps/v1/namespaces/${namespace}/deployments`,
        `/api/v1/namespaces/${namespace}/secrets`,
        `/api/v1/namespaces/${namespace}/configmaps`,
        `/api/v1/namespaces/${namespace}/pods`,
      ]),
    ];
    const found = (await Promise.all(paths.map((path) => cluster.api.list(path)))).flat();
    return found
      .filter(
        ({ metadata }) =>
          !/^sh\.helm|^(pydgraph-client|dgraph)$|meshops-identity|-values-?|leader|kube-root|fluxcd/.test(metadata.name),
      )
      .map(({ kind, metadata, data }) =>
        JSON.stringify([kind, metadata.name, metadata.uid, kind === "Deployment" ? metadata.generation : "", data]),
      )
      .sort()
      .join("\n");
  }

  async function changes(): Promise<{ kind: string; name: string; risk: string; steps: PrintedStep[] }[]> {
    return JSON.parse((await meshops(platform.root, ["diff", "own", "-o", "json"])).stdout);
  }

  const push = async (message: string): Promise<void> => cluster.settled(await cluster.git.push(message));

  test("the steps that diff prints hand Linkerd over to another tool, and change no object of Linkerd", async () => {
    await edit(platform, { linkerd: existing, dgraph: { enabled: true } });
    const handedOver = (await changes()).filter(({ risk, kind }) => risk === "data-loss" && kind === "Kustomization");
    expect(handedOver.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      ["identity", "linkerd-control-plane", "linkerd-crds", "linkerd-jaeger", "linkerd-viz"].map((id) => `Kustomization ${id}`),
    );
    await cluster.follow(handedOver[0]?.steps ?? [], () => push("others install Linkerd"));
    expect(await meshOfOthers()).toBe(before);
    const left = (await cluster.kustomizations()).map(({ metadata }) => metadata.name).sort();
    expect(left).toEqual(["dgraph", "dgraph-policy", "flux-system", "namespaces", "pydgraph-client", "service-profile"]);
  });

  test("Dgraph is installed after its policies, in a mesh that another tool manages", async () => {
    const created = cluster.plane.created("dgraph");
    const firstPod = created.findIndex((line) => line.startsWith("pods "));
    expect(firstPod).toBeGreaterThan(0);
    expect(created.slice(0, firstPod).sort()).toEqual(policiesOf(platform.root, "own"));
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok Namespace linkerd +edge-26\.8\.3, 3 workloads$/m);
    expect(stdout).toMatch(/^ok Namespace linkerd-viz +edge-26\.8\.3, 5 workloads$/m);
    expect(stdout).not.toMatch(/linkerd-control-plane|different from/);
    const verified = await command("verify", "own", "--only", "M1,M2,M3,M4,M5", "-o", "json");
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  });

  test("if the running version of Linkerd differs from the spec, status reports both versions and a fix", async () => {
    await edit(platform, { linkerd: { version: "edge-25.10.7", jaeger: { enabled: false } } });
    const { code, stdout } = await command("status", "own");
    expect(code).toBe(1);
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain("Linkerd edge-26.8.3 runs in this namespace, but the spec declares edge-25.10.7");
    expect(text).toContain("fix: set linkerd.version: edge-26.8.3 in environments/own.yaml");
    await edit(platform, { linkerd: { version: "edge-26.8.3", jaeger: { enabled: true } } });
  });

  test("meshops takes over Linkerd, and hands it over again; no object of Linkerd changes", async () => {
    await edit(platform, { linkerd: { lifecycle: "managed" } });
    const plane = (await changes()).find(({ kind, name }) => kind === "HelmRelease" && name === "linkerd-control-plane");
    expect(plane?.risk).toBe("mesh-restart");
    await cluster.follow(plane?.steps ?? [], () => push("meshops installs Linkerd"));
    expect((await cluster.kustomizations()).map(({ metadata }) => metadata.name)).toContain("linkerd-control-plane");
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok linkerd-control-plane +2026\.8\.3, 3 workloads/m);
    expect(await meshOfOthers()).toBe(before);
    await edit(platform, { linkerd: existing });
    const handedOver = (await changes()).find(({ risk, kind }) => risk === "data-loss" && kind === "Kustomization");
    await cluster.follow(handedOver?.steps ?? [], () => push("others install Linkerd again"));
    expect(await meshOfOthers()).toBe(before);
  });

  test("teardown removes Dgraph, and changes no object of Linkerd", async () => {
    await cluster.script("teardown");
    expect(await cluster.api.list("/api/v1/namespaces/dgraph/pods")).toEqual([]);
    expect(await cluster.kustomizations()).toEqual([]);
    expect(await meshOfOthers()).toBe(before);
  });
});
