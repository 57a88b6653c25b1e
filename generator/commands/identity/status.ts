import { join } from "node:path";
import { hasErrors } from "../../diagnostics/diagnostic.ts";
import { type CertificateStatus, identityStatus } from "../../identity/certificate-status.ts";
import { keyFormFinding, oldWebhookKeys } from "../../identity/key-form.ts";
import { toHours } from "../../spec/duration.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { exitCode } from "../../system/errors.ts";
import { readIfExists } from "../../system/files.ts";
import { shortRecipient, timeLeft } from "../../system/text.ts";
import type { Io, Output } from "../io.ts";
import { type CommonOptions, loadAll, printDiagnostics, repositoryIn, selectConcrete } from "../load.ts";
import { table } from "../terminal/table.ts";
import { wrap } from "../terminal/wrap.ts";

/**
 * `meshops identity status [env…]`: shows when the committed certificates expire, and which recipients can decrypt the
 * private keys.
 */
export function status(names: readonly string[], options: CommonOptions & { readonly failWithin?: string }, io: Io): number {
  const repository = repositoryIn(io, options.directory);
  const { loaded, diagnostics } = loadAll(repository, names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(io.stderr, diagnostics);
    return exitCode.problem;
  }
  const read = (path: string): string | null => readIfExists(join(repository.root, path));
  const now = io.now();
  const all = selectConcrete(loaded, names).map((environment) => ({
    name: environment.metadata.name,
    external: hasExternalIdentity(environment),
    oldKeys: oldWebhookKeys(environment, read).map((key) => keyFormFinding(key, environment)),
    ...identityStatus(environment, read, now),
  }));
  const certificates = all.flatMap((environment) => environment.certificates);
  const limit = options.failWithin === undefined ? -1 : toHours(options.failWithin) / 24;
  const expiring = certificates.filter(({ daysLeft }) => daysLeft < Math.max(limit, 0));
  if (options.output === "json") io.stdout.write(`${JSON.stringify(certificates, null, 2)}\n`);
  else for (const environment of all) printStatus(io, environment, expiring, now);
  // With JSON output, stdout contains only the list of certificates, so write findings to stderr.
  const findings = options.output === "json" ? io.stderr : io.stdout;
  for (const { name, certificates: own } of all)
    warn(
      findings,
      name,
      own.filter((certificate) => expiring.includes(certificate)),
      options.failWithin,
      now,
    );
  const oldKeys = all.flatMap((environment) => environment.oldKeys);
  printDiagnostics(findings, oldKeys);
  const incomplete = all.filter(({ missing }) => missing.length > 0);
  for (const { name, certificates: present, missing } of incomplete)
    findings.write(
      present.length === 0
        ? `${name} has no identity yet\nfix: run meshops identity init ${name}\n`
        : `missing or corrupt certificates in ${name}: ${missing.join(", ")}\nfix: restore the files from Git; for webhook certificates, you can also run meshops identity rotate-webhooks ${name}\n`,
    );
  return expiring.length > 0 || incomplete.length > 0 || hasErrors(oldKeys) ? exitCode.problem : exitCode.ok;
}

/**
 * Prints a warning that lists the expiring certificates. The warning is necessary because the list of all certificates
 * marks expiring certificates only with a color.
 */
function warn(
  to: Output,
  environment: string,
  expiring: readonly CertificateStatus[],
  limit: string | undefined,
  now: Date,
): void {
  if (expiring.length === 0) return;
  const list = expiring.map(({ name, notAfter }) => `${name} (${timeLeft(notAfter, now)})`);
  to.write(
    `environment ${environment} has ${limit === undefined ? "expired certificates" : `certificates that expire within ${limit}`}: ${list.join(", ")}\n` +
      `fix: run meshops identity rotate-issuer ${environment} for the issuer, rotate-webhooks for webhook certificates, or rotate-anchor for the trust anchor\n`,
  );
}

function printStatus(
  io: Io,
  {
    name,
    external,
    certificates,
    rotation,
  }: { name: string; external: boolean; certificates: readonly CertificateStatus[]; rotation: string | null },
  expiring: readonly CertificateStatus[],
  now: Date,
): void {
  if (external)
    io.stdout.write(
      `${name}: another program issues the certificates; to see when the certificates expire, run meshops status ${name}\n`,
    );
  if (certificates.length === 0) return;
  const { bold, dim, red, yellow } = io.stdout.colors;
  const rows = certificates.map(({ name: label, notAfter, sha256 }) => [
    label,
    notAfter.slice(0, 10),
    timeLeft(notAfter, now),
    sha256.slice(0, 12),
  ]);
  const isExpiring = certificates.map((certificate) => expiring.includes(certificate));
  const lines = table(rows, "  ", { 2: (text, row) => (isExpiring[row] === true ? red(text) : text), 3: dim });
  const readersOf = ({ recipients }: CertificateStatus): string => recipients.map(shortRecipient).join(", ");
  for (const readers of new Set(certificates.map(readersOf))) {
    const keys = certificates.filter((certificate) => readersOf(certificate) === readers).map(({ name: label }) => label);
    const text = wrap(`${readers === "" ? "no recipient" : readers} can decrypt the keys of ${keys.join(", ")}`, "  ");
    lines.push(...(readers === "" ? text.map(yellow) : text));
  }
  io.stdout.write(`${bold(name)}\n${lines.join("\n")}\n${rotation === null ? "" : `  ${yellow(rotation)}\n`}`);
}
