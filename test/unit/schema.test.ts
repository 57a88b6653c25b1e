import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { dgraphCharts } from "../../generator/catalog/dgraph.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { renderedRules } from "../../generator/commands/validate/rendered.ts";
import { specRules } from "../../generator/lint/specs.ts";
import { version } from "../../generator/system/version.ts";
import { generateCode } from "../../scripts/codegen/generate.ts";
import { generateRulePages } from "../../scripts/codegen/rule-pages.ts";
import { field } from "../support/objects.ts";
import { loadFiles, specOf, specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

type Schema = Record<string, unknown>;
const schema = JSON.parse(readFileSync(`${projectRoot}schema/environment.schema.json`, "utf8")) as Schema;

describe("the schema of specs", () => {
  test("generated types, validators and rule pages are up to date", async () => {
    for (const [path, text] of [...(await generateCode()), ...generateRulePages()])
      expect(readFileSync(path, "utf8") === text, `${path}: npm run codegen`).toBe(true);
  });

  test("the schema is valid JSON Schema 2020-12, and a standard validator accepts a valid spec with it", () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false, strictTypes: false });
    ajv.addVocabulary(["patternErrorMessage", "errorMessage"]);
    const validate = ajv.compile(schema);
    expect(validate(specOf())).toBe(true);
    expect(validate({ ...specOf(), extra: 1 })).toBe(false);
    const resolved = ajv.compile({ $ref: `${schema["$id"]}#/$defs/resolved` });
    expect(resolved(specOf())).toBe(true);
    expect(resolved(specOf({ gitops: undefined }))).toBe(false);
  });

  test("every field has a title, a description and valid examples; every field that is not required has a default", () => {
    const ajv = new Ajv2020({ strict: false });
    const definitions = ["client", "method"].flatMap((name) => properties(field(schema, "$defs", name) as Schema, `${name}.`));
    const fields = [...properties(schema, ""), ...definitions];
    expect(fields.length).toBeGreaterThan(60);
    for (const [path, property, required] of fields) {
      const complete =
        property["$ref"] === undefined
          ? property
          : (field(schema, "$defs", String(property["$ref"]).split("/").at(-1) ?? "") as Schema);
      for (const keyword of ["title", "description"]) expect(typeof complete[keyword], `${path} ${keyword}`).toBe("string");
      expect("default" in property || required, `${path} default`).toBe(true);
      const examples = complete["examples"] as unknown[];
      expect(examples?.length, `${path} examples`).toBeGreaterThan(0);
      const validate = ajv.compile({ ...complete, $defs: schema["$defs"] } as object);
      for (const example of examples) expect(validate(example), `${path} example ${JSON.stringify(example)}`).toBe(true);
      if (property["default"] !== undefined && property["default"] !== null)
        expect(validate(property["default"]), `${path} default`).toBe(true);
    }
  });

  test("the schema of injections and its examples are valid; the package exports both schemas with the file names in their $id", () => {
    const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
    ajv.addVocabulary(["patternErrorMessage", "errorMessage"]);
    const injection = JSON.parse(readFileSync(`${projectRoot}schema/mesh-injection.schema.json`, "utf8")) as Schema;
    const validate = ajv.compile(injection);
    for (const example of injection["examples"] as unknown[]) expect(validate(example)).toBe(true);
    expect(field(injection, "properties", "spec", "properties", "linkerd", "examples")).toEqual(
      linkerdReleases.map(({ version: known }) => known),
    );
    const { exports, files } = JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8")) as {
      exports: object;
      files: string[];
    };
    expect(files).toContain("schema");
    for (const { $id } of [schema, injection] as { $id?: unknown }[])
      expect(Object.keys(exports)).toContain(`./schema/${basename(String($id))}`);
  });

  test("every pattern has an error message", () => {
    for (const node of nodes(schema)) if ("pattern" in node) expect(typeof node["patternErrorMessage"]).toBe("string");
  });

  test("a spec can silence exactly the codes of the rules that have the severity warning", () => {
    const code = field(
      schema,
      "properties",
      "spec",
      "properties",
      "rules",
      "properties",
      "ignore",
      "items",
      "properties",
      "code",
    );
    const warnings = [...specRules, ...renderedRules].filter(({ severity }) => severity === "warning").map((rule) => rule.code);
    expect((code as Schema)["enum"]).toEqual(warnings.sort());
  });

  test("if rules.ignore contains the code of an error, the fix does not suggest the code of a warning that is similar", () => {
    const rules = { ignore: [{ code: "kubernetes-too-old", reason: "the cluster is updated next week" }] };
    const [finding] = loadFiles({ test: specText({ rules }) }, "test").diagnostics;
    expect(finding).toMatchObject({ code: "not-allowed", fix: expect.stringContaining("Errors cannot be ignored") });
    const typo = { ignore: [{ code: "kubernetes-too-nwe", reason: "the cluster is updated next week" }] };
    expect(loadFiles({ test: specText({ rules: typo }) }, "test").diagnostics[0]?.fix).toBe('did you mean "kubernetes-too-new"?');
  });

  test("docs/rules contains exactly the generated pages", () => {
    const pages = generateRulePages().map(([path]) => basename(path));
    expect(readdirSync(`${projectRoot}docs/rules`).sort()).toEqual(pages.sort());
  });

  test("the examples of version fields are the versions in the catalog, and the default Linkerd release is the newest", () => {
    const spec = field(schema, "properties", "spec", "properties") as Schema;
    // The schema also allows other versions. Therefore it contains the known versions only as examples. Editors propose
    // these examples.
    expect(field(spec, "linkerd", "properties", "version", "examples")).toEqual(linkerdReleases.map((track) => track.version));
    const charts = field(spec, "dgraph", "properties", "chart", "examples") as string[];
    expect([...charts].sort()).toEqual(dgraphCharts.map((chart) => chart.version).sort());
    // The newest release is the one whose chart has the highest version. The chart version of an edge release is a
    // date. The chart of stable-2.14 has the version 1.8.0, which is lower than a date.
    const [newest] = [...linkerdReleases].sort((a, b) =>
      b.charts["linkerd-crds"].localeCompare(a.charts["linkerd-crds"], "en", { numeric: true }),
    );
    expect(field(spec, "linkerd", "properties", "version", "default")).toBe(newest?.version);
    expect(field(spec, "dgraph", "properties", "chart", "default")).toBe("24.1.4");
  });
});

test("the program reports the version of package.json", () => {
  expect(version).toBe((JSON.parse(readFileSync(`${projectRoot}package.json`, "utf8")) as { version: string }).version);
});

/**
 * Fields that a resolved environment requires and that have no default. The schema of spec files does not require them.
 */
const given = new Set([
  "metadata",
  "metadata.name",
  "spec",
  "spec.gitops",
  "spec.gitops.url",
  "spec.secrets",
  "spec.secrets.age",
  "spec.secrets.admin",
]);
const givenWithAzure = new Set(
  ["location", "resourceGroup", "cluster", "registry.name", "cluster.name"].map((name) => `spec.azure.${name}`),
);

function properties(node: Schema, path: string): [string, Schema, boolean][] {
  return Object.entries((node["properties"] ?? {}) as Record<string, Schema>).flatMap(([name, property]) => {
    const here = `${path}${name}`;
    const required =
      given.has(here) || givenWithAzure.has(here) || ((node["required"] as string[] | undefined) ?? []).includes(name);
    const items = property["items"] as Schema | undefined;
    return [
      [here, property, required] as [string, Schema, boolean],
      ...properties(property, `${here}.`),
      ...(items === undefined ? [] : properties(items, `${here}[].`)),
    ];
  });
}

function nodes(node: unknown): Schema[] {
  if (typeof node !== "object" || node === null) return [];
  const below = Object.values(node).flatMap(nodes);
  return Array.isArray(node) ? below : [node as Schema, ...below];
}
