#!/usr/bin/env node
import module from "node:module";
import { userCacheFolder } from "./system/user-cache.ts";

// Node 22.1 and newer can keep compiled code between runs. Node's own default is a folder that all users share, in which another user could
// place code that would run with the keys of this one. Node reads NODE_DISABLE_COMPILE_CACHE itself.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
if (enableCompileCache !== undefined && (process.env["NODE_COMPILE_CACHE"] ?? "") === "") {
  const folder = userCacheFolder("compiled");
  if (folder !== null) enableCompileCache(folder);
}

// Imported after that, so that the cache has it.
await import("./cli.ts");
