import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { writeTree } from "../support/platform.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { fluxOfOthers, kustomizationOfOthers } from "./harness/flux-of-others.ts";
import { isReady } from "./harness/helm-actor.ts";
import { edit, fluxManifests, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { until } from "./harness/processes.ts";

const kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const flux = { namespace: "flux-system" } as const;

/** The field `gitops` of the spec. The platform is in a folder of a Flux repository that belongs to another team. */
const gitops = {
  path: "platform/mesh",
  namePrefix: "mesh-",
  root: { kustomization: { name: "mesh", ...flux } },
  decryption: { secretRef: { name: "mesh-age" } },
};

withCluster("a platform in a folder of an existing Flux repository", () => {
  let cluster: Cluster;
  let platform: Platform;
  let before: string;

  beforeAll(async () => {
    platform = await makeGitPlatform({ dgraph: { enabled: false }, gitops }, gitops.path);
    cluster = await Cluster.startFor(platform);
    writeTree(join(platform.root, "../.."), repositoryOfOthers);
    await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: flux.namespace } } as ApiObject);
    await cluster.api.applyAll(fluxManifests);
    await cluster.setAgeKey("AGE-SECRET-KEY-OF-OTHERS");
    for (const object of fluxOfOthers("https://example.com/fleet", "./cluster")) await cluster.api.apply(object as ApiObject);
    await cluster.git.push("the repository of others");
    await ready(["flux-system", "identity", "namespaces"]);
    before = await objectsOfOthers();
  });
  afterAll(() => cluster?.stop());

  async function ready(names: readonly string[], revision?: string): Promise<void> {
    await until(`${names.join(", ")} are ready`, async () => {
      const found = await cluster.api.list(kustomizations);
      return names.every((name) =>
        found.some(
          (each) =>
            each.metadata.name === name &&
            isReady(each) &&
            (revision === undefined || each["status"].lastAppliedRevision === revision),
        ),
      );
    });
  }

  /** Returns the objects of the other team. Removes the fields that every reconciliation changes. */
  async function objectsOfOthers(): Promise<string> {
    const paths = [
      `${kustomizations}/identity`,
      `${kustomizations}/namespaces`,
      "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system",
      "/api/v1/namespaces/flux-system/secrets/sops-age",
      "/api/v1/namespaces/shop",
      "/api/v1/namespaces/shop/configmaps/accounts",
    ];
    const found = await Promise.all(paths.map((path) => cluster.api.get(path)));
    return JSON.stringify(
      found.map((object) => {
        const { metadata, spec, data } = object ?? ({} as ApiObject);
        const { uid, generation, labels, annotations } = metadata ?? {};
        return { uid, generation, labels, annotations, spec, data };
      }),
    );
  }

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  test("validate reports a gitops.path that differs from the folder in Git, and names that the repository already uses", async () => {
    expect((await meshops(platform.root, ["validate"])).stdout).not.toContain("gitops-path-mismatch");
    await edit(platform, { gitops: { path: "platform" } });
    expect((await meshops(platform.root, ["validate", "-o", "json"])).stdout).toContain("gitops-path-mismatch");
    await edit(platform, { gitops: { ...gitops, namePrefix: "" } });
    expect((await meshops(platform.root, ["validate", "-o", "json"])).stdout).toContain("cluster/identity.yaml");
    await edit(platform, { gitops });
    expect((await meshops(platform.root, ["validate", "-o", "json"])).stdout).not.toContain("gitops-name-taken");
  });

  test("bootstrap stores the age key, and changes no existing object", async () => {
    const printed = await cluster.script("bootstrap");
    expect(printed).toContain("add it to your repository with the path ./platform/mesh/flux/own");
    expect(await cluster.api.get("/api/v1/namespaces/flux-system/secrets/mesh-age")).not.toBeNull();
    expect(await objectsOfOthers()).toBe(before);
  });

  test("the mesh becomes ready when an existing Kustomization includes the folder of the mesh", async () => {
    writeTree(join(platform.root, "../.."), {
      "cluster/mesh.yaml": stringify(kustomizationOfOthers("mesh", "./platform/mesh/flux/own")),
    });
    const revision = await cluster.git.push("the mesh");
    const own = ["namespaces", "identity", "linkerd-crds", "linkerd-control-plane", "linkerd-viz", "linkerd-jaeger"];
    await ready(["flux-system", "mesh", "identity", "namespaces", ...own.map((id) => `mesh-${id}`)], revision);
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok mesh-linkerd-control-plane /m);
    expect(await cluster.script("bootstrap")).toContain("applies own");
    expect(await objectsOfOthers()).toBe(before);
  });

  test("the steps that diff prints change the name prefix, and delete no object", async () => {
    const paths = [
      "/api/v1/namespaces/linkerd",
      "/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer",
      "/apis/helm.toolkit.fluxcd.io/v2/namespaces/linkerd/helmreleases/linkerd-control-plane",
      "/apis/apps/v1/namespaces/linkerd/deployments/linkerd-destination",
    ];
    const uids = async (): Promise<unknown[]> =>
      Promise.all(paths.map(async (path) => (await cluster.api.get(path))?.metadata.uid));
    const old = await uids();
    expect(new Set(old).size).toBe(paths.length);
    await edit(platform, { gitops: { namePrefix: "linkerd-" } });
    const changes = JSON.parse((await meshops(platform.root, ["diff", "own", "-o", "json"])).stdout) as {
      name: string;
      risk: string;
      steps: { text: string; command: string | null }[];
    }[];
    const renamed = changes.find(({ name }) => name === "mesh-identity");
    expect(renamed?.risk).toBe("data-loss");
    await cluster.follow(renamed?.steps ?? [], async () => {
      await cluster.git.push("another prefix");
      const ids = ["namespaces", "identity", "linkerd-crds", "linkerd-control-plane", "linkerd-viz", "linkerd-jaeger"];
      await ready(ids.map((id) => `linkerd-${id}`));
    });
    await until("the old Kustomizations are gone", async () =>
      (await cluster.api.list(kustomizations)).every(({ metadata }) => !metadata.name.startsWith("mesh-")),
    );
    expect(await uids()).toEqual(old);
    expect((await command("status", "own")).code).toBe(0);
    expect(await objectsOfOthers()).toBe(before);
  });

  test("teardown deletes the objects of the mesh, and keeps the objects of the other team", async () => {
    await expect(cluster.script("teardown")).rejects.toThrow(/flux suspend kustomization mesh --namespace flux-system/);
    await cluster.api.merge(`${kustomizations}/mesh`, { spec: { suspend: true } });
    await cluster.script("teardown");
    const left = (await cluster.api.list(kustomizations)).map(({ metadata }) => metadata.name).sort();
    expect(left).toEqual(["flux-system", "identity", "mesh", "namespaces"]);
    expect(await cluster.api.get("/api/v1/namespaces/flux-system/secrets/mesh-age")).toBeNull();
    expect(await cluster.api.list("/apis/source.toolkit.fluxcd.io/v1/helmrepositories")).toEqual([]);
    expect(await objectsOfOthers()).toBe(before);
  });
});

const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const accounts = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "accounts", namespace: "shop" }, data: { a: "b" } };

/**
 * Files of the other team's repository. The repository contains the Kustomizations `namespaces` and `identity`. Two
 * components of meshops have the same names.
 */
const repositoryOfOthers = {
  "cluster/namespaces.yaml": stringify(kustomizationOfOthers("namespaces", "./apps/namespaces")),
  "cluster/identity.yaml": stringify(kustomizationOfOthers("identity", "./apps/identity")),
  "apps/namespaces/shop.yaml": stringify(namespace),
  "apps/identity/accounts.yaml": stringify(accounts),
};
