import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { compile } from "json-schema-to-typescript";
import { resolvedForm, type Schema, withDefaultsRequired, without } from "./flatten.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const banner = "// Generated from schema/environment.schema.json by `npm run codegen`; do not edit.\n";

/** The files that follow from the schema: [absolute path, text]. */
export async function generateCode(): Promise<[string, string][]> {
  const schema = JSON.parse(readFileSync(`${root}schema/environment.schema.json`, "utf8")) as Schema;
  const resolved = resolvedForm(schema);
  return [
    [`${root}generator/spec/environment.generated.ts`, await types(resolved)],
    [`${root}generator/spec/validator.generated.ts`, await validators(schema, resolved)],
  ];
}

async function types(resolved: Schema): Promise<string> {
  const shape = { ...(without(withDefaultsRequired(resolved), ["title"]) as Schema), title: "Environment" };
  return compile(shape as Parameters<typeof compile>[0], "Environment", {
    bannerComment: banner,
    format: true,
    style: { printWidth: 110 },
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
  });
}

/**
 * Two validators as code without runtime dependencies: `validateFile` checks one file and changes nothing,
 * `validateResolved` checks the merged environment and fills in the defaults.
 */
async function validators(file: Schema, resolved: Schema): Promise<string> {
  const modules = await Promise.all([
    standaloneModule(file, { useDefaults: false }),
    standaloneModule(resolved, { useDefaults: true }),
  ]);
  const entry = `import file from "file"; import resolved from "resolved";
    export const validateFile = file; export const validateResolved = resolved;`;
  const bundle = await build({
    stdin: { contents: entry, resolveDir: root },
    bundle: true,
    format: "iife",
    globalName: "validators",
    write: false,
    minify: true,
    platform: "neutral",
    legalComments: "none",
    plugins: [
      {
        name: "standalone",
        setup(build) {
          build.onResolve({ filter: /^(file|resolved)$/ }, ({ path }) => ({ path, namespace: "standalone" }));
          build.onLoad({ filter: /.*/, namespace: "standalone" }, ({ path }) => ({
            contents: modules[path === "file" ? 0 : 1] ?? "",
            resolveDir: root,
          }));
        },
      },
    ],
  });
  return `${banner}// @ts-nocheck
import type { Validator } from "./schema-check.ts";

${bundle.outputFiles[0]?.text ?? ""}
export const validateFile: Validator = validators.validateFile;
export const validateResolved: Validator = validators.validateResolved;
`;
}

async function standaloneModule(schema: Schema, options: { useDefaults: boolean }): Promise<string> {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    messages: false,
    strict: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
    ...options,
    code: { source: true, esm: true },
  });
  ajv.addVocabulary(["patternErrorMessage"]);
  return standalone.default(ajv, ajv.compile(without(schema, ["title", "description", "examples"]) as Schema));
}
