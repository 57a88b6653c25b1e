import { describe, expect, test } from "vitest";
import type { ChangedObject, ChangeSet } from "../../generator/components/change-rule.ts";
import { riskOf } from "../../generator/diff/risk.ts";
import { changesBetween, type Row } from "../support/changes.ts";
import { meshops } from "../support/cli.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";

/*
 * Tests changes that an earlier version of `meshops diff` did not report correctly. That version printed an untrue
 * sentence about the change, or did not report a serious effect of the change.
 */

const spec = (more: string, gitops: string = "url: https://github.com/acme/platform"): string => `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  gitops: {${gitops}}
  cluster: {context: lab}
  linkerd: {lifecycle: existing, version: edge-26.8.3}
  dgraph: {enabled: false}
${more}`;

const workloads = ({ proxy = "{}", inject = "inherited", source = "path: apps/shop", key = "shop" } = {}): string => `  workloads:
    ${key}:
      namespace: shop
      source: {${source}}
      pods:
        api:
          selector: {matchLabels: {app: shop}}
          workloadRef: {kind: Deployment, name: api}
          inject: ${inject}
          proxy: ${proxy}
    queue:
      namespace: queue
      pods:
        redis:
          selector: {matchLabels: {app: redis}}
          ports: {redis: {port: 6379, protocol: opaque}}
          access: {mode: enforce, clients: {shop: {serviceAccountRef: {namespace: shop, name: default}}}}
`;
const namespaces = (inject: string): string => `  namespaces:
    shop: {mesh: {inject: ${inject}}}
    queue: {mesh: {inject: enabled}}
`;
const files = {
  "apps/shop/kustomization.yaml": "resources: [api.yaml]\n",
  "apps/shop/api.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\n",
};
const between = (before: string, after: string): Promise<Row[]> => changesBetween(before, after, files);
const text = (rows: readonly Row[]): string => JSON.stringify(rows, null, 1);

describe("settings of the proxies of a workload", () => {
  const enabled = namespaces("enabled");

  test("if skip-outbound-ports is set for a client, diff reports that the client loses access, because it has no identity", async () => {
    const rows = await between(
      spec(enabled + workloads()),
      spec(enabled + workloads({ proxy: '{skip-outbound-ports: "6379"}' })),
    );
    const access = rows.find(({ kind, name }) => kind === "Access" && name === "queue/redis");
    expect(access, text(rows)).toMatchObject({
      risk: "narrower-access",
      reason: expect.stringContaining("can no longer connect to port 6379 (redis"),
    });
  });

  test("a change of the default inbound policy of pods has the risk of a change of access", async () => {
    const rows = await between(
      spec(enabled + workloads()),
      spec(enabled + workloads({ proxy: "{default-inbound-policy: deny}" })),
    );
    expect(rows.map(({ risk, reason }) => `${risk}: ${reason}`).join("\n")).toMatch(
      /^narrower-access: .*the pods of shop refuse some of the clients/m,
    );
  });

  test("if the namespace instead of a patch enables injection, diff reports a restart, and not a lost proxy", async () => {
    const rows = await between(spec(namespaces("disabled") + workloads({ inject: "enabled" })), spec(enabled + workloads()));
    const overlay = rows.find(({ kind }) => kind === "Overlay");
    expect(overlay, text(rows)).toMatchObject({ risk: "rollout" });
    expect(overlay?.reason).not.toContain("no proxy");
  });

  test("the fix for a key with the prefix config.linkerd.io/ is the same key without the prefix", async () => {
    const root = scratchFolder("true-reports");
    writeTree(root, {
      ...files,
      "environments/shop.yaml": spec(workloads({ proxy: "{config.linkerd.io/proxy-cpu-request: 50m}" })),
    });
    expect((await meshops(root, ["validate", "--no-identity"])).stdout).toContain('fix: did you mean "proxy-cpu-request"?');
  });
});

describe("helmfile", () => {
  test("if another tool takes over a release, the printed commands delete only Helm's record, so that the pods keep running", async () => {
    const handedOver = workloads().replace("      source: {path: apps/shop}\n", "");
    const rows = await between(spec(workloads()), spec(handedOver));
    const steps = rows.find(({ kind }) => kind === "Helmfile")?.steps ?? [];
    const commands = steps.map(({ command }) => command ?? "").join("\n");
    expect(commands, text(rows)).toContain(
      "kubectl --context lab delete secret --namespace shop --selector owner=helm,name=workload-shop",
    );
    expect(commands).not.toContain("uninstall workload-shop");
  });
});

describe("Flux", () => {
  test("if another Kustomization becomes the root, diff reports steps, although no generated object changes", async () => {
    const root = "url: https://github.com/acme/platform, root: {kustomization: {name: infra, namespace: flux-system}}";
    const rows = await between(spec(workloads()), spec(workloads(), root));
    expect(rows, text(rows)).toMatchObject([{ kind: "Kustomization", name: "flux-system", risk: "data-loss" }]);
    expect(rows[0]?.steps[0]?.command).toContain("patch kustomization.kustomize.toolkit.fluxcd.io flux-system");
    expect(rows[0]?.steps.at(-1)?.command).toContain("delete kustomization.kustomize.toolkit.fluxcd.io flux-system");
  });

  test("if a name prefix is added, diff does not print the procedure for a renamed workload", async () => {
    const rows = await between(spec(workloads()), spec(workloads(), "url: https://github.com/acme/platform, namePrefix: mesh-"));
    expect(text(rows)).not.toContain("If you rename the workload");
  });
});

describe("certificates of other programs", () => {
  const release = (name: string, values: object): ChangedObject["after"] => ({
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name, namespace: "linkerd" },
    spec: { values },
  });
  const assess = (before: object, after: object, fields: ChangedObject["fields"]): ReturnType<typeof riskOf> => {
    const name = "linkerd-control-plane";
    const changed = { change: "changed", kind: "HelmRelease", namespace: "linkerd", name, fields } as const;
    const object = { ...changed, before: release(name, before), after: release(name, after) };
    const all: ChangeSet = { environment: "shop", objects: [object], specs: { before: null, after: null } };
    return riskOf(object, all);
  };

  test("if meshops issues the certificates instead of another program, the first steps extend the trust bundle", () => {
    const anchors = "-----BEGIN CERTIFICATE-----\n";
    const path = "spec.values.identityTrustAnchorsPEM";
    const found = assess({ identity: { externalCA: true } }, { identityTrustAnchorsPEM: anchors }, [{ path, after: anchors }]);
    expect(found.risk).toBe("trust-anchor");
    expect(found.reason).toContain("The trust anchor of meshops replaces the trust anchors in the trust bundle");
    expect(found.reason).not.toContain("step 1 of a trust anchor rotation");
    expect(found.steps.map(({ text: step }) => step.split(" ").slice(0, 6).join(" "))).toEqual([
      "Before you push, add the trust",
      "Insert the trust anchor of the",
      "Stop the other program from writing",
      "Push the commit.",
      "Wait until Linkerd is ready.",
      "Restart all meshed pods that have",
    ]);
  });

  test("if the chart creates the webhook certificates instead of another program, the first step deletes the old Secret", () => {
    const path = "spec.values.proxyInjector.externalSecret";
    const found = assess({ proxyInjector: { externalSecret: true } }, { proxyInjector: {} }, [{ path, before: true }]);
    expect(found.risk).toBe("webhook-policy");
    expect(found.steps[0]?.command).toContain("delete secret --namespace linkerd linkerd-proxy-injector-k8s-tls");
  });

  test("if imagePullSecrets are added, the first step is to create these Secrets before the push", () => {
    const path = "spec.values.imagePullSecrets";
    const found = assess({}, { imagePullSecrets: [{ name: "harbor" }] }, [{ path, after: [{ name: "harbor" }] }]);
    expect(found.reason).toContain("Secret harbor");
    expect(found.steps[0]?.text).toContain("all namespaces with meshed pods");
  });
});

test("if the declared Kubernetes version of a cluster is too old, the fix is to upgrade the cluster first", async () => {
  const root = scratchFolder("true-reports");
  const text = spec("").replace("{context: lab}", '{context: lab, kubernetesVersion: "1.28"}');
  writeTree(root, { "environments/shop.yaml": text });
  const { stdout } = await meshops(root, ["validate", "--no-identity"]);
  expect(stdout).toContain("fix: upgrade the cluster to Kubernetes 1.31 or newer, or set linkerd.version: edge-25.10.7\n");
});

describe("two changes at the same time", () => {
  const set = ({
    name = "redis",
    clients = "{shop: {serviceAccountRef: {namespace: shop, name: default}}}",
    mode = "enforce",
    port = 6379,
    key = "redis",
    workload = "queue",
  } = {}): string =>
    spec(`${namespaces("enabled")}  workloads:
    ${workload}:
      namespace: queue
      pods:
        ${name}:
          selector: {matchLabels: {app: redis}}
          ports: {${key}: {port: ${port}, protocol: opaque}}
          access: {mode: ${mode}, clients: ${clients}}
`);
  const everyone = "{all: {builtin: everyone}}";
  const accessOf = async (before: string, after: string): Promise<string[]> =>
    (await between(before, after)).filter(({ kind }) => kind === "Access").map(({ risk, reason }) => `${risk}: ${reason}`);

  test.each([
    ["a set of pods", set({ name: "cache", clients: everyone })],
    ["a workload", set({ workload: "store", clients: everyone })],
    ["a port", set({ key: "tcp", clients: everyone })],
  ])("if %s is renamed, diff still reports that all clients gain access", async (_, after) => {
    expect((await accessOf(set(), after)).join("\n")).toMatch(/^wider-access: .*can connect to \w+ 6379/m);
  });

  test("if a set of pods is renamed, diff still reports that a client loses access", async () => {
    const after = set({ name: "cache", clients: "{other: {serviceAccountRef: {namespace: other, name: other}}}" });
    expect((await accessOf(set(), after)).join("\n")).toMatch(
      /^narrower-access: .*shop\/default can no longer connect to port 6379 \(redis/m,
    );
  });

  test("if a set of pods is only renamed, diff reports no change of access", async () => {
    expect(await accessOf(set(), set({ name: "cache" }))).toEqual([]);
  });

  test("if the mode changes to audit and the port changes, diff reports that the new port admits all clients", async () => {
    const rows = await between(set(), set({ mode: "audit", port: 6380 }));
    const server = rows.find(({ kind }) => kind === "Server");
    expect(server?.reason, text(rows)).toContain("admits all clients at port 6380");
    expect(server?.reason).not.toContain("lose access");
  });

  test("if the service account of a client changes, diff reports that its pods lose access until they restart", async () => {
    const client = (account: string): string =>
      set({ clients: "{web: {workload: web/front}}" }).replace(
        "  workloads:\n",
        `  workloads:\n    web:\n      namespace: shop\n      pods:\n        front: {selector: {matchLabels: {app: web}}, serviceAccountName: ${account}}\n`,
      );
    const rows = await between(client("web"), client("web-2"));
    const row = rows.find(({ kind, name }) => kind === "Access" && name === "web/front");
    expect(row, text(rows)).toMatchObject({
      risk: "narrower-access",
      reason: expect.stringContaining("Until the pods of web/front have restarted with web-2, Linkerd refuses their connections"),
    });
  });
});
