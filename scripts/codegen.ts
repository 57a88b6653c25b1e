/**
 * Writes the generated files: TypeScript types and standalone validators from the schemas, docs/rules from the rules,
 * docs/consumers.md from the table of consumers, docs/annotations.md from the table of annotations, and a table in
 * ARCHITECTURE.md from scripts/rooms.json.
 * `--check` writes nothing and exits 1 if a file is out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateAnnotationsPage } from "./codegen/annotations-page.ts";
import { generateArchitecture } from "./codegen/architecture.ts";
import { generateConsumersPage } from "./codegen/consumers-page.ts";
import { generateCode } from "./codegen/generate.ts";
import { generateRulePages } from "./codegen/rule-pages.ts";

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, text] of [
  ...(await generateCode()),
  ...generateRulePages(),
  ...generateConsumersPage(),
  ...generateAnnotationsPage(),
  ...generateArchitecture(),
]) {
  const current = readOrEmpty(path);
  if (current === text) continue;
  stale += 1;
  if (check) console.error(`out of date: ${path}`);
  else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.error(`wrote ${path}`);
  }
}
if (check && stale > 0) {
  console.error("fix: run npm run codegen");
  process.exitCode = 1;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
