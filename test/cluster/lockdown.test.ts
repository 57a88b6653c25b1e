import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { tool } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { isReady } from "./harness/helm-actor.ts";
import { edit, fluxManifests, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { until } from "./harness/processes.ts";

const exec = promisify(execFile);
const namespace = "platform";
const source = { kind: "OCIRepository", name: "mesh", namespace } as const;
const kustomizations = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations`;

/**
 * The field `gitops` of the spec. Flux reads the files from an OCI artifact. All objects of Flux are in one namespace,
 * which an administrator of the cluster manages.
 */
const gitops = {
  url: null,
  path: "mesh",
  namespace,
  sourceRef: source,
  root: { kustomization: { name: "mesh", namespace } },
};

withCluster("Flux with the multi-tenancy lockdown", () => {
  let cluster: Cluster;
  let platform: Platform;

  beforeAll(async () => {
    platform = await makeGitPlatform({ gitops, linkerd: { viz: { enabled: false }, jaeger: { enabled: false } } }, gitops.path);
    cluster = await Cluster.startFor(platform, { source, lockdown: "default" });
    for (const name of ["flux-system", namespace])
      await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } } as ApiObject);
    await cluster.api.applyAll(fluxManifests);
    for (const object of objectsOfOwner) await cluster.api.apply(object as ApiObject);
  });
  afterAll(() => cluster?.stop());

  async function kustomization(name: string): Promise<ApiObject | null> {
    return cluster.api.get(`${kustomizations}/${name}`);
  }

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  test("without a service account, Flux refuses the bundle, and status reports which field of the spec to set", async () => {
    await cluster.script("bootstrap");
    await cluster.git.push("without a service account");
    await until("the first Kustomization is refused", async () => {
      const conditions = ((await kustomization("namespaces"))?.["status"]?.conditions ?? []) as { message: string }[];
      return conditions.some(({ message }) => message.includes("system:serviceaccount:platform:default"));
    });
    const { code, stdout } = await command("status", "own");
    expect(code).toBe(1);
    const text = stdout.replace(/\s+/g, " ");
    expect(text).toContain("Flux uses the service account default in namespace platform. This account is not allowed to");
    expect(text).toContain("set gitops.serviceAccountName in the spec");
  });

  test("bootstrap prints the commands that create the service account and its permissions, and succeeds after these commands", async () => {
    await edit(platform, { gitops: { serviceAccountName: "flux-applier" } });
    const { stdout } = await meshops(platform.root, ["diff", "own", "-o", "json"]);
    const changes = JSON.parse(stdout) as { kind: string; name: string; risk: string; steps: { command: string | null }[] }[];
    const changed = changes.find(({ kind, name }) => kind === "Kustomization" && name === "namespaces");
    expect(changed).toMatchObject({ risk: "stalled-rollout" });
    expect(changed?.steps[0]?.command).toBe("meshops bootstrap own --run");
    const refusal = await cluster.script("bootstrap").then(
      () => "",
      (error: Error) => error.message,
    );
    const found = /ask a cluster administrator to run: (kubectl .*)/.exec(refusal.replace(/\n +/g, " "))?.[1] ?? "";
    expect(found).toContain("clusterrolebinding");
    await exec("bash", ["-ec", found.replaceAll("kubectl ", `'${tool("kubectl")}' `)], {
      env: { ...process.env, KUBECONFIG: cluster.plane.kubeconfigFile("admin") },
    });
    expect(await cluster.script("bootstrap")).toContain("has the role cluster-admin");
  });

  test("all objects become ready; each HelmRelease uses a service account and a chart repository in its own namespace", async () => {
    const revision = await cluster.git.push("with a service account");
    await until(
      "all Kustomizations are ready",
      async () => {
        const all = await cluster.api.list(kustomizations);
        const left = all.filter((each) => !isReady(each) || each["status"].lastAppliedRevision !== revision);
        if (left.length > 0 || all.length < 8)
          throw new Error(JSON.stringify(left.map(({ metadata, status }) => [metadata.name, status?.conditions])));
        return true;
      },
      200,
    );
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    const releases = await cluster.api.list("/apis/helm.toolkit.fluxcd.io/v2/helmreleases");
    expect(releases.length).toBeGreaterThan(2);
    for (const { metadata, spec } of releases) {
      expect(spec.serviceAccountName).toBe("flux-applier");
      expect(spec.chart.spec.sourceRef.namespace).toBe(metadata.namespace);
      const rights = await cluster.api.get(
        metadata.namespace === "dgraph"
          ? "/apis/rbac.authorization.k8s.io/v1/namespaces/dgraph/rolebindings/meshops:flux-applier:dgraph"
          : `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/meshops:flux-applier:${metadata.namespace}`,
      );
      expect(rights).not.toBeNull();
    }
  });

  test("teardown uninstalls every release with the permissions of the release's service account", async () => {
    await cluster.api.merge(`${kustomizations}/mesh`, { spec: { suspend: true } });
    await cluster.script("teardown");
    expect((await cluster.api.list(kustomizations)).map(({ metadata }) => metadata.name)).toEqual(["mesh"]);
    const records = await cluster.api.list(`/api/v1/secrets?labelSelector=${encodeURIComponent("owner=helm")}`);
    expect(records.map(({ metadata }) => metadata.name)).toEqual([]);
    expect(
      await cluster.api.list(
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dmeshops",
      ),
    ).toEqual([]);
  });
});

/**
 * Objects that an administrator of the cluster creates by hand: the OCIRepository, the root Kustomization, and the
 * service account of this Kustomization.
 */
const objectsOfOwner = [
  {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: source.kind,
    metadata: { name: source.name, namespace },
    spec: { interval: "5m", url: "oci://mirror.example.org/packages/mesh", ref: { tag: "main" } },
  },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "owner", namespace } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "owner" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: "owner", namespace }],
  },
  {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: "mesh", namespace },
    spec: {
      interval: "10m",
      retryInterval: "2s",
      path: "./mesh/flux/own",
      prune: true,
      serviceAccountName: "owner",
      sourceRef: { kind: source.kind, name: source.name },
    },
  },
];
