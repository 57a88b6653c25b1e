import type { Colors } from "picocolors/types.js";
import type { AnchorGap } from "../../identity/anchors.ts";
import type { ClusterCertificate } from "../../identity/cluster-certificates.ts";
import { plural, timeLeft } from "../../system/text.ts";
import { wrap } from "../terminal/wrap.ts";

/** The fields of the status report that describe trust anchors, certificates and keys, in Git and in the cluster. */
export interface IdentityReport {
  readonly environment: string;
  readonly trustAnchors: { readonly sha256: string | null; readonly asCommitted: boolean | null };
  readonly certificates: readonly CertificateRow[];
  readonly cluster: {
    readonly secretsRead: boolean;
    readonly certificates: readonly ClusterCertificate[];
    readonly refusedKeys: readonly { readonly secret: string; readonly form: string }[];
    readonly anchorGaps: readonly AnchorGap[] | null;
  };
}

interface CertificateRow {
  readonly name: string;
  readonly notAfter: string;
  readonly sha256: string;
}

/** Returns lines for the text output about trust anchors, certificates and keys. */
export function renderIdentity(report: IdentityReport, now: Date, colors: Colors): string[] {
  const { trustAnchors, cluster } = report;
  const anchors =
    trustAnchors.sha256 === null
      ? "not found in the cluster"
      : `sha256 ${trustAnchors.sha256.slice(0, 12)}${trustAnchors.asCommitted !== false ? "" : colors.yellow(", different from the committed trust anchors")}`;
  return [
    `trust anchors: ${anchors}`,
    ...gaps(cluster.anchorGaps),
    ...expiry(report, now, colors),
    ...cluster.refusedKeys.flatMap(({ secret, form }) =>
      wrap(
        `webhook-key-form: the private key in Secret ${secret} is in ${form} format, but the program that reads the key does not accept this format; fix: ${rekey(report)}`,
        "",
      ),
    ),
  ];
}

/** Returns the fix for a webhook's private key in a PEM form that the reader of the key does not accept. */
function rekey({ environment, trustAnchors }: IdentityReport): string {
  return trustAnchors.asCommitted === null
    ? "change the format in the program that writes the Secret (cert-manager: privateKey.encoding: PKCS8)"
    : `run meshops identity rotate-webhooks ${environment}`;
}

/** Maximum number of pods in the text output. The JSON output contains all pods. */
const shownPods = 5;

function gaps(found: readonly AnchorGap[] | null): string[] {
  const group = (breaks: boolean, anchors: string): string[] => {
    const pods = (found ?? []).filter((gap) => gap.breaks === breaks).map(({ pod }) => pod);
    const more = pods.length > shownPods ? ` and ${pods.length - shownPods} more` : "";
    return pods.length === 0
      ? []
      : wrap(
          `${plural(pods.length, "meshed pod")} ${pods.length === 1 ? "does" : "do"} not trust ${anchors}: ${pods.slice(0, shownPods).join(", ")}${more}`,
          "  ",
        );
  };
  return [
    ...group(true, "the issuer's trust anchor (restart these pods, because their proxies reject new certificates)"),
    ...group(
      false,
      "at least one anchor of the trust bundle (restart these pods before the next step of a trust anchor rotation)",
    ),
  ];
}

/**
 * Returns lines about the certificate that expires first. If the certificates in Git and in the cluster are equal,
 * returns one line. Otherwise, returns one line for Git, one line for the cluster, and the names of the certificates
 * that differ. If the user is not allowed to read Secrets, returns a note instead of the line for the cluster.
 */
function expiry({ certificates, cluster, trustAnchors }: IdentityReport, now: Date, colors: Colors): string[] {
  const describe = ({ name, notAfter }: CertificateRow): string => {
    const left = timeLeft(notAfter, now);
    return `${name}, ${left.startsWith("expired") ? colors.red(left) : left}`;
  };
  const inGit = soonest(certificates);
  if (!cluster.secretsRead)
    return inGit === undefined
      ? []
      : [
          `certificate in Git that expires first: ${describe(inGit)}`,
          "certificates in the cluster: unknown, because you have no permission to read Secrets",
        ];
  const inCluster = soonest(cluster.certificates);
  if (inCluster === undefined) return inGit === undefined ? [] : [`certificate in Git that expires first: ${describe(inGit)}`];
  const differ = cluster.certificates.filter(
    ({ name, sha256 }) => name !== "trust-anchor" && !certificates.some((own) => own.name === name && own.sha256 === sha256),
  );
  if (trustAnchors.asCommitted === null) return [`first certificate to expire: ${describe(inCluster)}`];
  if (inGit !== undefined && differ.length === 0)
    return [`first certificate to expire: ${describe(soonest([inGit, inCluster]) ?? inGit)}`];
  return [
    `certificate in the cluster that expires first: ${describe(inCluster)}`,
    ...(inGit === undefined ? [] : [`certificate in Git that expires first: ${describe(inGit)}`]),
    ...wrap(`certificates in the cluster that differ from Git: ${differ.map(({ name }) => name).join(", ")}`, ""),
  ];
}

function soonest(certificates: readonly CertificateRow[]): CertificateRow | undefined {
  return [...certificates].sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter))[0];
}
