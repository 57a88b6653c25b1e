import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { blocksIn } from "../support/docs.ts";
import { readTree, scratchFolder, writeTree } from "../support/platform.ts";

const page = blocksIn("docs/workloads.md");
const spec = page.get("file: environments/shop.yaml") ?? "";

describe("the workloads in docs/workloads.md", () => {
  let root: string;
  beforeAll(() => {
    root = scratchFolder("workloads");
    writeTree(root, { "environments/shop.yaml": spec });
  });

  test("are valid, and generate policies next to nothing else", async () => {
    const { code, stdout, stderr } = await meshops(root, ["validate"]);
    expect(code, stdout + stderr).toBe(0);
    expect((await meshops(root, ["generate"])).code).toBe(0);
    const files = Object.keys(readTree(join(root, "flux/shop")));
    expect(files.sort()).toEqual(["policy-orders.yaml", "policy-shop.yaml"]);
  });

  test.each([...page].filter(([name]) => name.startsWith("command: ")))("%s prints the transcript", async (name, transcript) => {
    const { stdout } = await meshops(root, name.replace("command: ", "").trim().split(" "));
    const [, ...expected] = transcript.trimEnd().split("\n");
    expect(stdout.trimEnd().split("\n")).toEqual(expected);
  });

  test.each([
    [["--from", "orders/apii"], 'fix: did you mean "orders/api"?'],
    [["--to", "shop/api:htp"], 'fix: did you mean "http"?'],
    [["--to", "shop/web"], "the environment has no set of pods shop/web"],
  ])("access %j is a usage error", async (flags, text) => {
    const { code, stderr } = await meshops(root, ["access", "shop", ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(text);
  });

  test("with many workloads, tables and graph show only who is treated differently", async () => {
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
    // A head, the listed client, other meshed pods, pods without a proxy, and an empty line.
    expect(lines.length).toBe(20 * 5 - 1);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    const { stdout: graph } = await meshops(big, ["graph", "shop", "--show", "traffic"]);
    expect(graph).not.toContain("viz Prometheus");
    expect(graph).toContain("everyone else: counted, not refused");
    expect(graph.match(/-->/g)?.length).toBe(20);
  });

  test("access --output json contains one cell per client and port", async () => {
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
