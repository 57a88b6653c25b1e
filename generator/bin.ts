#!/usr/bin/env node
import module from "node:module";
import { userCacheFolder } from "./system/user-cache.ts";

// Node 22.1 and later can cache compiled code between runs. Do not use Node's default folder, because all users share
// it: code from another user in this folder would run with this user's keys. Node handles NODE_DISABLE_COMPILE_CACHE
// itself.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
if (enableCompileCache !== undefined && (process.env["NODE_COMPILE_CACHE"] ?? "") === "") {
  const folder = userCacheFolder("compiled");
  if (folder !== null) enableCompileCache(folder);
}

// Import the CLI after the cache is enabled, so that its code is cached.
await import("./cli.ts");
