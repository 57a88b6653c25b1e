import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { meshops } from "../support/cli.ts";
import { withCertManager } from "../support/guards.ts";
import { tool } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { webhookSecrets, webhookValues } from "./harness/linkerd-of-others.ts";
import { fluxManifests, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { policiesOf } from "./harness/policies.ts";
import { until } from "./harness/processes.ts";

/**
 * Folder with a reduced copy of a public platform repository for many clusters. In each cluster, Flux reads the same OCI
 * artifact, and cert-manager issues the certificates. The folder is not in the checkout.
 */
const original = fileURLToPath(new URL("../../../shared/cases/migration/fleet", import.meta.url));

const namespace = "platform";
const source = { kind: "OCIRepository", name: "mesh", namespace } as const;
const kustomizations = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations`;

/**
 * The spec with which the fleet adopts meshops. The files that meshops generates from this spec are in a separate
 * folder of the OCI artifact.
 */
const spec = {
  secrets: null,
  gitops: {
    url: null,
    path: "meshops",
    namespace,
    namePrefix: "mesh-",
    sourceRef: source,
    serviceAccountName: "flux-applier",
    root: { kustomization: { name: "mesh-own", namespace } },
  },
  linkerd: {
    lifecycle: "existing",
    version: "edge-26.8.3",
    defaultInboundPolicy: "deny",
    identity: { provider: "external", trustAnchors: { secretRef: { name: "mesh-trust-anchor", key: "ca.crt" } } },
    viz: { enabled: false },
    jaeger: { enabled: false },
  },
  pydgraphClient: { enabled: false, image: null },
  workloads: {
    shop: {
      namespace: "shop",
      pods: {
        api: {
          workloadRef: { kind: "Deployment", name: "shop" },
          selector: { matchLabels: { app: "shop" } },
          ports: { http: { port: 8080, protocol: "HTTP/1" } },
          access: { mode: "audit" },
        },
      },
    },
  },
  components: { "dgraph-policy": { dependsOn: [{ kustomization: { name: "mesh-linkerd", namespace } }] } },
};

/**
 * The HelmRepository to which the HelmRelease linkerd-crds refers. In the original repository, an overlay moves this
 * HelmRelease to the namespace `platform`, and Terraform creates the HelmRepository in this namespace.
 */
const repository = {
  apiVersion: "source.toolkit.fluxcd.io/v1",
  kind: "HelmRepository",
  metadata: { name: "linkerd", namespace },
  spec: { interval: "1h", url: "https://helm.linkerd.io/edge" },
};

withCertManager("a fleet of clusters that read one OCI artifact, and whose certificates cert-manager issues", () => {
  let cluster: Cluster;
  let platform: Platform;
  let before: string;

  beforeAll(async () => {
    platform = await makeGitPlatform(spec, spec.gitops.path);
    for (const folder of ["environments/own/identity", "environments/base/identity", "overlays/own/identity"])
      rmSync(join(platform.root, folder), { recursive: true, force: true });
    const top = dirname(platform.root);
    cpSync(join(original, "packages/mesh"), top, { recursive: true });
    // The reference data does not contain the charts of edge-26.4.2. Therefore the test replaces the release by
    // edge-26.8.3. The charts of the harness create no certificates for webhooks. Therefore the test creates the Secrets
    // that the real chart writes, and passes the CA as a value.
    const releases = join(top, "base/releases.yaml");
    const text = readFileSync(releases, "utf8").replaceAll("2026.4.2", "2026.8.3");
    writeFileSync(
      releases,
      text.replace("    controllerReplicas: 3\n", (line) => line + webhookValues),
    );
    cluster = await Cluster.startFor(platform, { source, lockdown: "flux-applier" });
    const crds = join(dirname(tool("cert-manager")), "crds");
    for (const file of readdirSync(crds).filter((name) => name.endsWith(".yaml")))
      await cluster.api.applyAll(readFileSync(join(crds, file), "utf8"));
    for (const name of ["flux-system", namespace, "linkerd", "cert-manager", "shop"])
      await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } } as ApiObject);
    await cluster.api.applyAll(fluxManifests);
    for (const object of [...accounts, repository, ...webhookSecrets()]) await cluster.api.apply(object as ApiObject);
    cluster.plane.processes.start("cert-manager", tool("cert-manager"), [cluster.plane.kubeconfigFile("admin")]);
    for (const document of parseAllDocuments(readFileSync(join(original, "cluster/flux.yaml"), "utf8")))
      await cluster.api.apply(withRetries(document.toJS() as ApiObject));
    await cluster.git.push("the original artifact");
    await cluster.ready(["mesh-linkerd", "mesh-policies", "mesh-after"], namespace);
    await cluster.api.apply(shop as ApiObject);
    await until("the pod of the workload runs", async () => {
      const pods = await cluster.api.list("/api/v1/namespaces/shop/pods");
      return pods.length === 1 && pods.every(({ status }) => status?.phase === "Running");
    });
    before = await stateOfOthers();
  });
  afterAll(() => cluster?.stop());

  /**
   * Returns the objects of the original repository as text: the specs of its Flux objects, its policies, the pod
   * templates of Linkerd and of the workload, and the UIDs of their pods.
   */
  async function stateOfOthers(): Promise<string> {
    const lists = [
      kustomizations,
      "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
      "/apis/policy.linkerd.io/v1beta3/namespaces/linkerd/servers",
      "/apis/policy.linkerd.io/v1alpha1/namespaces/linkerd/networkauthentications",
      "/apis/cert-manager.io/v1/namespaces/linkerd/certificates",
      ...["linkerd", "shop"].flatMap((name) => [
        `/apis/apps/v1/namespaces/${name}/deployments`,
        `/api/v1/namespaces/${name}/pods`,
      ]),
    ];
    const found = (await Promise.all(lists.map((path) => cluster.api.list(path)))).flat();
    const others = found.filter(({ kind, metadata }) => !isOwn(kind, metadata.name));
    expect(others.length).toBeGreaterThan(12);
    return others
      .map(({ kind, metadata, spec: own }) =>
        JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid, kind === "Deployment" ? own.template : own]),
      )
      .sort()
      .join("\n");
  }

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  test("the spec is valid, and no generated file needs a key", async () => {
    const { code, stdout } = await meshops(platform.root, ["validate", "own"]);
    expect(code, stdout).toBe(0);
    expect(existsSync(join(platform.root, "overlays/own/identity"))).toBe(false);
    for (const file of readdirSync(join(platform.root, "flux/own")))
      expect(readFileSync(join(platform.root, "flux/own", file), "utf8")).not.toContain("decryption");
  });

  test("the generated objects become ready; no object of the original repository changes", async () => {
    expect(await cluster.script("bootstrap")).not.toContain("age key");
    await cluster.api.apply(rootKustomization as ApiObject);
    await cluster.git.push("meshops");
    await cluster.ready(
      ["mesh-own", "mesh-namespaces", "mesh-dgraph-policy", "mesh-dgraph", "mesh-service-profile", "mesh-policy-shop"],
      namespace,
    );
    expect(await stateOfOthers()).toBe(before);
    const created = cluster.plane.created("dgraph");
    const firstPod = created.findIndex((line) => line.startsWith("pods "));
    expect(created.slice(0, firstPod).sort()).toEqual(policiesOf(platform.root, "own"));
  });

  test("status and verify read the certificates that cert-manager wrote", async () => {
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok Namespace linkerd +edge-26\.8\.3, 3 workloads$/m);
    expect(stdout).toMatch(/^ok Pods shop\/api +1\/1, 1 meshed$/m);
    const verified = await command("verify", "own", "--only", "M1,M2,M3,M5", "-o", "json");
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  });

  test("teardown removes only the generated objects", async () => {
    await cluster.api.merge(`${kustomizations}/mesh-own`, { spec: { suspend: true } });
    await cluster.script("teardown");
    const left = (await cluster.api.list(kustomizations)).map(({ metadata }) => metadata.name).sort();
    expect(left).toEqual(["mesh-after", "mesh-linkerd", "mesh-own", "mesh-policies"]);
    expect(await stateOfOthers()).toBe(before);
  });
});

/** Whether an object in the lists of `stateOfOthers` belongs to meshops. */
function isOwn(kind: string, name: string): boolean {
  const own = /^mesh-(own|namespaces|dgraph(-policy|-availability)?|service-profile|policy-shop|proxy-metrics.*)$/;
  return (
    (kind === "Kustomization" && own.test(name)) || (kind === "HelmRelease" && name === "dgraph") || name === "shop-api-http"
  );
}

/**
 * Sets a short `retryInterval` if the object is a Kustomization, so that the test does not wait for the regular
 * interval.
 */
function withRetries(object: ApiObject): ApiObject {
  return object.kind === "Kustomization" ? { ...object, spec: { ...object["spec"], retryInterval: "2s" } } : object;
}

/** The service accounts that the Flux extension of AKS and the owner of the cluster create. */
const accounts = [namespace, "linkerd"].flatMap((each) => [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "flux-applier", namespace: each } },
  ...(each === namespace
    ? [
        {
          apiVersion: "rbac.authorization.k8s.io/v1",
          kind: "ClusterRoleBinding",
          metadata: { name: "flux-applier-platform" },
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
          subjects: [{ kind: "ServiceAccount", name: "flux-applier", namespace: each }],
        },
      ]
    : []),
]);

const rootKustomization = {
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "mesh-own", namespace },
  spec: {
    interval: "10m",
    retryInterval: "2s",
    path: "./meshops/flux/own",
    prune: true,
    serviceAccountName: "flux-applier",
    sourceRef: { kind: source.kind, name: source.name },
  },
};

/** A workload of another team. The original repository restarts this workload. */
const shop = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "shop", namespace: "shop" },
  spec: {
    selector: { matchLabels: { app: "shop" } },
    template: {
      metadata: { labels: { app: "shop" }, annotations: { "linkerd.io/inject": "enabled" } },
      spec: { containers: [{ name: "shop", image: "ghcr.io/acme/shop:1", ports: [{ containerPort: 8080 }] }] },
    },
  },
};
