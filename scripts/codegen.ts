/**
 * Writes the generated files: the data of the catalog, TypeScript types and standalone validators from the schemas,
 * docs/rules from the rules, docs/consumers.md from the table of consumers, docs/annotations.md from the table of
 * annotations, and a table in ARCHITECTURE.md from scripts/rooms.json.
 * `--check` writes nothing and exits 1 if a file is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateCatalog } from "./codegen/catalog.ts";

const check = process.argv.includes("--check");
let stale = 0;
write(generateCatalog());
// The other generators read the catalog. Load them only after the files of the catalog are up to date.
const [
  { generateAnnotationsPage },
  { generateArchitecture },
  { generateCode },
  { generateConsumersPage },
  { generateRulePages },
] = await Promise.all([
  import("./codegen/annotations-page.ts"),
  import("./codegen/architecture.ts"),
  import("./codegen/generate.ts"),
  import("./codegen/consumers-page.ts"),
  import("./codegen/rule-pages.ts"),
]);
write(await generateCode());
write([...generateRulePages(), ...generateConsumersPage(), ...generateAnnotationsPage(), ...generateArchitecture()]);
if (check && stale > 0) {
  console.error("fix: run npm run codegen");
  process.exitCode = 1;
}

function write(files: readonly [path: string, text: string][]): void {
  for (const [path, text] of files) {
    if (readOrEmpty(path) === text) continue;
    stale += 1;
    if (check) console.error(`out of date: ${path}`);
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      console.error(`wrote ${path}`);
    }
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
