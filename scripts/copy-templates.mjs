// What the compiler leaves behind: the templates of scripts, which are read when they are needed.
import { cpSync, rmSync } from "node:fs";

rmSync("dist/azure/templates", { recursive: true, force: true });
cpSync("generator/azure/templates", "dist/azure/templates", { recursive: true });
