import { readFileSync } from "node:fs";

/** A room of generator/: a folder, or a file at its root. */
export interface Room {
  readonly name: string;
  readonly purpose: string;
  /** Rooms that it may import. */
  readonly imports: readonly string[];
}

/**
 * The rooms of generator/, in the order of the program: a room imports only rooms below it. ARCHITECTURE.md's table is generated from
 * scripts/rooms.json, and dependency-cruiser holds every import against it (.dependency-cruiser.mjs, `npm run lint`).
 */
export const rooms: readonly Room[] = JSON.parse(readFileSync(new URL("rooms.json", import.meta.url), "utf8")) as readonly Room[];
