// What the compiler leaves behind: templates, which are read when they are needed.
import { cpSync, rmSync } from "node:fs";

for (const folder of ["bootstrap", "commands/completion", "commands/graph", "commands/init", "commands/verify"]) {
  rmSync(`dist/${folder}/templates`, { recursive: true, force: true });
  cpSync(`generator/${folder}/templates`, `dist/${folder}/templates`, { recursive: true });
}
