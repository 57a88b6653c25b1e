/**
 * Writes what follows from the schema: the TypeScript types and the standalone validators.
 * `--check` writes nothing and exits 1 when a file is stale.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { generateCode } from "./codegen/generate.ts";

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, text] of await generateCode()) {
  const current = readOrEmpty(path);
  if (current === text) continue;
  stale += 1;
  if (check) console.error(`stale: ${path}`);
  else {
    writeFileSync(path, text);
    console.error(`wrote ${path}`);
  }
}
if (check && stale > 0) {
  console.error("hint: npm run codegen");
  process.exitCode = 1;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
