/**
 * Makes the identity of the named environments, with openssl and the real sops:
 * `npm run sample-identity -- dev`. The keys are encrypted to the recipients in the spec and kept nowhere else.
 * An identity is made whole or not at all: where a part of one is there, `--force` replaces all of it.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { loadEnvironment } from "../generator/spec/load.ts";
import { Repository } from "../generator/workspace/repository.ts";
import { makeIdentity } from "./sample-identity/make.ts";
import { pinnedTool } from "./tools/paths.ts";

const force = process.argv.includes("--force");
const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
if (names.length === 0) fail("no environment is named", "npm run sample-identity -- dev");
const repository = new Repository(".");
const pinned = pinnedTool("sops");
for (const name of names) {
  const { environment } = loadEnvironment(name, repository.source);
  if (environment === null) fail(`${name} is no valid environment`, `meshops validate ${name}`);
  const files = makeIdentity(environment, existsSync(pinned) ? pinned : "sops");
  const present = [...files.keys()].filter((path) => existsSync(path));
  if (present.length > 0 && !force)
    fail(
      `${name} has an identity, or a part of one:\n  ${present.join("\n  ")}`,
      "--force replaces all of it: a new trust anchor, issuer and webhook CA",
    );
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    console.error(`wrote ${path}`);
  }
}

function fail(message: string, hint: string): never {
  console.error(`${message}\nhint: ${hint}`);
  process.exit(1);
}
