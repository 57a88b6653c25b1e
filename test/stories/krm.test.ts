import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { toYaml } from "../../generator/kubernetes/yaml.ts";
import { meshops } from "../support/cli.ts";
import { field } from "../support/objects.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Each folder in test/stories/krm is a story about the KRM function. The input is either list.yaml (the whole stdin),
 * or config.yaml (the functionConfig) and input.yaml (the items). expected.yaml is the expected stdout, and errors.txt
 * is the expected stderr. If the function succeeds without findings, errors.txt is empty. To rewrite expected.yaml and
 * errors.txt, set UPDATE=1. Then review the Git diff.
 */
const folder = join(projectRoot, "test/stories/krm");

describe("a KRM function", () => {
  test.each(readdirSync(folder))("%s", async (story) => {
    const input = listOf(story);
    const { code, stdout, stderr } = await meshops(projectRoot, ["krm"], { input });
    if (process.env["UPDATE"] === "1") {
      writeFileSync(join(folder, story, "expected.yaml"), stdout);
      writeFileSync(join(folder, story, "errors.txt"), stderr);
    }
    expect(stdout).toBe(read(story, "expected.yaml"));
    expect(stderr).toBe(read(story, "errors.txt"));
    const list = parse(stdout) as { kind: string; items: unknown[]; results?: { severity: string }[] };
    expect(list.kind).toBe("ResourceList");
    const failed = (list.results ?? []).some(({ severity }) => severity === "error");
    expect(code).toBe(failed ? 1 : 0);
    if (failed) expect(stderr).not.toBe("");
  });

  test.each(["annotate", "clients", "database", "job"])("%s: a second run changes nothing", async (story) => {
    const { stdout } = await meshops(projectRoot, ["krm"], { input: listOf(story) });
    expect((await meshops(projectRoot, ["krm"], { input: stdout })).stdout).toBe(stdout);
  });

  test("returns the items unchanged if it rejects the input", () => {
    for (const story of ["name-taken", "config-wrong", "config-unknown", "environment-wrong"])
      expect(field(parse(read(story, "expected.yaml")), "items"), story).toEqual(field(parse(listOf(story)), "items"));
  });

  test("accepts the port of a client by name, and rejects a name that no container declares", async () => {
    // The last port in the ResourceList is the client's port.
    const withPort = (name: string): string => listOf("clients").replace(/8080(?![\s\S]*8080)/, name);
    const { stdout } = await meshops(projectRoot, ["krm"], { input: withPort("http") });
    expect(field(parse(stdout), "items")).toEqual(field(parse(read("clients", "expected.yaml")), "items"));
    const unknown = await meshops(projectRoot, ["krm"], { input: withPort("grpc") });
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("the client ingress/nginx lists port grpc, but neither the selected workloads");
  });

  test("accepts a list in JSON", async () => {
    const list = parse(listOf("annotate")) as object;
    const { code, stdout } = await meshops(projectRoot, ["krm"], { input: JSON.stringify(list) });
    expect(code).toBe(0);
    expect(parse(stdout)).toEqual(parse(read("annotate", "expected.yaml")));
  });
});

function read(story: string, file: string): string {
  return readFileSync(join(folder, story, file), "utf8");
}

/**
 * Returns the ResourceList of a story as text. Keeps the comments in the items, as an orchestrator does that reads the
 * items from files.
 */
function listOf(story: string): string {
  if (existsSync(join(folder, story, "list.yaml"))) return read(story, "list.yaml");
  const items = parseAllDocuments(read(story, "input.yaml")).map(
    (document) =>
      `  - ${String(document)
        .replace(/^---\n/, "")
        .trim()
        .replaceAll("\n", "\n    ")}\n`,
  );
  const config = toYaml([parse(read(story, "config.yaml"))])
    .trim()
    .replaceAll("\n", "\n  ");
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join("")}functionConfig:\n  ${config}\n`;
}
