import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnosticAtPath } from "../../generator/diagnostics/source.ts";
import { parseSource } from "../../generator/spec/parse.ts";
import { checkFileForm } from "../../generator/spec/schema-check.ts";
import { explain, relevant } from "../../generator/spec/schema-errors.ts";
import { type LanguageServer, startLanguageServer } from "../support/language-server.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Tests how editors support specs. The tests start the YAML language server that VS Code's YAML extension, Neovim,
 * Helix and Emacs use. The tests send requests of the Language Server Protocol (LSP) to this server.
 */
const stories = join(projectRoot, "test/stories/diagnostics");
/**
 * Codes of findings that the language server can detect with the schema. The server reads only the schema and one spec.
 * Therefore the server can check neither the rules of meshops nor the fields that the spec inherits from another spec.
 */
const schemaCodes = ["wrong-type", "unknown-key", "missing-key", "not-allowed", "bad-format", "out-of-range"];
const dev = "environments/dev.yaml";
const head = `# yaml-language-server: $schema=../schema/environment.schema.json
apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: dev}
spec:
`;

let workspace: string;
let server: LanguageServer;

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), "meshops-editor-"));
  for (const folder of ["environments", "schema"])
    cpSync(join(projectRoot, folder), join(workspace, folder), { recursive: true });
  for (const code of [...schemaCodes, "duplicate-item"])
    cpSync(join(stories, code, "environments"), join(workspace, "stories", code), { recursive: true });
  mkdirSync(join(workspace, "notes"));
  server = await startLanguageServer(workspace, { "./schema/environment.schema.json": "stories/**/*.yaml" });
});

afterAll(async () => {
  await server.stop();
  rmSync(workspace, { recursive: true });
});

describe("a spec in an editor", () => {
  test.each(["base", "dev", "production"])("the committed %s has no diagnostics", async (name) => {
    expect(await server.open(`environments/${name}.yaml`)).toEqual([]);
  });

  test("the first line of a spec selects the schema", async () => {
    const wrong = `${head}  linkerd: {version: edge-1}\n`;
    expect(await server.open("environments/with.yaml", wrong)).toHaveLength(1);
    expect(await server.open("notes/without.yaml", wrong.replace(/^#.*\n/, ""))).toEqual([]);
  });

  test("completion proposes every key of every map, and every release", async () => {
    const schema = JSON.parse(readFileSync(join(projectRoot, "schema/environment.schema.json"), "utf8"));
    const spec = schema.properties.spec.properties;
    const offered = async (file: string, text: string): Promise<string[]> => {
      await server.open(file, text);
      const lines = text.split("\n");
      const line = lines.length - 1;
      return (await server.complete(file, line, lines[line]?.length ?? 0)).map(({ label }) => label).sort();
    };
    expect(await offered("environments/a.yaml", `${head}  `)).toEqual(Object.keys(spec).sort());
    for (const key of ["azure", "gitops", "secrets", "linkerd", "dgraph", "pydgraphClient"])
      expect(await offered(`environments/${key}.yaml`, `${head}  ${key}:\n    `), key).toEqual(
        Object.keys(spec[key].properties).sort(),
      );
    expect(await offered("environments/version.yaml", `${head}  linkerd:\n    version: `)).toEqual(
      expect.arrayContaining(spec.linkerd.properties.version.examples),
    );
  });

  test("hover shows the title and description of a field", async () => {
    const text = readFileSync(join(projectRoot, dev), "utf8");
    const lines = text.split("\n");
    const line = lines.findIndex((own) => own.includes("mirrorImages"));
    await server.open("environments/hover.yaml", text);
    const shown = await server.hover("environments/hover.yaml", line, (lines[line] ?? "").indexOf("mirror") + 1);
    const { title, description } = JSON.parse(readFileSync(join(projectRoot, "schema/environment.schema.json"), "utf8"))
      .properties.spec.properties.azure.properties.registry.properties.mirrorImages;
    expect(shown).toContain(title);
    expect(shown.replace(/\\|&nbsp;/g, "")).toContain(description);
  });
});

describe("an error", () => {
  const files = schemaCodes.flatMap((code) =>
    readdirSync(join(stories, code, "environments")).map((file) => [code, file] as const),
  );

  test.each(files)("%s: %s has diagnostics at the same positions as validate", async (code, file) => {
    const path = `stories/${code}/${file}`;
    const source = parseSource(path, readFileSync(join(workspace, path), "utf8"));
    const ours = relevant(checkFileForm(source.value))
      .map(explain)
      .map(({ path: at, part, statement }) => diagnosticAtPath(source, at, part, statement))
      .map(({ line, column }) => `${line}:${column}`);
    const found = await server.open(path);
    const theirs = found.map(({ range: { start } }) => `${start.line + 1}:${start.character + 1}`);
    expect([...new Set(theirs)].sort()).toEqual([...new Set(ours)].sort());
  });

  test("for a duplicate list item, the language server marks the whole list, and validate reports a line in this list", async () => {
    const expected = readFileSync(join(stories, "duplicate-item/expected.txt"), "utf8");
    const [, file = "", line] = /^environments\/(\S+\.yaml):(\d+):/m.exec(expected) ?? [];
    const [found, ...others] = await server.open(`stories/duplicate-item/${file}`);
    expect(others).toEqual([]);
    expect(found?.message).toBe("Array has duplicate items.");
    expect(Number(line) - 1).toBeGreaterThanOrEqual(found?.range.start.line ?? Number.NaN);
    expect(Number(line) - 1).toBeLessThanOrEqual(found?.range.end.line ?? Number.NaN);
  });

  test("explains an expected pattern in words", async () => {
    const found = await server.open("environments/words.yaml", `${head}  gitops: {interval: soon}\n`);
    expect(found.map(({ message }) => message)).toEqual([expect.stringContaining("such as")]);
  });
});
