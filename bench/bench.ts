/**
 * `npm run bench [-- sizes…]`: measures the time that meshops needs for 1, 100 and 1,000 environments, or for the given
 * numbers of environments. Compares this time with the time of Node itself, `cp -r`, `sha256sum`, cdk8s and makejinja.
 * Each round runs every program once. Prints Markdown tables for bench/README.md. Needs Python 3 and git. Installs
 * cdk8s and makejinja into the cache of the test tools (`cacheFolder`).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFleet, nameOf } from "./fleet.ts";
import { type Contestant, type Result, race } from "./measure.ts";
import { bundlesIn, cdk8sCommand, installPeers, makejinjaCommand, makejinjaOnce, peerVersions, preparePeers } from "./peers.ts";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const sizes = process.argv.slice(2).map(Number);
const scratch = mkdtempSync(join(tmpdir(), "meshops-bench-"));

installPeers();
print(
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; cdk8s ${peerVersions.cdk8s}, makejinja ${peerVersions.makejinja}\n`,
);
for (const size of sizes.length > 0 ? sizes : [1, 100, 1000]) bench(size);
rmSync(scratch, { recursive: true });

function bench(size: number): void {
  const root = join(scratch, `fleet-${size}`);
  const peers = join(scratch, `peers-${size}`);
  const names = Array.from({ length: size }, (_, index) => nameOf(index));
  makeFleet(root, size);
  run(process.execPath, [cli, "generate"], root);
  preparePeers(peers, bundlesIn(root, names));
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "commit", "-qm", "fleet"],
  ])
    run("git", args, root);
  const contestants: Contestant[] = [
    ...(size === 1
      ? [
          { name: "node -e 0", command: [process.execPath, "-e", "0"] as const },
          { name: "meshops --help", command: [process.execPath, cli, "--help"] as const },
        ]
      : []),
    {
      name: "cp -r",
      command: ["cp", "-r", ...treeOf(root), join(scratch, "copy")],
      prepare: () => {
        rmSync(join(scratch, "copy"), { recursive: true, force: true });
        mkdirSync(join(scratch, "copy"));
      },
    },
    {
      name: "sha256sum",
      command: ["sh", "-c", "find environments overlays flux -type f -print0 | xargs -0 sha256sum"],
      cwd: root,
    },
    meshops("generate, from nothing", ["generate"], root, () => wipe(root)),
    meshops("generate, unchanged", ["generate"], root),
    meshops("generate --check", ["generate", "--check"], root),
    meshops("validate", ["validate"], root),
    meshops("diff, unchanged", ["diff"], root),
    { name: "cdk8s", command: cdk8sCommand(peers) },
    { name: "makejinja", command: size === 1 ? makejinjaOnce(peers, nameOf(0)) : makejinjaCommand(peers) },
  ];
  table(size, race(contestants, size === 1 ? 11 : size <= 100 ? 3 : 1, size <= 100));
}

function meshops(name: string, args: readonly string[], cwd: string, prepare?: () => void): Contestant {
  return {
    name: `meshops ${name}`,
    command: [process.execPath, cli, ...args],
    cwd,
    ...(prepare === undefined ? {} : { prepare }),
  };
}

/** Returns the folders of a repository with the specs and the generated files. `cp -r` copies these folders. */
function treeOf(root: string): string[] {
  return ["environments", "overlays", "flux"].map((folder) => join(root, folder));
}

/** Deletes the generated files, except the encrypted Secrets. */
function wipe(root: string): void {
  for (const folder of ["overlays", "flux"]) run("find", [folder, "-type", "f", "!", "-name", "*.sops.yaml", "-delete"], root);
  rmSync(join(root, ".meshops"), { recursive: true, force: true });
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 1e8,
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}

function table(size: number, results: readonly Result[]): void {
  const of = (name: string): number => results.find((result) => result.name === name)?.ms ?? Number.NaN;
  const bases = [...(size === 1 ? ["node -e 0"] : []), "cp -r", "sha256sum", "cdk8s", "makejinja"];
  print(`### ${size} environment${size === 1 ? "" : "s"}\n`);
  print(`| | ms | MiB | ${bases.map((base) => `÷ ${base}`).join(" | ")} |\n|---|--:|--:|${bases.map(() => "--:|").join("")}`);
  for (const { name, ms, memory } of results)
    print(
      `| ${name} | ${ms.toFixed(0)} | ${memory === null ? "" : memory.toFixed(0)} | ${bases.map((base) => (ms / of(base)).toFixed(2)).join(" | ")} |`,
    );
  print("");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
