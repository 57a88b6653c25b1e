import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { cacheFolder } from "../scripts/tools/paths.ts";

/** Versions of the tools (peers) that the benchmark compares with meshops. */
export const peerVersions = { cdk8s: "2.70.106", constructs: "10.8.1", makejinja: "2.8.1" } as const;

const cdk8sFolder = join(cacheFolder, `cdk8s-${peerVersions.cdk8s}`);
const makejinjaFolder = join(cacheFolder, `makejinja-${peerVersions.makejinja}`);
const script = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));

/** Installs each peer into the cache, unless the cache already contains this version of the peer. */
export function installPeers(): void {
  if (!existsSync(join(cdk8sFolder, "node_modules/cdk8s"))) {
    mkdirSync(cdk8sFolder, { recursive: true });
    writeFileSync(join(cdk8sFolder, "package.json"), "{}");
    call(
      "npm",
      ["install", "--no-audit", "--no-fund", `cdk8s@${peerVersions.cdk8s}`, `constructs@${peerVersions.constructs}`],
      cdk8sFolder,
    );
  }
  if (!existsSync(join(makejinjaFolder, "bin/makejinja"))) {
    call("python3", ["-m", "venv", makejinjaFolder], ".");
    call(join(makejinjaFolder, "bin/pip"), ["install", "--quiet", `makejinja==${peerVersions.makejinja}`], ".");
  }
}

function call(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(error?.message ?? stderr);
}

/**
 * Writes the inputs of the peers. The input of cdk8s is a file with the objects of all bundles. The input of makejinja
 * is the first bundle, converted to templates, and one data file per environment.
 */
export function preparePeers(folder: string, bundles: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
  const objects = Object.fromEntries([...bundles].map(([name, files]) => [name, [...files.values()].flatMap(objectsIn)]));
  write(join(folder, "objects.json"), JSON.stringify(objects));
  const [[first = "", files = new Map<string, string>()] = []] = bundles;
  for (const [path, text] of files) {
    const template = text.replaceAll("{{", "{{ '{{' }}").replaceAll(first, "{{ environment }}");
    write(join(folder, "templates", `${path.replaceAll(first, "environment")}.jinja`), template);
  }
  for (const name of bundles.keys()) write(join(folder, "data", `${name}.yaml`), `environment: ${name}\n`);
}

function objectsIn(text: string): unknown[] {
  const values = parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);
  return values.filter((value) => typeof value?.["kind"] === "string" && typeof value["apiVersion"] === "string");
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export function cdk8sCommand(folder: string): [string, ...string[]] {
  return [process.execPath, script("cdk8s.mjs"), cdk8sFolder, join(folder, "objects.json"), join(folder, "out-cdk8s")];
}

export function makejinjaCommand(folder: string): [string, ...string[]] {
  return [
    join(makejinjaFolder, "bin/python"),
    script("fleet_makejinja.py"),
    join(folder, "templates"),
    join(folder, "data"),
    join(folder, "out-makejinja"),
  ];
}

/** Returns the command line that runs makejinja for one environment. */
export function makejinjaOnce(folder: string, environment: string): [string, ...string[]] {
  const data = join(folder, "data", `${environment}.yaml`);
  return [
    join(makejinjaFolder, "bin/makejinja"),
    "-i",
    join(folder, "templates"),
    "-o",
    join(folder, "out-once"),
    "-d",
    data,
    "--undefined",
    "strict",
    "-f",
    "-q",
  ];
}

/** Reads the generated bundle of each environment from disk. Returns a map from path to text for each environment. */
export function bundlesIn(root: string, names: readonly string[]): Map<string, Map<string, string>> {
  return new Map(
    names.map((name) => {
      const { files } = JSON.parse(readFileSync(join(root, ".meshops", `${name}.json`), "utf8")) as {
        files: Record<string, string>;
      };
      return [name, new Map(Object.keys(files).map((path) => [path, readFileSync(join(root, path), "utf8")]))];
    }),
  );
}
