import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kustomizationName, type Placement, placementOf } from "../../bundle/emit/placement.ts";
import { withName } from "../../catalog/linkerd.ts";
import { trustBundle } from "../../catalog/well-known.ts";
import { connect } from "../../cluster/connection.ts";
import { type Counted, countedClients } from "../../cluster/counted-clients.ts";
import { assess } from "../../cluster/status/assess.ts";
import { assessHelmfile, readHelmState } from "../../cluster/status/helm/assess-releases.ts";
import { allReady, type StatusNode } from "../../cluster/status/node.ts";
import { kustomizationIn, type Snapshot, type SnapshotSource, takeSnapshot } from "../../cluster/status/snapshot.ts";
import { modelOf } from "../../components/build.ts";
import { isDelivered, type Model, podSetsIn } from "../../components/model.ts";
import { type AnchorGap, anchorGaps, bundleIn } from "../../identity/anchors.ts";
import { type CertificateStatus, identityStatus } from "../../identity/certificate-status.ts";
import { type ClusterCertificate, clusterCertificates, issuerIn, refusedKeys } from "../../identity/cluster-certificates.ts";
import { fingerprint } from "../../identity/pem.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { readIfExists } from "../../system/files.ts";
import { sha256 } from "../../system/hash.ts";
import { duration } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { type ConnectionFlags, connectionOf, soleEnvironment } from "../kubeconfig.ts";
import { type CommonOptions, loadOne, repositoryIn } from "../load.ts";
import { type GeneratedBy, generatedBy } from "./generated-by.ts";
import { renderCounted } from "./render-counted.ts";
import { type InstalledFlux, installedFlux, renderFlux } from "./render-flux.ts";
import { renderIdentity } from "./render-identity.ts";
import { renderStatus } from "./render-status.ts";
import { renderUntapped, type Untapped, untappedIn } from "./render-untapped.ts";

export interface StatusOptions extends CommonOptions, ConnectionFlags {
  readonly fluxNamespace?: string;
  /** Engine that applies the generated files. */
  readonly engine: "flux" | "helmfile";
  readonly watch: boolean;
  /** Maximum duration of `--watch`, in seconds. */
  readonly timeout: number;
}

/**
 * `meshops status [env]`: prints the state of an environment in its cluster, with causes and fixes for objects that are
 * not ready. Exits with 1 if the environment is not ready.
 */
export async function status(names: readonly string[], options: StatusOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  const environment = loadOne(io, repository, names[0] ?? soleEnvironment(repository));
  const model = modelOf(environment);
  const cluster = await connect(connectionOf(io, environment, options));
  const end = Date.now() + options.timeout * 1000;
  let shown = "";
  for (;;) {
    const report = await look(cluster, model, options, repository.root).catch((error: unknown) => {
      // If an earlier attempt succeeded, the error can be transient, for example because the API server restarts. In
      // this case, try again.
      if (shown === "" || Date.now() > end || !(error instanceof UserError)) throw error;
      io.stderr.write(`${error.message}; retrying\n`);
      return null;
    });
    if (report === null) {
      await sleep(2000);
      continue;
    }
    const text = options.output === "json" ? "" : asText(io, report);
    if (text !== shown && options.watch) io.stdout.write(`${shown === "" ? "" : "\n"}${text}`);
    shown = text;
    if (report.ready || !options.watch || Date.now() > end) {
      if (options.output === "json") io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
      else if (!options.watch) io.stdout.write(text);
      if (!report.ready && options.watch)
        io.stderr.write(`${report.environment} is not ready after ${duration(options.timeout * 1000)}\n`);
      return report.ready ? exitCode.ok : exitCode.problem;
    }
    await sleep(2000);
  }
}

/** The object that `--output json` prints. */
interface StatusReport {
  readonly environment: string;
  readonly context: string;
  readonly ready: boolean;
  /** Linkerd release that the spec specifies, such as `edge-25.10.7 (2.19)`. */
  readonly linkerd: string;
  /**
   * The commit that Flux has applied, and the version of meshops that generated the files in this commit. Null if the
   * engine is helmfile, or if Flux has not applied a commit yet.
   */
  readonly generatedBy: GeneratedBy | null;
  /**
   * The version of Flux in the cluster. Null if the engine is helmfile, or if meshops cannot determine the version from
   * the cluster.
   */
  readonly flux: InstalledFlux | null;
  readonly nodes: readonly StatusNode[];
  readonly trustAnchors: TrustAnchors;
  /** Certificates in the repository. */
  readonly certificates: readonly CertificateStatus[];
  readonly cluster: ClusterIdentity;
  /** Workloads with untapped pods. Tap cannot report the calls of these pods. */
  readonly untapped: readonly Untapped[];
  /** Clients that can connect to pods only because the access mode of these pods is `audit`. */
  readonly counted: readonly Counted[];
}

/** The trust anchors in the cluster, and whether they are equal to the committed trust anchors. */
interface TrustAnchors {
  /**
   * SHA-256 hash of the trust bundle in the cluster, computed in the same way as in Linkerd's chart. Null if the
   * cluster has no trust bundle.
   */
  readonly sha256: string | null;
  /** Whether the trust anchors in the cluster and in Git are equal. Null if another program issues the certificates. */
  readonly asCommitted: boolean | null;
}

/** Certificates of the mesh in the cluster, and problems with them. */
interface ClusterIdentity {
  /** Whether the user is allowed to read Secrets. If false, `certificates` contains only trust anchors. */
  readonly secretsRead: boolean;
  readonly certificates: readonly ClusterCertificate[];
  /**
   * Secrets with the private key of a webhook, if the program that uses the key does not accept the PEM form (`form`)
   * of the key.
   */
  readonly refusedKeys: readonly { readonly secret: string; readonly form: string }[];
  /**
   * Meshed pods of all namespaces that lack one or more of the trust anchors in the trust bundle. Null if the user is
   * not allowed to list pods in all namespaces.
   */
  readonly anchorGaps: readonly AnchorGap[] | null;
}

/**
 * Returns a Kustomization whose last applied revision is a commit of the repository. If meshops manages the root
 * Kustomization, returns the root Kustomization. Otherwise, returns the Kustomization of the first component, because
 * the root Kustomization can apply files from another repository. Returns undefined if the source is an OCIRepository,
 * because the revisions of an OCIRepository are not commits.
 */
function gitReader({ components }: Model, snapshot: Snapshot, placement: Placement): KubernetesObject | undefined {
  const { managesRoot, root, namespace, source } = placement;
  const first = components.find(isDelivered);
  if (source.kind === "OCIRepository" || first === undefined) return undefined;
  return kustomizationIn(snapshot, managesRoot ? root : { name: kustomizationName(placement, first.id), namespace });
}

async function look(cluster: SnapshotSource, model: Model, options: StatusOptions, root: string): Promise<StatusReport> {
  const read = (path: string): string | null => readIfExists(join(root, path));
  const placement = placementOf(model.environment, options.fluxNamespace);
  const snapshot = await takeSnapshot(cluster, model, placement, options.fluxNamespace);
  const nodes =
    options.engine === "helmfile"
      ? assessHelmfile(model, snapshot, await readHelmState(cluster, model))
      : assess(model, snapshot, placement);
  const { environment } = model;
  const { name } = environment.metadata;
  const { certificates } = identityStatus(environment, read, snapshot.takenAt);
  const anchors = trustAnchors(snapshot, hasExternalIdentity(environment) ? null : certificates);
  const inCluster = identityIn(model, snapshot);
  const flux = options.engine === "helmfile" ? null : installedFlux(snapshot);
  return {
    environment: name,
    linkerd: withName(environment.spec.linkerd.version),
    context: cluster.context,
    ready:
      allReady(nodes) &&
      flux?.supported !== false &&
      anchors.sha256 !== null &&
      anchors.asCommitted !== false &&
      certificates.every(({ daysLeft }) => daysLeft >= 0) &&
      inCluster.certificates.every(({ notAfter }) => new Date(notAfter) > snapshot.takenAt) &&
      inCluster.refusedKeys.length === 0 &&
      !(inCluster.anchorGaps ?? []).some(({ breaks }) => breaks),
    generatedBy: options.engine === "helmfile" ? null : await generatedBy(root, name, gitReader(model, snapshot, placement)),
    flux,
    nodes,
    trustAnchors: anchors,
    certificates,
    cluster: inCluster,
    untapped: untappedIn(model, snapshot),
    counted: countedClients(podSetsIn(model), snapshot.pods, snapshot.proxyMetrics),
  };
}

function identityIn({ environment }: Model, { identity, meshed }: Snapshot): ClusterIdentity {
  return {
    secretsRead: identity.secrets !== null,
    certificates: clusterCertificates(environment, identity),
    refusedKeys: refusedKeys(environment, identity),
    anchorGaps: meshed === null ? null : anchorGaps(meshed, identity.trustRoots, issuerIn(identity)),
  };
}

/** @param certificates certificates in the repository, or null if another program issues the certificates */
function trustAnchors({ identity: { trustRoots } }: Snapshot, certificates: readonly CertificateStatus[] | null): TrustAnchors {
  const bundle = at(trustRoots, "data", trustBundle.key);
  if (typeof bundle !== "string") return { sha256: null, asCommitted: certificates === null ? null : false };
  if (certificates === null) return { sha256: sha256(bundle.trim()), asCommitted: null };
  const committed = certificates.filter(({ name }) => name === "trust-anchor").map(({ sha256 }) => sha256);
  const asCommitted = JSON.stringify(bundleIn(trustRoots).map(fingerprint)) === JSON.stringify(committed);
  return { sha256: sha256(bundle.trim()), asCommitted };
}

function generatedLine({ commit, version: writer }: GeneratedBy): string {
  const by = writer === null ? "an unknown version of meshops" : `meshops ${writer}`;
  return `commit ${commit.slice(0, 8)}, generated by ${by}`;
}

function asText(io: Io, report: StatusReport): string {
  const colors = io.stdout.colors;
  const { environment, context, ready, nodes } = report;
  return [
    `${colors.bold(environment)} on ${context}`,
    `Linkerd ${report.linkerd}`,
    ...renderFlux(environment, report.flux),
    renderStatus(nodes, colors),
    ...renderUntapped(report.untapped),
    ...renderCounted(report.counted),
    ...renderIdentity(report, io.now(), colors),
    ...(report.generatedBy === null ? [] : [generatedLine(report.generatedBy)]),
    ready ? colors.green("ready") : colors.yellow("not ready"),
    "",
  ].join("\n");
}
