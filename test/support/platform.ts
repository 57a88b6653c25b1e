import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { generate } from "../../generator/commands/generate/generate.ts";
import { testIo } from "./cli.ts";
import { type TestIdentity, thisRun } from "./run.ts";
import { projectRoot } from "./tools.ts";

/** Creates an empty folder for a test. */
export function scratchFolder(name: string): string {
  return mkdtempSync(join(thisRun().scratch, `${name}-`));
}

/** Returns the identity that was created for this test run. */
export function testIdentity(): TestIdentity {
  return thisRun().identity;
}

/**
 * Creates a platform repository in a new folder, and returns the folder. The repository contains the bases of this
 * checkout and the given specs. Each environment has the identity of the test run.
 *
 * @param specs texts of the specs, keyed by environment name
 */
export function makePlatform(specs: Readonly<Record<string, string>>): string {
  const root = scratchFolder("platform");
  cpSync(join(projectRoot, "bases"), join(root, "bases"), { recursive: true });
  for (const [name, text] of Object.entries(specs)) {
    writeTree(root, { [`environments/${name}.yaml`]: withTestRecipients(text) });
    writeTree(root, identityFiles(name));
  }
  return root;
}

/**
 * Replaces the recipients in a sample spec with the recipients of the test run. The age keys of the samples no longer
 * exist.
 */
function withTestRecipients(text: string): string {
  const { clusterRecipient, adminRecipient } = testIdentity();
  return text.replaceAll(/age1[0-9a-z]{58}/g, (recipient) =>
    sampleAdmins.has(recipient) ? adminRecipient : recipient === adminRecipient ? recipient : clusterRecipient,
  );
}

/** The recipients of the administrators in the samples. Each sample's second recipient belongs to an administrator. */
const sampleAdmins = new Set(
  ["dev", "production"].map(
    (name) => readFileSync(join(projectRoot, `environments/${name}.yaml`), "utf8").match(/age1[0-9a-z]{58}/g)?.[1],
  ),
);

function identityFiles(name: string): Record<string, string> {
  const { files } = testIdentity();
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path.replace(/\/test\//, `/${name}/`), text]));
}

/**
 * Writes files into a folder, and creates the folders that the files need.
 *
 * @param files texts, keyed by path in the folder
 */
export function writeTree(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Returns the texts of all files under `root/folder`. The keys are paths relative to `root`. */
export function readTree(root: string, folder = ""): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
    const path = join(root, folder, entry);
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) files[relative(root, path)] = readFileSync(path, "utf8");
  }
  return files;
}

/** Runs `generate` in this process, discards its output and returns its exit code. */
export async function generateIn(
  root: string,
  options: { check?: boolean; force?: boolean } = {},
  names: readonly string[] = [],
): Promise<number> {
  const { io } = testIo(root);
  return generate(
    names,
    { directory: root, output: "text", check: false, stdout: false, force: false, acceptScaffold: false, ...options },
    io,
  );
}
