import { expect, test } from "vitest";
import { render } from "../../generator/bundle/render.ts";
import { meshops } from "../support/cli.ts";
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
    "another one that depends on it",
    { a: folder("a", { dependsOn: [{ workload: "b" }] }), b: folder("b", { dependsOn: [{ workload: "a" }] }) },
  ],
  [
    "its own Kustomization",
    { a: folder("a", { dependsOn: [{ kustomization: { name: "workload-a", namespace: "flux-system" } }] }) },
  ],
])("a workload that depends on %s is reported", async (_, workloads) => {
  const { code, stdout } = await validated(workloads);
  expect(code).toBe(1);
  expect(stdout).toContain("dependency-cycle");
});

test("helmfile's name for a folder is not available to a chart", async () => {
  const chart = { repository: "https://charts.example.org", name: "x", version: "1.0.0", releaseName: "workload-a" };
  const { stdout } = await validated({ a: folder("a"), b: { namespace: "a", source: { chart } } });
  expect(stdout).toContain("the Helm release a/workload-a already belongs to workloads/a");
});

test("nothing waits for a suspended folder, because Flux would wait for ever; a suspended chart does not stop others", () => {
  const chart = { repository: "https://charts.example.org", name: "x", version: "1.0.0" };
  const dependsOn = (source: object): string | undefined => {
    const workloads = { a: { namespace: "a", source, suspend: true }, b: folder("b", { dependsOn: [{ workload: "a" }] }) };
    const { bundle } = render({ environment: environmentOf({ workloads }), identity: sampleIdentity() });
    return [...bundle].find(([path]) => path.endsWith("/workload-b.yaml"))?.[1];
  };
  expect(dependsOn({ path: "apps/a" })).not.toContain("workload-a");
  expect(dependsOn({ chart })).toContain("name: workload-a");
});

test("teardown resumes suspended workloads, because Flux keeps what a deleted, suspended object has applied", async () => {
  const workloads = { a: folder("a", { suspend: true }), b: folder("b") };
  const root = makePlatform({ dev: specText({ workloads }, "dev") });
  writeTree(root, { "apps/a/kustomization.yaml": "resources: []\n", "apps/b/kustomization.yaml": "resources: []\n" });
  const { stdout } = await meshops(root, ["teardown", "dev", "--context", "x"]);
  expect(stdout).toContain("'take_down' 'workload-a' 'a' '' '' 'suspended'");
  expect(stdout).toContain("'take_down' 'workload-b' 'b' '' ''\n");
});
