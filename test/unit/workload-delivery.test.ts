import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { render } from "../../generator/bundle/render.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { meshops } from "../support/cli.ts";
import { field, objectsIn } from "../support/objects.ts";
import { makePlatform, writeTree } from "../support/platform.ts";
import { environmentOf, sampleIdentity, specText } from "../support/specs.ts";

const folder = (name: string, more: object = {}): object => ({ namespace: name, source: { path: `apps/${name}` }, ...more });

async function validated(workloads: object): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const root = makePlatform({ dev: specText({ workloads }, "dev") });
  writeTree(root, { "apps/a/kustomization.yaml": "resources: []\n", "apps/b/kustomization.yaml": "resources: []\n" });
  return meshops(root, ["validate"]);
}

test.each([
  ["itself", { a: folder("a", { dependsOn: [{ workload: "a" }] }) }],
  [
    "another workload that depends on it",
    { a: folder("a", { dependsOn: [{ workload: "b" }] }), b: folder("b", { dependsOn: [{ workload: "a" }] }) },
  ],
  [
    "its own Kustomization",
    { a: folder("a", { dependsOn: [{ kustomization: { name: "workload-a", namespace: "flux-system" } }] }) },
  ],
])("validate reports an error if a workload depends on %s", async (_, workloads) => {
  const { code, stdout } = await validated(workloads);
  expect(code).toBe(1);
  expect(stdout).toContain("dependency-cycle");
});

test("validate reports a chart with the Helm release name that helmfile uses for the folder of another workload", async () => {
  const chart = { repository: "https://charts.example.org", name: "x", version: "1.0.0", releaseName: "workload-a" };
  const { stdout } = await validated({ a: folder("a"), b: { namespace: "a", source: { chart } } });
  expect(stdout).toContain("the component workloads/a already uses the Helm release name workload-a in the namespace a");
});

test("the Kustomization of a workload waits for a suspended chart, but not for a suspended folder, because Flux would wait forever", () => {
  const chart = { repository: "https://charts.example.org", name: "x", version: "1.0.0" };
  const dependsOn = (source: object): string | undefined => {
    const workloads = { a: { namespace: "a", source, suspend: true }, b: folder("b", { dependsOn: [{ workload: "a" }] }) };
    const { bundle } = render({ environment: environmentOf({ workloads }), identity: sampleIdentity() });
    return [...bundle].find(([path]) => path.endsWith("/workload-b.yaml"))?.[1];
  };
  expect(dependsOn({ path: "apps/a" })).not.toContain("workload-a");
  expect(dependsOn({ chart })).toContain("name: workload-a");
});

test("teardown resumes suspended workloads, because Flux keeps the objects of a workload that is deleted while it is suspended", async () => {
  const workloads = { a: folder("a", { suspend: true }), b: folder("b") };
  const root = makePlatform({ dev: specText({ workloads }, "dev") });
  writeTree(root, { "apps/a/kustomization.yaml": "resources: []\n", "apps/b/kustomization.yaml": "resources: []\n" });
  const { stdout } = await meshops(root, ["teardown", "dev", "--context", "x"]);
  expect(stdout).toContain("'take_down' 'workload-a' 'a' '' '' 'suspended'");
  expect(stdout).toContain("'take_down' 'workload-b' 'b' '' ''\n");
});

describe("routes from a .proto file", () => {
  const proto = `syntax = "proto3";
package shop;
message Order {}
service Orders {
  rpc GetOrder(Order) returns (Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Watch(Order) returns (stream Order);
}
`;
  const workloads = (routes: object): object => ({
    shop: {
      namespace: "shop",
      pods: {
        api: {
          selector: { matchLabels: { app: "shop" } },
          ports: { grpc: { port: 9090, servicePort: 90, protocol: "gRPC" } },
          routes: {
            service: "shop",
            port: "grpc",
            proto: "apps/shop.proto",
            methods: { GetOrder: { timeout: "5s" } },
            ...routes,
          },
        },
      },
    },
  });

  async function generated(routes: object, files: Record<string, string> = { "apps/shop.proto": proto }): Promise<string> {
    const spec = specText({ workloads: workloads(routes), linkerd: { clusterDomain: "acme.local" } }, "dev");
    const root = makePlatform({ dev: spec });
    writeTree(root, files);
    const { code, stderr } = await meshops(root, ["generate"]);
    expect(code, stderr).toBe(0);
    return root;
  }
  const objectsOf = (root: string): KubernetesObject[] =>
    objectsIn(readFileSync(join(root, "overlays/dev/routes/shop/api.yaml"), "utf8"));

  test("a ServiceProfile has the host name of the Service, and retries only idempotent methods", async () => {
    const root = await generated({});
    expect(objectsOf(root)).toMatchObject([
      {
        kind: "ServiceProfile",
        metadata: { name: "shop.shop.svc.acme.local", namespace: "shop" },
        spec: {
          routes: [
            { name: "GetOrder", condition: { pathRegex: "/shop\\.Orders/GetOrder" }, isRetryable: true, timeout: "5s" },
            { name: "Watch", condition: { pathRegex: "/shop\\.Orders/Watch" } },
          ],
        },
      },
    ]);
    expect(readFileSync(join(root, "flux/dev/routes-shop.yaml"), "utf8")).toContain("name: linkerd-control-plane");
  });

  test("GRPCRoutes refer to the port of the Service, and one of these GRPCRoutes matches all other methods", async () => {
    const routes = objectsOf(await generated({ kind: "GRPCRoute" }));
    expect(routes.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).toEqual([
      "GRPCRoute shop-get-order",
      "GRPCRoute shop-watch",
      "GRPCRoute shop-other-methods",
    ]);
    expect(field(routes[0], "spec", "parentRefs")).toEqual([{ group: "", kind: "Service", name: "shop", port: 90 }]);
  });

  test("if the .proto file changes, generate --check fails and generate updates the routes", async () => {
    const root = await generated({});
    writeTree(root, { "apps/shop.proto": proto.replace("Watch", "Follow") });
    expect((await meshops(root, ["generate", "--check"])).code).toBe(1);
    expect((await meshops(root, ["generate"])).stdout).toContain("overlays/dev/routes/shop/api.yaml");
  });

  test("it is an error if the .proto file cannot be parsed or does not exist", async () => {
    const root = await generated({});
    writeTree(root, { "apps/shop.proto": 'syntax = "proto3";\nservice {\n' });
    const { code, stdout } = await meshops(root, ["validate"]);
    expect(code).toBe(1);
    expect(stdout).toContain("apps/shop.proto:2:9 error proto-syntax");
    rmSync(join(root, "apps/shop.proto"));
    expect((await meshops(root, ["generate"])).stderr).toContain("proto-missing");
  });
});
