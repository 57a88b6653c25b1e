/**
 * Makes the identity of the named environments, with openssl and the real sops:
 * `npm run sample-identity -- dev`. The keys are encrypted to the recipients in the spec and kept nowhere else.
 * Existing files are only replaced with --force.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { loadEnvironment } from "../generator/spec/load.ts";
import { Repository } from "../generator/workspace/repository.ts";
import { makeIdentity } from "./sample-identity/make.ts";
import { toolPath } from "./tools/paths.ts";

const force = process.argv.includes("--force");
const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const repository = new Repository(".");
for (const name of names) {
  const { environment, diagnostics } = loadEnvironment(name, repository.source);
  if (environment === null)
    throw new Error(`${name} is not a valid environment: ${diagnostics.map(({ message }) => message).join("; ")}`);
  for (const [path, text] of makeIdentity(environment, toolPath("sops") ?? "sops")) {
    if (existsSync(path) && !force) throw new Error(`${path} exists; replace it with --force`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.error(`wrote ${path}`);
  }
}
