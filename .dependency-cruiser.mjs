import { readFileSync } from "node:fs";

const rooms = JSON.parse(readFileSync(new URL("scripts/rooms.json", import.meta.url), "utf8"));

/** Matches the files of a room. */
const pattern = (name) => (name.endsWith(".ts") ? `^generator/${name.replace(".", "\\.")}$` : `^generator/${name}/`);

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    {
      name: "no-circle",
      comment: "two files that import each other are one file, or share a third",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...rooms.map(({ name, imports }) => ({
      name: `${name}-imports`,
      comment: `${name} may import ${imports.length === 0 ? "no other room" : imports.join(", ")}: scripts/rooms.json`,
      severity: "error",
      from: { path: pattern(name) },
      to: { path: "^generator/", pathNot: [name, ...imports].map(pattern) },
    })),
    {
      name: "every-file-in-a-room",
      comment: "a folder of generator/ is a room of scripts/rooms.json",
      severity: "error",
      from: { path: "^generator/", pathNot: rooms.map(({ name }) => pattern(name)) },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts"] },
  },
};
