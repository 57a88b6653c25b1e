import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Creates a folder in the user's cache that other users cannot access. Returns the path of the folder, or null if the
 * folder cannot be created.
 */
export function userCacheFolder(name: string): string | null {
  const { XDG_CACHE_HOME: xdg = "", LOCALAPPDATA: local = "" } = process.env;
  try {
    const folder = join(xdg !== "" ? xdg : local !== "" ? local : join(homedir(), ".cache"), "meshops", name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return null;
  }
}
