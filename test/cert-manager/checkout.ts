import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/** A built copy of this checkout that also contains the component cert-manager. */
export interface Checkout {
  /** Path of the built command line of the copy. */
  readonly cli: string;
  /** Number of lines that a developer adds to each file by hand, keyed by the path of the file. */
  readonly edits: ReadonlyMap<string, number>;
}

/**
 * Copies this checkout, adds the component cert-manager to the copy as a developer would, and builds the copy. The
 * added source code consists of a folder in generator/components, a line and an import in the registry, and a field in
 * the schema. `npm run codegen` and the build generate all other files.
 */
export async function checkoutWithCertManager(): Promise<Checkout> {
  const root = scratchFolder("checkout");
  const tracked = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: projectRoot });
  const needed = /^(generator|schema|scripts|docs|bases|test\/stories)\/|^[^/]+\.(json|md)$/;
  for (const file of tracked.split("\n").filter((path) => needed.test(path))) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(root, file));
  }
  symlinkSync(join(projectRoot, "node_modules"), join(root, "node_modules"));

  const edits = new Map<string, number>();
  const write = (path: string, text: string, lines: number): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    edits.set(path, lines);
  };
  const source = join(projectRoot, "test/cert-manager/component");
  for (const file of readdirSync(source)) {
    const text = readFileSync(join(source, file), "utf8")
      .replaceAll('"../../../generator/components/', '"../')
      .replaceAll('"../../../generator/', '"../../');
    write(`generator/components/cert-manager/${file}`, text, text.split("\n").length - 1);
  }
  const registry = "generator/components/registry.ts";
  const known = readFileSync(join(root, registry), "utf8");
  const changed = known
    .replace("import type {", 'import { certManager } from "./cert-manager/component.ts";\nimport type {')
    .replace("  workloads,\n];", "  workloads,\n  certManager,\n];");
  write(registry, changed, changed.split("\n").length - known.split("\n").length);
  const schema = "schema/environment.schema.json";
  const document = JSON.parse(readFileSync(join(root, schema), "utf8"));
  const field = readFileSync(join(projectRoot, "test/cert-manager/schema-field.json"), "utf8");
  Object.assign(document.properties.spec.properties, JSON.parse(field));
  write(schema, `${JSON.stringify(document, null, 2)}\n`, field.split("\n").length - 3);

  const node = async (...args: string[]): Promise<string> => run(process.execPath, args, { cwd: root });
  await node("node_modules/tsx/dist/cli.mjs", "scripts/codegen.ts");
  await node("node_modules/tsx/dist/cli.mjs", "scripts/build.ts");
  await node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
  return { cli: join(root, "dist/cli.js"), edits };
}
