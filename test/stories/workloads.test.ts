import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { meshops } from "../support/cli.ts";
import { blocksIn } from "../support/docs.ts";
import { readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

const page = blocksIn("docs/workloads.md");
const spec = page.get("file: environments/shop.yaml") ?? "";

describe("the workloads in docs/workloads.md", () => {
  let root: string;
  beforeAll(() => {
    root = scratchFolder("workloads");
    writeTree(root, { "environments/shop.yaml": spec });
  });

  test("are valid, and meshops generates only policies for them", async () => {
    const { code, stdout, stderr } = await meshops(root, ["validate"]);
    expect(code, stdout + stderr).toBe(0);
    expect((await meshops(root, ["generate"])).code).toBe(0);
    const files = Object.keys(readTree(join(root, "flux/shop")));
    expect(files.sort()).toEqual(["policy-orders.yaml", "policy-shop.yaml"]);
  });

  test("are valid with a source, and meshops then also generates the objects that deliver them", async () => {
    const store = scratchFolder("workloads");
    writeTree(store, {
      "environments/store.yaml": page.get("file: environments/store.yaml") ?? "",
      "apps/shop/kustomization.yaml": "resources: []\n",
      "bases/helm-release/kustomization.yaml": "",
    });
    const { code, stdout, stderr } = await meshops(store, ["validate"]);
    expect(code, stdout + stderr).toBe(0);
    expect((await meshops(store, ["generate"])).code).toBe(0);
    const files = Object.keys(readTree(join(store, "flux/store")));
    expect(files.sort()).toEqual([
      "namespaces.yaml",
      "policy-cache.yaml",
      "policy-shop.yaml",
      "workload-cache.yaml",
      "workload-shop.yaml",
    ]);
    expect((await meshops(store, ["access", "store", "--from", "shop/api", "--to", "cache/redis:redis"])).stdout).toContain(
      "shop/api to cache/redis, port redis 6379: allowed",
    );
  });

  test.each([...page].filter(([name]) => name.startsWith("command: ")))("%s prints the transcript", async (name, transcript) => {
    const { stdout } = await meshops(root, name.replace("command: ", "").trim().split(" "));
    const [, ...expected] = transcript.trimEnd().split("\n");
    expect(stdout.trimEnd().split("\n")).toEqual(expected);
  });

  test.each([
    [["--from", "orders/apii"], 'fix: did you mean "orders/api"?'],
    [["--to", "shop/api:htp"], 'fix: did you mean "http"?'],
    [["--to", "shop/web"], 'no pods "shop/web" found'],
  ])("access %j is a usage error", async (flags, text) => {
    const { code, stderr } = await meshops(root, ["access", "shop", ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  test("with many workloads, the tables and the graph group clients that have the same access", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `service-${index}`);
    const workload = (name: string, index: number): string => `    ${name}:
      namespace: ${name}
      pods:
        api:
          selector: {matchLabels: {app: ${name}}}
          serviceAccountName: ${name}
          ports: {http: {port: 8080}, grpc: {port: 9090, protocol: gRPC}}
          access: {mode: ${index % 2 === 0 ? "audit" : "enforce"}, clients: {next: {workload: service-${(index + 1) % 20}/api}}}
`;
    const big = scratchFolder("workloads");
    const head = spec.slice(0, spec.indexOf("  workloads:\n"));
    writeTree(big, { "environments/shop.yaml": `${head}  workloads:\n${names.map(workload).join("")}` });
    const { stdout, code } = await meshops(big, ["access", "shop"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    // The table of each workload has four lines: a header, the client in `access.clients`, other meshed pods, and pods
    // without a proxy. An empty line follows each table except the last table.
    expect(lines.length).toBe(20 * 5 - 1);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    const { stdout: graph } = await meshops(big, ["graph", "shop", "--show", "traffic"]);
    expect(graph).not.toContain("viz Prometheus");
    expect(graph).toContain("everyone else: counted, not refused");
    expect(graph.match(/-->/g)?.length).toBe(20);
  });

  test("access --manifests evaluates the policies in manifests", async () => {
    const folder = scratchFolder("manifests");
    writeTree(folder, {
      "web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {linkerd.io/inject: enabled}}
    spec: {serviceAccountName: web, containers: [{name: web, image: example.org/web:1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}, annotations: {linkerd.io/inject: enabled}}
    spec:
      serviceAccountName: shop
      containers: [{name: shop, image: example.org/shop:1, ports: [{name: http, containerPort: 8080}, {name: admin, containerPort: 9000}]}]
`,
      "policies.yaml": `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: {name: shop-http, namespace: shop}
spec: {podSelector: {matchLabels: {app: shop}}, port: http}
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: {name: shop-http, namespace: shop}
spec:
  targetRef: {group: policy.linkerd.io, kind: Server, name: shop-http}
  requiredAuthenticationRefs: [{kind: ServiceAccount, name: web, namespace: web}]
`,
    });
    const { stdout, code, stderr } = await meshops(folder, ["access", "--manifests", "."]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(
      [
        "shop/shop                 http 8080        admin 9000",
        "  web/web                   allowed          allowed",
        "  other meshed pods         refused: mesh    allowed",
        "  pods without a proxy      refused: mesh    allowed",
        "",
      ].join("\n"),
    );
    const explained = await meshops(folder, ["access", "--manifests", ".", "--from", "web/web", "--to", "shop/shop:admin"]);
    expect(explained.stdout).toContain("Linkerd: admits the client (default inbound policy all-unauthenticated)");
    expect((await meshops(folder, ["access"])).code).toBe(2);
  });

  test("access takes into account the opaque ports and the settings of the proxies", async () => {
    const folder = scratchFolder("workloads");
    const head = spec.slice(0, spec.indexOf("  workloads:\n"));
    writeTree(folder, {
      "environments/shop.yaml": `${head}  workloads:
    shop:
      namespace: shop
      pods:
        api:
          selector: {matchLabels: {app: shop}}
          proxy: {default-inbound-policy: deny}
          ports: {grid: {port: 4444, protocol: HTTP/1}, open: {port: 9000, access: "off"}}
          access: {mode: audit, clients: {web: {namespace: web}}}
`,
    });
    const { stdout } = await meshops(folder, ["access", "shop", "--from", "other meshed pods", "--to", "shop/api"]);
    // Port 4444 is opaque by default. A Server with an HTTP protocol refuses opaque connections, even in the mode
    // audit.
    expect(stdout.replace(/\s+/g, " ")).toContain("(Server shop-api-grid: protocol HTTP/1, but the port is opaque)");
    expect(stdout.replace(/\s+/g, " ")).toContain("port open 9000: refused");
  });

  test("the output of access --output json contains one cell per client and port", async () => {
    const { stdout } = await meshops(root, ["access", "shop", "-o", "json"]);
    const cells = JSON.parse(stdout) as { client: string; server: string; key: string; access: string; mesh: object }[];
    expect(cells.length).toBe(2 * 6 + 4);
    expect(cells.find(({ client, key }) => client === "web/web" && key === "http")).toMatchObject({
      server: "shop/api",
      access: "allowed",
      arrivesAt: 4143,
      network: { admits: true, policies: ["shop-api"] },
      mesh: { admits: true, by: "AuthorizationPolicy shop-api-http" },
    });
  });
});

describe("the clients in docs/ingress.md", () => {
  const clients = [...blocksIn("docs/ingress.md")].filter(([name]) => name.startsWith("clients: "));

  test("contain entries for four kinds of controllers", () => expect(clients.length).toBe(4));

  test.each(clients)("%s are valid, and have access to the port", async (_, entry) => {
    const root = scratchFolder("ingress");
    const api = {
      selector: { matchLabels: { app: "shop", tier: "api" } },
      ports: { http: { port: 8080, protocol: "HTTP/1" } },
      access: { mode: "enforce", clients: parse(entry) as object },
    };
    const workloads = { shop: { namespace: "shop", pods: { api } } };
    const linkerd = { lifecycle: "existing", version: "edge-26.8.3" };
    writeTree(root, { "environments/dev.yaml": specText({ linkerd, dgraph: { enabled: false }, workloads }, "dev") });
    const { code, stdout, stderr } = await meshops(root, ["validate"]);
    expect(code, stdout + stderr).toBe(0);
    const table = JSON.parse((await meshops(root, ["access", "dev", "--output", "json"])).stdout) as {
      access: string;
    }[];
    expect(table.filter(({ access }) => access === "allowed").length).toBe(1);
  });
});
