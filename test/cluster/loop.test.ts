import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decryptFile } from "../../generator/sops/file.ts";
import { version } from "../../generator/system/version.ts";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { objectsIn } from "../support/objects.ts";
import { readTree, testIdentity } from "../support/platform.ts";
import { run, tool } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { isReady } from "./harness/helm-actor.ts";
import { ageKeys, edit, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { policiesOf } from "./harness/policies.ts";
import { until } from "./harness/processes.ts";
import { changesBetween, takeStock } from "./harness/stock.ts";

withCluster("Flux reconciles the bundle on a real API server", () => {
  let cluster: Cluster;
  let platform: Platform;
  /** Time at which the test first found each Kustomization ready, keyed by the name of the Kustomization. */
  const readyAt = new Map<string, number>();

  beforeAll(async () => {
    platform = await makeGitPlatform({ linkerd: { version: "edge-25.10.7" } });
    cluster = await Cluster.startFor(platform);
  });
  afterAll(() => cluster?.stop());

  /** Commits and publishes all files, and waits until Flux has applied the commit. Returns the changed objects. */
  async function push(message: string): Promise<string[]> {
    const before = await takeStock(cluster.api);
    const revision = await cluster.git.push(message);
    await cluster.settled(revision);
    return changesBetween(before, await takeStock(cluster.api));
  }

  test("bootstrap and one commit install all components, in the declared order", async () => {
    const began = Date.now();
    const look = async (): Promise<void> => {
      for (const object of await cluster.kustomizations())
        if (isReady(object) && !readyAt.has(object.metadata.name)) readyAt.set(object.metadata.name, Date.now());
    };
    const watching = setInterval(() => void look().catch(() => {}), 150);
    const told = await cluster.bootstrap();
    expect(told).toContain("Flux runs in the cluster of own and applies the components.");
    await cluster.settled(await cluster.git.publish());
    clearInterval(watching);
    await look();
    const times = [...readyAt].sort(([, a], [, b]) => a - b).map(([name, at]) => `${name} ${((at - began) / 1000).toFixed(1)}`);
    console.log(`seconds until ready: ${times.join(", ")}`);
    for (const { metadata, spec } of await cluster.kustomizations())
      for (const need of (spec.dependsOn ?? []) as { name: string }[])
        expect(readyAt.get(need.name), `${need.name} before ${metadata.name}`).toBeLessThanOrEqual(
          readyAt.get(metadata.name) ?? 0,
        );
    // Checks that every object was applied after its CRD, and that every workload was created after the issuer's
    // Secret.
    expect(cluster.plane.processes.log("kustomize-controller")).not.toMatch(/no matches for kind/);
    const issuer = await cluster.api.get("/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer");
    for (const kind of ["deployments", "statefulsets"])
      for (const workload of await cluster.api.list(`/apis/apps/v1/${kind}`))
        if (workload.metadata.namespace !== "flux-system")
          expect(created(workload)).toBeGreaterThanOrEqual(created(issuer as ApiObject));
  });

  test("every policy of Dgraph exists before Dgraph's first pod", () => {
    const created = cluster.plane.created("dgraph");
    const firstPod = created.findIndex((line) => line.startsWith("pods "));
    expect(created.slice(0, firstPod).sort()).toEqual(policiesOf(platform.root, "own"));
    expect(created.slice(firstPod).filter((line) => !line.startsWith("pods "))).toEqual([]);
  });

  test("a second bootstrap reports that Flux is already installed", async () => {
    const again = await cluster.script("bootstrap");
    expect(again).toContain("already installed, v2.9.6");
  });

  test("the Secrets are applied with their decrypted values, and no Secret or ConfigMap contains the trust anchor's key", async () => {
    const listed = readFileSync(join(platform.root, "overlays/own/identity/kustomization.yaml"), "utf8");
    const all = Object.entries(readTree(platform.root, "overlays/own/identity"));
    const files = all.filter(([path]) => path.endsWith(".sops.yaml") && listed.includes(path.slice(path.lastIndexOf("/") + 1)));
    expect(files).toHaveLength(6);
    for (const [, text] of files) {
      const [secret] = objectsIn(await decryptFile(text, { identities: [testIdentity().clusterKey] }));
      const { name, namespace } = (secret as ApiObject).metadata;
      const found = await cluster.api.get(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      expect(found?.["data"]).toEqual((secret as ApiObject)["data"]);
    }
    const anchors = readFileSync(join(platform.root, "environments/own/identity/trust-anchor.sops.yaml"), "utf8");
    const plain = await decryptFile(anchors, { identities: [testIdentity().adminKey] });
    const keys = [...plain.matchAll(/-----BEGIN [A-Z ]+ KEY-----\s+(\S+)/g)].map(([, line]) => line ?? "");
    expect(keys.length).toBeGreaterThan(0);
    const everything = JSON.stringify([await cluster.api.list("/api/v1/secrets"), await cluster.api.list("/api/v1/configmaps")]);
    for (const key of keys)
      for (const form of [key, Buffer.from(key).toString("base64").slice(4, 40)]) expect(everything).not.toContain(form);
  });

  test("status reports all components as ready and the meshed workloads as meshed", async () => {
    const { code, stdout } = await status();
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok dgraph .*meshed/m);
    expect(stdout).toContain(`, generated by meshops ${version}\n`);
    const report = JSON.parse((await status("-o", "json")).stdout) as { ready: boolean; trustAnchors: { asCommitted: boolean } };
    expect(report).toMatchObject({ ready: true, environment: "own", trustAnchors: { asCommitted: true } });
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  /** Edits the spec, generates, and pushes the generated files. Returns the changed objects in the cluster. */
  async function change(message: string, spec: Record<string, unknown>): Promise<string[]> {
    await edit(platform, spec);
    return push(message);
  }

  async function rotate(...step: string[]): Promise<string[]> {
    const rotated = await meshops(platform.root, ["identity", ...step], { env: ageKeys() });
    if (rotated.code !== 0) throw new Error(rotated.stderr);
    return change(step.join(" "), {});
  }

  /** Returns the namespaces in which new pods replaced old pods. */
  const rolled = (changes: readonly string[]): string[] => [
    ...new Set(changes.flatMap((line) => /^changed pods ([\w-]+)\//.exec(line)?.[1] ?? [])),
  ];
  const touching = (changes: readonly string[], pattern: RegExp): string[] => changes.filter((line) => pattern.test(line));
  const meshedNamespaces = ["dgraph", "linkerd-viz", "pydgraph-client"];

  test("a change from three to five Alphas adds two pods, and replaces no pod", async () => {
    const changes = await change("five Alphas", { dgraph: { alpha: { replicas: 5 } } });
    expect(changes.map((line) => line.replace(/values-\w+$/, "values-*"))).toEqual([
      expect.stringMatching(/configmaps dgraph\/dgraph-values-\*/),
      expect.stringMatching(/configmaps dgraph\/dgraph-values-\*/),
      "changed helmreleases dgraph/dgraph",
      "appeared pods dgraph/demo-dgraph-alpha-3",
      "appeared pods dgraph/demo-dgraph-alpha-4",
      "changed statefulsets dgraph/demo-dgraph-alpha",
    ]);
  });

  test("if a client is added or renamed, only policies change", async () => {
    const client = (name: string): object => ({ namespace: name, serviceAccount: name });
    const policies = [
      "changed meshtlsauthentications dgraph/demo-dgraph-alpha-grpc",
      "changed meshtlsauthentications dgraph/demo-dgraph-alpha-http",
      "changed networkpolicies dgraph/demo-dgraph-alpha",
    ];
    expect(await change("a shop", { dgraph: { clients: [client("pydgraph-client"), client("shop")] } })).toEqual(policies);
    expect(await change("a store", { dgraph: { clients: [client("pydgraph-client"), client("store")] } })).toEqual(policies);
    const alpha = await cluster.api.get(
      "/apis/policy.linkerd.io/v1alpha1/namespaces/dgraph/meshtlsauthentications/demo-dgraph-alpha-grpc",
    );
    expect(JSON.stringify(alpha?.["spec"])).toContain('"name":"store"');
    expect(JSON.stringify(alpha?.["spec"])).not.toContain("shop");
  });

  test("networkPolicy: false deletes Servers before the objects that admit clients; networkPolicy: true creates Servers last", async () => {
    const kinds = (lines: readonly string[]): string[] => [...new Set(lines.map((line) => line.split(" ")[0] ?? ""))];
    await change("no policies", { dgraph: { networkPolicy: false } });
    const deleted = kinds(cluster.plane.deleted("dgraph")).filter((kind) => kind !== "pods");
    expect(deleted).toEqual(["servers", "meshtlsauthentications", "authorizationpolicies", "networkpolicies"]);
    const before = cluster.plane.created("dgraph").length;
    await change("policies again", { dgraph: { networkPolicy: true } });
    const created = kinds(cluster.plane.created("dgraph").slice(before)).filter((kind) => kind !== "pods");
    expect(created).toEqual(["networkpolicies", "authorizationpolicies", "meshtlsauthentications", "servers"]);
  });

  test("disabling jaeger removes the objects of jaeger and does not change Dgraph", async () => {
    const changes = await change("no jaeger", { linkerd: { jaeger: { enabled: false } } });
    expect(touching(changes, /linkerd-jaeger/).every((line) => line.startsWith("gone "))).toBe(true);
    expect(touching(changes, /^gone (deployments|services|pods) linkerd-jaeger/)).toHaveLength(3);
    expect(touching(changes, / (dgraph|pydgraph-client)\//)).toEqual([]);
  });

  test("another linkerd.version in the spec upgrades Linkerd, and restarts the control plane and all meshed workloads", async () => {
    const changes = await change("upgrade", { linkerd: { version: "edge-26.8.3" } });
    expect(rolled(changes).sort()).toEqual(["linkerd", ...meshedNamespaces].sort());
    expect(touching(changes, /^gone (?!configmaps)/)).toEqual([]);
    expect(touching(changes, /secrets|networkpolicies dgraph/)).toEqual([]);
  });

  test("a new issuer changes only the Secret of the issuer and restarts only the control plane", async () => {
    const changes = await rotate("rotate-issuer", "own");
    expect(touching(changes, /secrets/)).toEqual(["changed secrets linkerd/linkerd-identity-issuer"]);
    expect(rolled(changes)).toEqual(["linkerd"]);
    expect(touching(changes, / (dgraph|linkerd-viz|pydgraph-client)\//)).toEqual([]);
  });

  test("each step of a trust anchor rotation restarts all meshed workloads, with the trust bundle of this step", async () => {
    for (const [step, anchors, secrets] of [
      [1, 2, []],
      [2, 2, ["changed secrets linkerd/linkerd-identity-issuer"]],
      [3, 1, []],
    ] as const) {
      const changes = await rotate("rotate-anchor", "own", "--pods-restarted");
      expect(rolled(changes).sort(), `step ${step}`).toEqual(["linkerd", ...meshedNamespaces].sort());
      expect(touching(changes, /secrets/)).toEqual(secrets);
      const bundle = (await cluster.api.get("/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots"))?.["data"][
        "ca-bundle.crt"
      ] as string;
      expect(bundle.match(/BEGIN CERTIFICATE/g)).toHaveLength(anchors);
      for (const pod of await cluster.api.list("/api/v1/namespaces/dgraph/pods")) {
        const [proxy] = (pod["spec"].containers as { name: string; env?: { value: string }[] }[]).filter(
          ({ name }) => name === "linkerd-proxy",
        );
        expect(proxy?.env?.[0]?.value.trim()).toBe(bundle.trim());
      }
    }
    const { code, stdout } = await status();
    expect(code, stdout).toBe(0);
  });

  test("another trust domain restarts all meshed workloads; the commands that diff prints delete all their pods at the same time", async () => {
    const pods = async (): Promise<string[]> => {
      const all = await cluster.api.list("/api/v1/pods");
      return all
        .filter(({ metadata }) => meshedNamespaces.includes(metadata.namespace ?? ""))
        .map(({ metadata }) => metadata.uid ?? "");
    };
    await edit(platform, { linkerd: { identity: { trustDomain: "mesh.example.org" } } });
    const { stdout } = await meshops(platform.root, ["diff", "own"]);
    const commands = stdout.split("\n").flatMap((line) => /^ {9}(\S.*)$/.exec(line)?.[1] ?? []);
    const [issuer = "", , replace = "", list = ""] = commands;
    expect(issuer).toBe("meshops identity rotate-issuer own && meshops generate own");
    const changes = await rotate("rotate-issuer", "own");
    expect(rolled(changes).sort()).toEqual(["linkerd", ...meshedNamespaces].sort());
    const before = await pods();
    const env = {
      ...process.env,
      KUBECONFIG: cluster.plane.kubeconfigFile("admin"),
      PATH: `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`,
    };
    await run("bash", ["-ec", replace], { env });
    await until("all pods are new", async () => {
      const after = await pods();
      return after.length === before.length && !after.some((uid) => before.includes(uid));
    });
    await run("bash", ["-ec", list], { env });
    await until("everything is ready", async () => (await status()).code === 0);
  });

  function status(...options: string[]): ReturnType<typeof meshops> {
    return meshops(platform.root, [
      "status",
      "own",
      "--kubeconfig",
      cluster.plane.kubeconfigFile("admin"),
      "--context",
      "harness",
      ...options,
    ]);
  }
});

function created(object: ApiObject): number {
  return Date.parse((object.metadata as unknown as { creationTimestamp: string }).creationTimestamp);
}
