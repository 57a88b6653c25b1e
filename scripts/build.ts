/**
 * `npm run build:js`: compiles the program to JavaScript in dist/, without type declarations. The modules of generator/
 * are bundled, because Node loads a few files faster than many files. Dependencies are not bundled. A module that the
 * program imports with `import()` only when a command needs the module is in a separate file.
 */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "generator");
const target = join(root, "dist");

rmSync(target, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { cli: "generator/bin.ts", index: "generator/index.ts" },
  outdir: target,
  // Chunks must be exactly one folder below dist/: see system/program-folder.ts.
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  // The package @commander-js/extra-typings adds only types. At run time, it re-exports commander.
  alias: { "@commander-js/extra-typings": "commander" },
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
});
for (const folder of readdirSync(source, { recursive: true, encoding: "utf8" }))
  if (/(^|[\\/])templates$/.test(folder)) cpSync(join(source, folder), join(target, folder), { recursive: true });
