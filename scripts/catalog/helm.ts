import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** Runs the helm on the PATH, and returns its standard output. @throws Error with helm's message if it fails */
export function helm(args: readonly string[]): string {
  try {
    return execFileSync("helm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 });
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: string };
    throw new Error(code === "ENOENT" ? "helm is not on the PATH" : `helm ${args[0]}: ${(stderr ?? String(error)).trim()}`);
  }
}

/** Unpacks a packed chart, and returns the folder with the unpacked chart. */
export function unpack(archive: string, into: string): string {
  execFileSync("tar", ["-xzf", archive, "-C", into]);
  const [name = ""] = readdirSync(into);
  return join(into, name);
}
