import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type ChartServer, serveCharts } from "../support/charts.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { run, tool } from "../support/tools.ts";

const objects = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-api}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop, tier: api}}
  template:
    metadata: {labels: {app: shop, tier: api}}
    spec:
      serviceAccountName: shop
      containers:
        - name: api
          image: shop
          ports: [{name: grpc, containerPort: 9090}, {name: db, containerPort: 6379}]
          readinessProbe: {grpc: {port: 9090}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: shop-migrate, annotations: {helm.sh/hook: pre-install}}
spec: {template: {metadata: {labels: {app: shop, tier: migrate}}, spec: {containers: [{name: m, image: m}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop-db}
spec: {selector: {app: shop, tier: api}, ports: [{port: 6380, targetPort: 6379}]}
`;

const right = {
  workloadRef: { kind: "Deployment", name: "shop-api" },
  selector: { matchLabels: { app: "shop", tier: "api" } },
  serviceAccountName: "shop",
  inject: "enabled",
  services: ["shop-db"],
  ports: {
    grpc: { port: 9090, protocol: "gRPC" },
    db: { port: 6379, protocol: "opaque", servicePort: 6380 },
  },
  access: {
    mode: "enforce",
    clients: { probes: { builtin: "kubelet", ports: ["grpc"] }, web: { serviceAccountRef: { namespace: "web", name: "web" } } },
  },
};

/* Tests `validate --render` with the real helm and kustomize, for a folder and for a chart in a repository. */
withTools(["helm", "kustomize"], "validate --render", () => {
  let charts: ChartServer;

  beforeAll(async () => {
    const [source, packed] = [join(scratchFolder("source"), "shop"), scratchFolder("charts")];
    writeTree(source, {
      "Chart.yaml": stringify({ apiVersion: "v2", name: "shop", version: "1.4.2" }),
      "templates/all.yaml": `${objects.replace("replicas: 2", "replicas: {{ .Values.replicas }}")}{{ .Values.extra }}\n`,
    });
    await run(tool("helm"), ["package", source, "--destination", packed]);
    await run(tool("helm"), ["repo", "index", packed]);
    charts = await serveCharts(packed, []);
  });
  afterAll(() => charts?.close());

  async function validate(
    set: object,
    source: object = { path: "apps/shop" },
    more: object = {},
    programs = "",
    inSpec: object = {},
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const root = scratchFolder("render");
    const spec = {
      gitops: { url: "https://github.com/acme/platform" },
      linkerd: { lifecycle: "existing", version: "edge-26.8.3" },
      dgraph: { enabled: false },
      cluster: { networks: { nodes: ["10.224.0.0/16"] } },
      workloads: {
        shop: { namespace: "shop", source, values: "path" in source ? {} : { replicas: 1 }, ...more, pods: { api: set } },
      },
      ...inSpec,
    };
    writeTree(root, {
      "environments/shop.yaml": stringify({
        apiVersion: "meshops.dev/v1alpha1",
        kind: "Environment",
        metadata: { name: "shop" },
        spec,
      }),
      "apps/shop/kustomization.yaml": "resources: [all.yaml]\n",
      "apps/shop/all.yaml": objects,
      "bases/helm-release/kustomization.yaml": "",
    });
    const path = [programs, ...["helm", "kustomize"].map((name) => join(tool(name as "helm"), ".."))].join(":");
    const env = { ...charts.env, PATH: `${path}:${process.env["PATH"]}` };
    return meshops(root, ["validate", "--render"], { env });
  }

  test("a description that matches the rendered objects has only warnings about risks", async () => {
    const { code, stdout } = await validate(right);
    expect(code, stdout).toBe(0);
    expect(new Set(stdout.match(/(error|warning) workload-[a-z-]+/g))).toEqual(new Set(["warning workload-risk"]));
    expect(stdout).toContain("the containers of shop-api have no preStop hook");
    expect(stdout).not.toContain("shop-migrate");
  });

  test("a chart is rendered with its values", async () => {
    const { code, stdout } = await validate(right, { chart: { repository: charts.url, name: "shop", version: "1.4.2" } });
    expect(code, stdout).toBe(0);
    expect(stdout).not.toContain("preStop");
  });

  test.each([
    [
      "another name",
      { ...right, workloadRef: { kind: "Deployment", name: "shop-ap" } },
      "the objects of the workload contain no Deployment shop-ap. meshops therefore cannot add the proxy settings to these pods",
      'fix: did you mean "shop-api"?',
    ],
    [
      "another selector",
      { ...right, selector: { matchLabels: { app: "store" } } },
      "the selector of shop/api does not select the pods of Deployment shop-api",
      'fix: set selector: {"matchLabels":{"app":"shop","tier":"api"}}',
    ],
    [
      "another account",
      { ...right, serviceAccountName: "shop-api" },
      "the pods of shop/api have the service account shop, not shop-api",
      "fix: set serviceAccountName: shop",
    ],
    [
      "another Service",
      { ...right, services: ["shop-dp"] },
      "the objects of shop/api contain no Service shop-dp",
      'did you mean "shop-db"?',
    ],
    [
      "the number of the container's port",
      { ...right, ports: { ...right.ports, db: { port: 6379, protocol: "opaque" } } },
      "in Service shop-db, the opaque port db of shop/api has the number 6380, not 6379",
      "fix: set servicePort: 6380",
    ],
  ])("reports %s", async (_, set, message, fix) => {
    const { code, stdout } = await validate(set);
    expect(code).toBe(1);
    const text = stdout.replaceAll(/\n {2}/g, " ");
    expect(text).toContain(message);
    expect(text).toContain(fix);
  });

  test("warns if the selector also selects the pods of a hook, and if Linkerd refuses a probe", async () => {
    const { code, stdout } = await validate({
      ...right,
      selector: { matchLabels: { app: "shop" } },
      access: { mode: "enforce", clients: { web: { serviceAccountRef: { namespace: "web", name: "web" } } } },
    });
    expect(code).toBe(0);
    expect(stdout).toContain("the selector of shop/api also selects the pods of Job shop-migrate");
    expect(stdout).toContain("Linkerd refuses the probe (gRPC) of shop/api on port grpc");
  });

  test("warns about a described port that no container declares", async () => {
    const { code, stdout } = await validate({
      ...right,
      ports: { ...right.ports, grpc: { port: 9091, protocol: "gRPC" } },
    });
    expect(code, stdout).toBe(0);
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain("no container of shop/api declares port 9091 (grpc), and no Service and no probe refers to this port");
    expect(text).toContain("fix: set port: 9090");
    expect((await validate(right)).stdout).not.toContain("declares port");
  });

  test("a source that cannot be rendered is an error with the reason", async () => {
    const { code, stdout } = await validate(right, { chart: { repository: charts.url, name: "shop", version: "9.9.9" } });
    expect(code).toBe(1);
    expect(stdout).toContain("the workload shop cannot be rendered: helm: Error");
  });

  test("patches in the spec are applied to a folder and to a chart", async () => {
    const containers = [{ name: "api", lifecycle: { preStop: { sleep: { seconds: 5 } } } }];
    const patches = {
      stop: {
        patch: stringify({
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "shop-api" },
          spec: { replicas: 3, template: { spec: { containers } } },
        }),
      },
      port: { target: { kind: "Service", name: "shop-db" }, patch: "[{op: replace, path: /spec/ports/0/port, value: 6381}]" },
    };
    const set = { ...right, ports: { ...right.ports, db: { ...right.ports.db, servicePort: 6381 } } };
    for (const source of [undefined, { chart: { repository: charts.url, name: "shop", version: "1.4.2" } }]) {
      const { code, stdout } = await validate(set, source, { patches });
      expect(code, stdout).toBe(0);
      expect(stdout).not.toContain("preStop");
    }
  });

  test("a patch that Kustomize cannot apply is an error with the reason", async () => {
    const patches = { address: { target: { kind: "Service" }, patch: "[{op: remove, path: /spec/clusterIP}]" } };
    const { code, stdout } = await validate(right, undefined, { patches });
    expect(code).toBe(1);
    expect(stdout.replaceAll(/\n {2}/g, " ")).toContain("the workload shop cannot be rendered: kustomize: Error");
    expect(stdout).toContain("clusterIP");
  });

  test("no key of a rendered Secret is written to the temporary folder", async () => {
    const patches = {
      secret: { patch: "{apiVersion: v1, kind: Secret, metadata: {name: shop}, type: Opaque}" },
      replicas: { target: { kind: "Deployment" }, patch: "[{op: replace, path: /spec/replicas, value: 3}]" },
    };
    const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: shop}\nstringData: {key: AGE-SECRET}\n";
    const folder = scratchFolder("programs");
    // A wrapper for the real kustomize that also records the content of the temporary folder.
    writeFileSync(join(folder, "kustomize"), `#!/bin/sh\ncat "$2"/*.yaml >> ${folder}/read\nexec ${tool("kustomize")} "$@"\n`, {
      mode: 0o755,
    });
    const chart = { repository: charts.url, name: "shop", version: "1.4.2" };
    const { code, stdout } = await validate(right, { chart }, { patches, values: { replicas: 1, extra: secret } }, folder);
    expect(code, stdout).toBe(0);
    const read = readFileSync(join(folder, "read"), "utf8");
    expect(read).toContain("kind: Deployment");
    expect(read).not.toContain("AGE-SECRET");
  });

  test("rules.ignore silences the warnings about risks", async () => {
    const rules = { ignore: [{ code: "workload-risk", reason: "reviewed with the shop team" }] };
    const { code, stdout } = await validate(right, undefined, {}, undefined, { rules });
    expect(code, stdout).toBe(0);
    expect(stdout).toContain("reason: reviewed with the shop team");
    expect(stdout).not.toContain("warning workload-risk");
  });
});
