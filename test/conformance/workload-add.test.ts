import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { blockOf } from "../../generator/inject/describe/block.ts";
import { describe as describeWorkload } from "../../generator/inject/describe/describe.ts";
import { insertWorkload } from "../../generator/inject/describe/insert.ts";
import { parseManifests } from "../../generator/kubernetes/read.ts";
import { meshops } from "../support/cli.ts";
import { withReference } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { type ExpectedWorkload, shapeOf, workloadFiles } from "../support/workload-shapes.ts";

const spec = `# A platform.
apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}   # the only environment
spec:
  gitops: {url: https://github.com/acme/platform}
  linkerd: {lifecycle: existing, version: edge-26.8.3}
  # no database
  dgraph: {enabled: false}
`;

/**
 * Clients in the expert's block that are missing in the block of `workload add`. The command cannot find these clients,
 * because no manifest contains the address of the server to which they connect (see the judgements in the workload
 * files).
 */
const notEvident = ["redis/replica", "mysql/secondary", "ingress-nginx/controller"];

withReference("workload add for public workloads", () => {
  describe.each(workloadFiles)("%s", (file) => {
    const { name, expected, manifests } = shapeOf(file);
    const text = manifests.map((manifest) => stringify(manifest)).join("---\n");
    const root = scratchFolder("workload-add");
    writeTree(root, { "environments/shop.yaml": spec, "manifests.yaml": text });

    test("writes a block that is valid, and keeps the rest of the spec", async () => {
      const added = await meshops(root, ["workload", "add", name, "--manifests", "manifests.yaml"]);
      expect(added.code, added.stderr).toBe(0);
      expect(readFileSync(join(root, "environments/shop.yaml"), "utf8").startsWith(spec)).toBe(true);
      const { code, stdout } = await meshops(root, ["validate"]);
      expect(code, stdout).toBe(0);
      expect((await meshops(root, ["generate"])).code).toBe(0);
    });

    /*
     * Compares the block that `workload add` writes with the block that a Linkerd expert wrote for the same manifests.
     * The protocol of a port may differ if a comment marks the protocol as a guess. The test does not compare the names
     * of sets of pods and the names of ports, because the expert was free to choose these names. Clients in
     * `notEvident` may be missing.
     */
    test("writes the same block as an expert, or marks the protocol of a port as a guess", () => {
      const described = describeWorkload(parseManifests("manifests.yaml", text).objects, name, expected.namespace);
      const block = (parse(blockOf(described).join("\n")) as Record<string, ExpectedWorkload>)[name];
      expect(block?.namespace).toBe(expected.namespace);
      const sets = Object.values(block?.pods ?? {});
      for (const [key, wanted] of Object.entries(expected.pods)) {
        const found = sets.find(({ workloadRef }) => workloadRef.name === wanted.workloadRef.name);
        expect(found?.workloadRef, key).toEqual(wanted.workloadRef);
        expect(found?.serviceAccountName).toBe(wanted.serviceAccountName);
        // The selector must contain all labels of the expert's selector, and may contain other labels too.
        expect(found?.selector.matchLabels).toMatchObject(wanted.selector.matchLabels);
        const own = described.sets.find(({ workload }) => workload.manifest.name === wanted.workloadRef.name);
        for (const { port, protocol } of Object.values(wanted.ports ?? {})) {
          const written = own?.ports.find((each) => each.port === port);
          expect(written, `${key} ${port}`).toBeDefined();
          if (written?.protocol !== protocol) expect(written?.guess, `${key} ${port} ${written?.protocol}`).not.toBeNull();
        }
        const clients = Object.values(found?.access?.clients ?? {}).flatMap(({ workload }) => workload ?? []);
        const evident = Object.values(wanted.access?.clients ?? {})
          .flatMap(({ workload }) => workload ?? [])
          .filter((client) => !notEvident.includes(client));
        expect(clients, key).toEqual(expect.arrayContaining(evident));
      }
    });
  });
});

describe("insertion into a spec", () => {
  const block = ["shop:", "  namespace: shop"];

  test("creates the section workloads at the end of spec", () => {
    expect(insertWorkload(spec, "shop", block)).toBe(`${spec}  workloads:\n    shop:\n      namespace: shop\n`);
    const more = `${spec}other: 1\n`;
    expect(insertWorkload(more, "shop", block)).toBe(`${spec}  workloads:\n    shop:\n      namespace: shop\nother: 1\n`);
    expect(insertWorkload(spec.trimEnd(), "shop", block)).toBe(`${spec}  workloads:\n    shop:\n      namespace: shop\n`);
  });

  test("inserts the block at the start of an existing section, with the indentation of this section", () => {
    const text = `${spec}  workloads:\n     # the first\n     web:   {namespace: web} # a comment\n`;
    expect(insertWorkload(text, "shop", block)).toBe(
      text.replace("     # the first", "     shop:\n       namespace: shop\n     # the first"),
    );
  });

  test.each([
    ["exists", `${spec}  workloads: \n    shop:\n      namespace: a\n`],
    ["not-a-block", "spec: {dgraph: {enabled: false}}\n"],
    ["not-a-block", `${spec}  workloads: {web: {namespace: web}}\n`],
  ])("returns the problem %s", (problem, text) => {
    expect(insertWorkload(text, "shop", block)).toBe(problem);
  });
});

test.each([
  [["shop"], 2, "no source of the manifests was specified"],
  [["Shop", "--manifests", "-"], 2, "is not a valid workload name"],
  [["shop", "--manifests", "absent.yaml"], 3, "absent.yaml does not exist"],
  [["shop", "--manifests", "environments/shop.yaml"], 1, "contain no Deployment"],
] as const)("workload add %j fails with a clear error, and changes nothing", async (args, code, text) => {
  const root = scratchFolder("workload-add");
  writeTree(root, { "environments/shop.yaml": spec });
  const ended = await meshops(root, ["workload", "add", ...args]);
  expect(ended.stderr).toContain(text);
  expect(ended.code).toBe(code);
  expect(readFileSync(join(root, "environments/shop.yaml"), "utf8")).toBe(spec);
});
