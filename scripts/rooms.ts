import { readFileSync } from "node:fs";

/** A module of generator/: a folder, or a file at its root. */
export interface Room {
  readonly name: string;
  readonly purpose: string;
  /** Modules that this module may import. */
  readonly imports: readonly string[];
}

/**
 * The modules of generator/, in layers. A module may import only modules that are below it in the list. The table in
 * ARCHITECTURE.md is generated from scripts/rooms.json, and dependency-cruiser checks every import against
 * scripts/rooms.json (.dependency-cruiser.mjs, `npm run lint`).
 */
export const rooms: readonly Room[] = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url), "utf8")) as readonly Room[];
