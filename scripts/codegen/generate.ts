import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { compile } from "json-schema-to-typescript";
import { resolvedForm, type Schema, withDefaultsRequired, without } from "./flatten.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Returns the files that are generated from the schemas, as [absolute path, text]. */
export async function generateCode(): Promise<[string, string][]> {
  const environment = read("environment");
  const resolved = resolvedForm(environment);
  const injection = read("mesh-injection");
  return [
    [`${root}generator/spec/environment.generated.ts`, await types("Environment", resolved, "environment")],
    // `validateFile` checks the content of one spec file, and does not change the content. `validateResolved` checks a
    // spec after `extends` is resolved, and adds the default values to this spec.
    [
      `${root}generator/spec/validator.generated.ts`,
      await validators("environment", "./validator.ts", {
        validateFile: [environment, { useDefaults: false }],
        validateResolved: [resolved, { useDefaults: true }],
      }),
    ],
    [`${root}generator/inject/mesh-injection.generated.ts`, await types("MeshInjection", injection, "mesh-injection")],
    [
      `${root}generator/inject/validator.generated.ts`,
      await validators("mesh-injection", "../spec/validator.ts", { validateInjection: [injection, { useDefaults: true }] }),
    ],
  ];
}

function read(name: string): Schema {
  return JSON.parse(readFileSync(`${root}schema/${name}.schema.json`, "utf8")) as Schema;
}

function banner(name: string): string {
  return `// Generated from schema/${name}.schema.json by \`npm run codegen\`; do not edit.\n`;
}

async function types(title: string, schema: Schema, name: string): Promise<string> {
  const shape = { ...(without(withDefaultsRequired(schema), ["title"]) as Schema), title };
  const text = await compile(shape as Parameters<typeof compile>[0], title, {
    bannerComment: banner(name),
    format: true,
    style: { printWidth: 110 },
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
  });
  // Removes @minItems, because TSDoc does not define this tag.
  return text.replace(/^ *\*\n *\* @minItems .*\n/gm, "");
}

interface ValidatorOptions {
  readonly useDefaults: boolean;
}

/** Returns a TypeScript module with a validator for each key of `wanted`. The module imports no package at run time. */
async function validators(
  name: string,
  typesFrom: string,
  wanted: Readonly<Record<string, readonly [Schema, ValidatorOptions]>>,
): Promise<string> {
  const names = Object.keys(wanted);
  const modules = new Map<string, string>();
  for (const [key, [schema, options]] of Object.entries(wanted)) modules.set(key, await standaloneModule(schema, options));
  const entry = names.map((key) => `import own_${key} from "${key}"; export const ${key} = own_${key};`).join("\n");
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
          build.onResolve({ filter: new RegExp(`^(${names.join("|")})$`) }, ({ path }) => ({ path, namespace: "standalone" }));
          build.onLoad({ filter: /.*/, namespace: "standalone" }, ({ path }) => ({
            contents: modules.get(path) ?? "",
            resolveDir: root,
          }));
        },
      },
    ],
  });
  return `${banner(name)}// @ts-nocheck
import type { Validator } from "${typesFrom}";

${bundle.outputFiles[0]?.text ?? ""}
${names.map((key) => `export const ${key}: Validator = validators.${key};`).join("\n")}
`;
}

async function standaloneModule(schema: Schema, options: ValidatorOptions): Promise<string> {
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
  ajv.addVocabulary(["patternErrorMessage", "errorMessage"]);
  return standalone.default(ajv, ajv.compile(without(schema, ["title", "description"]) as Schema));
}
