import { existsSync } from "node:fs";
import { join } from "node:path";
import { readWorkloadFiles } from "../../bundle/workload-files.ts";
import { modelOf } from "../../components/build.ts";
import { type Diagnostic, fileDiagnostic, hasErrors } from "../../diagnostics/diagnostic.ts";
import { identitiesAtHand } from "../../identity/age-keys.ts";
import { readIdentity } from "../../identity/read-identity.ts";
import { sharedIssuers } from "../../identity/shared-issuer.ts";
import { fileRules } from "../../lint/specs.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { identityFolder, specFile } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { plural } from "../../system/text.ts";
import { missingBases } from "../base-findings.ts";
import { outdatedScaffold } from "../init/tracked.ts";
import type { Io } from "../io.ts";
import { countOf, load, repositoryIn, unknownEnvironments } from "../load.ts";
import { type DiagnosticFormat, formatted } from "./formats.ts";
import { renderedFindings } from "./rendered.ts";

interface ValidateOptions {
  readonly directory: string;
  readonly output: DiagnosticFormat;
  /** Check the Kubernetes objects in a folder or a file, or on stdin (`-`), instead of the specs. */
  readonly manifests?: string;
  /** With `manifests`: Linkerd release for objects that do not specify a release. */
  readonly linkerd?: string;
  /** Also compare the workloads in the specs with the objects rendered from their charts and folders. */
  readonly render?: true | undefined;
  /**
   * Whether to check certificates and encrypted files. If false, an environment without these files is valid, although
   * `generate` requires them.
   */
  readonly identity: boolean;
}

/**
 * `meshops validate [env…]`: reports the problems of the specs and of the certificates and encrypted files. With
 * `--manifests`, reports the problems of manifests instead.
 */
export async function validate(names: readonly string[], options: ValidateOptions, io: Io): Promise<number> {
  const { manifests } = options;
  const { diagnostics, checked, note } = await findings(io, names, options);
  // GitHub resolves paths relative to the working directory of the workflow.
  const fromHere =
    manifests === undefined ? (file: string): string => join(options.directory, file) : (file: string): string => file;
  const shown =
    options.output === "text"
      ? diagnostics.filter(({ code }) => !["identity-skipped", "not-checked"].includes(code))
      : diagnostics;
  io.stdout.write(formatted(shown, options.output, io.stdout.colors, fromHere));
  if (options.output === "text") {
    const count = countOf(shown);
    io.stdout.write(`${checked}${count === "" ? ", all valid" : `: ${count}`}${note}\n`);
  }
  if (diagnostics.some(({ code }) => code === "environment-unknown")) return exitCode.usage;
  return hasErrors(diagnostics) ? exitCode.problem : exitCode.ok;
}

interface Findings {
  readonly diagnostics: readonly Diagnostic[];
  /** Text with the number of checked environments or objects. */
  readonly checked: string;
  readonly note: string;
}

async function findings(io: Io, names: readonly string[], options: ValidateOptions): Promise<Findings> {
  const { manifests, linkerd } = options;
  if (manifests !== undefined) {
    if (names.length > 0)
      throw new UserError(
        exitCode.usage,
        `--manifests accepts only one path; unexpected arguments: ${names.join(" ")}`,
        "specify one folder that contains all manifests",
      );
    const { validateManifests } = await import("./manifests.ts");
    return validateManifests(io, manifests, linkerd);
  }
  if (linkerd !== undefined)
    throw new UserError(exitCode.usage, "--linkerd requires --manifests", "set spec.linkerd.version in the spec instead");
  const repository = repositoryIn(io, options.directory);
  const unknown = unknownEnvironments(repository, names);
  const known = repository.environmentNames();
  const { loaded, diagnostics: inSpecs } = load(
    repository,
    known.filter((name) => names.length === 0 || names.includes(name)),
    fileRules,
  );
  const environments = loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  const { diagnostics: inIdentities, note } = options.identity
    ? await checkIdentities(io, repository.root, environments)
    : skippedIdentities(environments);
  return {
    diagnostics: [
      ...unknown,
      ...inSpecs,
      ...(options.render === true ? await renderedFindings(io, repository, loaded) : []),
      ...inIdentities,
      ...missingBases(repository.root, environments.map(modelOf)),
      ...outdatedScaffold(repository.root),
    ],
    checked: `${countChecked(loaded)} checked`,
    note,
  };
}

/**
 * Returns one silenced finding per environment. The finding reports that `--no-identity` skips the check of
 * certificates and encrypted files.
 */
function skippedIdentities(environments: readonly Environment[]): { diagnostics: Diagnostic[]; note: string } {
  const message = "certificates and encrypted files were not checked";
  const fix = "run meshops validate without --no-identity";
  const diagnostics = environments.map(
    ({ metadata: { name } }): Diagnostic => ({
      ...fileDiagnostic(specFile(name), { code: "identity-skipped", message, fix }),
      severity: "warning",
      silenced: "--no-identity",
    }),
  );
  return { diagnostics, note: `; ${message}` };
}

/** Returns a text with the number of checked specs, such as `2 environments and 1 base`. A base is an abstract spec. */
function countChecked(loaded: readonly Loaded[]): string {
  const bases = loaded.filter(({ abstract }) => abstract).length;
  const counts = [plural(loaded.length - bases, "environment"), ...(bases === 0 ? [] : [plural(bases, "base")])];
  return counts.join(" and ");
}

/**
 * Checks the certificates, and the plaintext fields of encrypted files. If an age identity of the user can decrypt an
 * encrypted file, also checks the MAC of this file.
 */
async function checkIdentities(
  io: Io,
  root: string,
  environments: readonly Environment[],
): Promise<{ diagnostics: Diagnostic[]; note: string }> {
  const present = environments.filter(
    ({ metadata, spec: { workloads } }) =>
      existsSync(join(root, identityFolder(metadata.name))) || Object.values(workloads).some(({ secrets }) => secrets.length > 0),
  );
  const diagnostics = environments.flatMap((environment) => [
    ...readIdentity(root, environment).diagnostics,
    ...readWorkloadFiles(root, environment).diagnostics,
  ]);
  diagnostics.push(...sharedIssuers(root, environments));
  const identities =
    present.length === 0
      ? []
      : await identitiesAtHand(io.env, (message) => io.stderr.write(`${message}; the MACs of encrypted files are not checked\n`));
  if (identities.length === 0) return { diagnostics, note: "" };
  const { verifyMacs } = await import("../../identity/secret-macs.ts");
  const verified = await Promise.all(present.map((environment) => verifyMacs(root, environment, identities)));
  const reported = ({ file, code }: Diagnostic): boolean =>
    diagnostics.some((other) => other.file === file && (other.severity === "error" || other.code === code));
  diagnostics.push(...verified.flatMap((result) => result.diagnostics).filter((each) => !reported(each)));
  const opened = verified.reduce((sum, result) => sum + result.opened, 0);
  return { diagnostics, note: opened === 0 ? "" : `; ${plural(opened, "encrypted file")} decrypted, MACs verified` };
}
