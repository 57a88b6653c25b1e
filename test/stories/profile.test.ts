import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readProto } from "../../generator/components/workloads/proto.ts";
import { meshops } from "../support/cli.ts";
import { hostileProtos } from "../support/hostile.ts";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

const orders = `syntax = "proto3";
package shop.v1;

import "google/protobuf/empty.proto";
// service Commented { rpc Out (A) returns (B); }
/* service Neither { rpc This (A) returns (B) {} } */

message Order {
  message Line { string rpc = 1; oneof service { int32 returns = 2; } }
  map<string, Line> lines = 1;
  reserved 4, 7 to 9;
}

service Orders {
  option deprecated = false;
  // Reads one.
  rpc Get (Order) returns (Order) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = { get: "/v1/{name=orders/*}" additional_bindings { get: "/v2" } };
  }
  rpc Put (.shop.v1.Order) returns (google.protobuf.Empty) { option idempotency_level = IDEMPOTENT; }
  rpc Watch (Order) returns (stream Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Create(Order)returns(Order);
}

service Admin { rpc Purge (stream Order) returns (Order) {} }
`;

describe("a .proto file", () => {
  test("is parsed to its services, with streaming and idempotent methods", () => {
    const call = { streaming: false, idempotent: false };
    expect(readProto("orders.proto", orders)).toEqual({
      diagnostics: [],
      services: [
        {
          name: "shop.v1.Orders",
          methods: [
            { ...call, name: "Get", idempotent: true },
            { ...call, name: "Put", idempotent: true },
            { name: "Watch", streaming: true, idempotent: true },
            { ...call, name: "Create" },
          ],
        },
        { name: "shop.v1.Admin", methods: [{ ...call, name: "Purge", streaming: true }] },
      ],
    });
  });

  test.each([
    ["no package", "service S { rpc A (B) returns (C); }", "S"],
    [
      "proto2 with groups and extensions",
      'syntax = "proto2"; package p; message M { optional group G = 1 {} extensions 9; } service S { rpc A (M) returns (M); }',
      "p.S",
    ],
    ["an edition", 'edition = "2023"; package p; service S { rpc A (M) returns (M); }', "p.S"],
    [
      "a byte order mark and Windows line ends",
      '\uFEFFsyntax = "proto3";\r\npackage p;\r\nservice S {\r\n  rpc A (M) returns (M);\r\n}\r\n',
      "p.S",
    ],
  ])("is accepted with %s", (_, text, name) => {
    const { services, diagnostics } = readProto("x.proto", text);
    expect(diagnostics).toEqual([]);
    expect(services.map((service) => service.name)).toEqual([name]);
    expect(services[0]?.methods.map((method) => method.name)).toEqual(["A"]);
  });

  test.each(hostileProtos)("with %s is accepted, or rejected with the expected code", (_, text, code) => {
    const { services, diagnostics } = readProto("x.proto", text);
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toEqual(code === null ? [] : [code]);
    expect(services.length > 0).toBe(code === null);
  });
});

describe("meshops profile", () => {
  const folder = scratchFolder("proto");
  writeFileSync(join(folder, "orders.proto"), orders);
  writeFileSync(join(folder, "empty.proto"), "service S {}");
  writeFileSync(join(folder, "typo.proto"), orders.replace("returns(Order)", "return(Order)"));
  const profile = (...args: string[]): ReturnType<typeof meshops> =>
    meshops(folder, ["profile", "--service", "orders", "--namespace", "shop", ...args]);

  test("prints a ServiceProfile", async () => {
    const { code, stdout, stderr } = await profile("--proto", "orders.proto", "--grpc-service", "Orders");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`apiVersion: linkerd.io/v1alpha2
kind: ServiceProfile
metadata:
  name: orders.shop.svc.cluster.local
  namespace: shop
spec:
  routes:
    - name: Get
      condition:
        method: POST
        pathRegex: /shop\\.v1\\.Orders/Get
      isRetryable: true
    - name: Put
      condition:
        method: POST
        pathRegex: /shop\\.v1\\.Orders/Put
      isRetryable: true
    - name: Watch
      condition:
        method: POST
        pathRegex: /shop\\.v1\\.Orders/Watch
    - name: Create
      condition:
        method: POST
        pathRegex: /shop\\.v1\\.Orders/Create
`);
  });

  test("includes the service in the names of routes if there are several services", async () => {
    const { stdout } = await profile("--proto", "orders.proto", "--cluster-domain", "example.org");
    expect(stdout).toContain("name: orders.shop.svc.example.org");
    expect([...stdout.matchAll(/- name: (.*)/g)].map(([, name]) => name)).toEqual([
      "shop.v1.Orders/Get",
      "shop.v1.Orders/Put",
      "shop.v1.Orders/Watch",
      "shop.v1.Orders/Create",
      "shop.v1.Admin/Purge",
    ]);
  });

  test("prints GRPCRoutes", async () => {
    const { code, stdout } = await profile(
      "--proto",
      "orders.proto",
      "--grpc-service",
      "shop.v1.Admin",
      "--grpc-route",
      "--port",
      "9090",
    );
    expect(code).toBe(0);
    expect(stdout).toBe(`apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata:
  name: orders-purge
  namespace: shop
spec:
  parentRefs:
    - group: ""
      kind: Service
      name: orders
      port: 9090
  rules:
    - matches:
        - method:
            service: shop.v1.Admin
            method: Purge
      backendRefs:
        - name: orders
          port: 9090
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata:
  name: orders-other-methods
  namespace: shop
spec:
  parentRefs:
    - group: ""
      kind: Service
      name: orders
      port: 9090
  rules:
    - backendRefs:
        - name: orders
          port: 9090
`);
  });

  test("reads stdin", async () => {
    const args = "profile --proto - --service orders --namespace shop --grpc-service Admin";
    const output = await run("sh", ["-c", `cat orders.proto | node "${projectRoot}dist/cli.js" ${args}`], { cwd: folder });
    expect(output).toContain("name: Purge");
  });

  test("reports the position of a syntax error", async () => {
    expect(await profile("--proto", "typo.proto")).toEqual({
      code: 1,
      stdout: "",
      stderr: `typo.proto:23:20 error proto-syntax
  illegal token 'return', 'returns' expected
  23 |   rpc Create(Order)return(Order);
     |                    ^^^^^^

`,
    });
  });

  test.each([
    ["a file that does not exist", ["--proto", "nowhere.proto"], 3, "meshops: cannot read nowhere.proto: ENOENT\n"],
    ["a folder", ["--proto", "."], 3, "meshops: cannot read .: EISDIR\n"],
    [
      "a service that is not in the file",
      ["--proto", "orders.proto", "--grpc-service", "Ordres"],
      1,
      'meshops: the file does not define a gRPC service "Ordres"\nfix: did you mean "Orders"?\n',
    ],
    [
      "routes without a port",
      ["--proto", "orders.proto", "--grpc-route"],
      2,
      "meshops: --grpc-route requires --port\nfix: set --port to the gRPC port of the Service; a GRPCRoute limits that port to gRPC\n",
    ],
    [
      "a port without routes",
      ["--proto", "orders.proto", "--port", "90"],
      2,
      "meshops: --port requires --grpc-route\nfix: add --grpc-route, or remove --port: a ServiceProfile applies to all ports of its Service\n",
    ],
    [
      "an invalid port",
      ["--proto", "orders.proto", "--port", "0x1"],
      2,
      'meshops: option "--port <number>" argument "0x1" is invalid. expected a number from 1 to 65535\nfix: run meshops profile --help\n',
    ],
    [
      "an invalid name",
      ["--proto", "orders.proto", "--service", "Orders"],
      2,
      'meshops: option "--service <name>" argument "Orders" is invalid. expected at most 63 lower-case letters, digits and dashes\nfix: run meshops profile --help\n',
    ],
    [
      "an invalid domain",
      ["--proto", "orders.proto", "--cluster-domain", "Foo_!"],
      2,
      'meshops: option "--cluster-domain <domain>" argument "Foo_!" is invalid. expected at most 63 lower-case letters, digits and dashes\nfix: run meshops profile --help\n',
    ],
    ["services without methods", ["--proto", "empty.proto"], 1, "meshops: the gRPC services of the file have no methods\n"],
  ])("rejects %s", async (_, args, code, stderr) => {
    expect(await profile(...args)).toEqual({ code, stdout: "", stderr });
  });
});
