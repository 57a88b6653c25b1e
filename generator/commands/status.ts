import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { assess, isSettled, type StatusNode } from "../cluster/assess.ts";
import { type ClusterReader, connect } from "../cluster/connection.ts";
import { at } from "../cluster/objects.ts";
import { renderStatus } from "../cluster/render-status.ts";
import { type Snapshot, takeSnapshot } from "../cluster/snapshot.ts";
import { colorsFor } from "../colors.ts";
import { buildModel } from "../components/build.ts";
import { noIdentity } from "../components/images.ts";
import { type CertificateStatus, identityStatus } from "../identity/status.ts";
import { fingerprint, parsePem } from "../mesh/certificates.ts";
import type { Model } from "../model.ts";
import { exitCode, UserError } from "../user-error.ts";
import { readIfThere } from "../workspace/files.ts";
import { Repository } from "../workspace/repository.ts";
import { type ConnectionFlags, connectionOf, onlyOne } from "./cluster-context.ts";
import { type CommonOptions, loadOne } from "./context.ts";

export interface StatusOptions extends CommonOptions, ConnectionFlags {
  /** Where Flux lives. */
  readonly namespace: string;
  readonly watch: boolean;
  /** Seconds that `--watch` may take. */
  readonly timeout: number;
}

/** `meshops status [env]`: how the environment stands in its cluster, and what keeps it from being ready. Exit 1 while something does. */
export async function status(names: readonly string[], options: StatusOptions): Promise<number> {
  const repository = new Repository(options.directory);
  const environment = loadOne(repository, names[0] ?? onlyOne(repository));
  const model = buildModel({ environment, identity: noIdentity });
  const cluster = await connect(connectionOf(environment, options));
  const read = (path: string): string | null => readIfThere(join(repository.root, path));
  const end = Date.now() + options.timeout * 1000;
  let shown = "";
  for (;;) {
    const report = await look(cluster, model, options, read).catch((error: unknown) => {
      // A cluster that has answered once may fail to for a while, such as when its API server restarts.
      if (shown === "" || Date.now() > end || !(error instanceof UserError)) throw error;
      process.stderr.write(`${error.message}; trying again\n`);
      return null;
    });
    if (report === null) {
      await sleep(2000);
      continue;
    }
    const text = options.output === "json" ? "" : asText(report);
    if (text !== shown && options.watch) process.stdout.write(`${shown === "" ? "" : "\n"}${text}`);
    shown = text;
    if (report.ready || !options.watch || Date.now() > end) {
      if (options.output === "json") process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      else if (!options.watch) process.stdout.write(text);
      if (!report.ready && options.watch) process.stderr.write(`not ready within ${options.timeout} s\n`);
      return report.ready ? exitCode.ok : exitCode.problem;
    }
    await sleep(2000);
  }
}

/** What `--output json` prints. */
interface Report {
  readonly environment: string;
  readonly context: string;
  readonly ready: boolean;
  readonly nodes: readonly StatusNode[];
  readonly trustAnchors: TrustAnchors;
  readonly certificates: readonly CertificateStatus[];
}

/** Whether the cluster believes the trust anchors that are committed. */
interface TrustAnchors {
  /** SHA-256 of the bundle in the cluster, as Linkerd's chart takes it; null where there is none. */
  readonly sha256: string | null;
  readonly asCommitted: boolean;
}

async function look(
  cluster: ClusterReader,
  model: Model,
  options: StatusOptions,
  read: (path: string) => string | null,
): Promise<Report> {
  const snapshot = await takeSnapshot(cluster, model, options.namespace);
  const nodes = assess(model, snapshot, options.namespace);
  const { environment } = model;
  const { certificates } = identityStatus(environment, read, new Date());
  const anchors = trustAnchors(snapshot, certificates);
  return {
    environment: environment.metadata.name,
    context: cluster.context,
    ready: isSettled(nodes) && anchors.asCommitted && certificates.every(({ daysLeft }) => daysLeft >= 0),
    nodes,
    trustAnchors: anchors,
    certificates,
  };
}

function trustAnchors({ trustRoots }: Snapshot, certificates: readonly CertificateStatus[]): TrustAnchors {
  const bundle = at(trustRoots, "data", "ca-bundle.crt");
  if (typeof bundle !== "string") return { sha256: null, asCommitted: false };
  const committed = certificates.filter(({ name }) => name === "trust-anchor").map(({ sha256 }) => sha256);
  const asCommitted = JSON.stringify(fingerprintsIn(bundle)) === JSON.stringify(committed);
  return { sha256: createHash("sha256").update(bundle.trim()).digest("hex"), asCommitted };
}

/** Fingerprints of a bundle's certificates; null where it is damaged. */
function fingerprintsIn(bundle: string): string[] | null {
  try {
    return parsePem(bundle).map(fingerprint);
  } catch {
    return null;
  }
}

function asText({ environment, context, ready, nodes, trustAnchors: { sha256, asCommitted }, certificates }: Report): string {
  const colors = colorsFor(process.stdout);
  const [soonest] = [...certificates].sort((a, b) => a.daysLeft - b.daysLeft);
  const believed =
    sha256 === null
      ? "none in the cluster"
      : `sha256 ${sha256.slice(0, 12)}${asCommitted ? "" : colors.yellow(", not those committed")}`;
  return [
    `${colors.bold(environment)} on ${context}`,
    renderStatus(nodes, colors),
    `trust anchors: ${believed}`,
    ...(soonest === undefined
      ? []
      : [
          `certificates: ${soonest.name} ${soonest.daysLeft < 0 ? colors.red(`expired ${-soonest.daysLeft} days ago`) : `is the first to expire, in ${soonest.daysLeft} days`}`,
        ]),
    ready ? colors.green("ready") : colors.yellow("not ready"),
    "",
  ].join("\n");
}
