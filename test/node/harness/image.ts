import { createHash } from "node:crypto";
import { chmodSync, cpSync, createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../../support/tools.ts";

export interface ImageOptions {
  /** Name and tag of the image. */
  readonly name: string;
  /**
   * Path of a folder, or of a static program. If the path is a folder, the image contains the files in the folder. If
   * the path is a program, the image contains this program, at the path `/<name of the program>`, and an empty folder
   * /tmp.
   */
  readonly source: string;
  /** Entrypoint of the image. The default is the static program. */
  readonly entrypoint?: readonly string[];
  /** Environment variables, as `NAME=value`. */
  readonly env?: readonly string[];
}

/**
 * Packs a folder or a static program as a container image with one layer, in the format of `docker save`.
 * `ctr images import` can import this format.
 *
 * @returns path of the archive. The archive is in a new folder, which the caller removes.
 */
export async function packImage({ name, source, entrypoint, env = [] }: ImageOptions): Promise<string> {
  const work = mkdtempSync(join(tmpdir(), "meshops-image-"));
  const folder = statSync(source).isDirectory();
  let root = source;
  if (!folder) {
    root = join(work, "root");
    mkdirSync(join(root, "tmp"), { recursive: true });
    cpSync(source, join(root, basename(source)));
    chmodSync(join(root, basename(source)), 0o755);
  }
  await run("tar", ["--create", "--file", join(work, "layer.tar"), "--owner=0", "--group=0", "--directory", root, "."]);
  const layer = createHash("sha256");
  await pipeline(createReadStream(join(work, "layer.tar")), layer);
  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: { Entrypoint: entrypoint ?? [`/${basename(source)}`], Env: ["PATH=/usr/local/bin:/usr/bin:/bin", ...env] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer.digest("hex")}`] },
  });
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  writeFileSync(join(work, configName), config);
  writeFileSync(
    join(work, "manifest.json"),
    JSON.stringify([{ Config: configName, RepoTags: [canonical(name)], Layers: ["layer.tar"] }]),
  );
  await run("tar", [
    "--create",
    "--file",
    join(work, "image.tar"),
    "--directory",
    work,
    "manifest.json",
    configName,
    "layer.tar",
  ]);
  for (const each of ["root", "layer.tar", "manifest.json", configName])
    rmSync(join(work, each), { recursive: true, force: true });
  return join(work, "image.tar");
}

/** Removes an archive that `packImage` created, and the folder of the archive. */
export function removeArchive(path: string): void {
  rmSync(dirname(path), { recursive: true, force: true });
}

/** Returns the full name of an image, with registry and tag. The kubelet requests images by this name. */
function canonical(name: string): string {
  const [first = ""] = name.split("/");
  const hosted = name.includes("/") && /[.:]|^localhost$/.test(first);
  const full = hosted ? name : name.includes("/") ? `docker.io/${name}` : `docker.io/library/${name}`;
  return /:[^/]+$/.test(full) ? full : `${full}:latest`;
}
