import { secretNames, trustBundle } from "../../catalog/well-known.ts";
import { annotationsOf, chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";

import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about certificates of the mesh that cert-manager or another program issues, and about the issuer's key. */
export const identityRules: readonly ManifestRule[] = [
  {
    code: "trust-anchor-renewed",
    severity: "warning",
    title: "cert-manager replaces the trust anchor in one step",
    why:
      "cert-manager renews a self-signed Certificate automatically. By default, the new certificate has a new private key (`privateKey.rotationPolicy: Always`). If this Certificate is the only source of Linkerd's trust anchors, the new trust anchor replaces the old trust anchor in one step. " +
      "Proxies read trust anchors only when they start. Pods that started before the renewal and pods that started after the renewal therefore do not trust each other.",
    fix: "Create the trust anchor once, outside of cert-manager. As an alternative, let a trust-manager Bundle write the trust bundle from two sources: the current trust anchor and the previous trust anchor.",
    check: renewedAnchors,
  },
  {
    code: "trust-bundle-missing",
    severity: "warning",
    title: "No checked object creates the ConfigMap with the trust anchors",
    why: "With `identity.externalCA: true`, Linkerd's chart does not write the ConfigMap linkerd-identity-trust-roots (linkerd-control-plane, templates/identity.yaml). Linkerd's pods and all proxies read this ConfigMap. Without this ConfigMap, the pods do not start.",
    fix: "Add a ConfigMap, or a trust-manager Bundle, with the name linkerd-identity-trust-roots. If another program creates the ConfigMap in the cluster, silence the rule.",
    check: missingBundles,
  },
  {
    code: "issuer-key-plaintext",
    severity: "error",
    title: "The issuer's private key is in plaintext",
    why: "A person who can read the private key of the issuer can issue certificates for every identity of the mesh. After a key was pushed, the key stays in the history of the Git repository. If the key is a Helm value, Helm also stores the key in the Secret of the Helm release.",
    fix: "Create a new issuer. Encrypt the Secret of the new issuer, for example with SOPS, or let cert-manager write this Secret.",
    check: plaintextKeys,
  },
];

const certificates = "cert-manager.io";
const trustRoots = trustBundle.name;

function* renewedAnchors(stream: ManifestSet): Iterable<ManifestFinding> {
  const issuers = stream.ofKind(certificates, "Issuer", "ClusterIssuer");
  const named = (reference: unknown): Manifest | undefined => {
    const { name, kind = "Issuer" } = asMap(reference);
    return issuers.find((issuer) => issuer.name === name && issuer.kind === kind);
  };
  const secrets = secretsOfAnchors(stream, named);
  for (const manifest of stream.ofKind(certificates, "Certificate")) {
    const { isCA, secretName, issuerRef, privateKey } = specOf(manifest);
    const issuer = named(issuerRef);
    if (isCA !== true || issuer === undefined || !("selfSigned" in specOf(issuer))) continue;
    if (at(privateKey, "rotationPolicy") === "Never" || !secrets.has(String(secretName))) continue;
    yield {
      manifest,
      path: ["spec", "issuerRef"],
      message: `when cert-manager renews this Certificate, it replaces the trust anchor of Linkerd in one step (Secret ${String(secretName)}). Running pods and new pods then do not trust each other`,
      fix: "create the trust anchor outside of cert-manager, or let trust-manager also keep the previous trust anchor in the trust bundle",
    };
  }
}

/** Returns the names of Secrets that are the only source of Linkerd's trust anchors. */
function secretsOfAnchors(stream: ManifestSet, named: (reference: unknown) => Manifest | undefined): ReadonlySet<string> {
  const bundles = stream.ofKind("trust.cert-manager.io", "Bundle").filter(({ name }) => name === trustRoots);
  const sources = bundles.flatMap((bundle) => listAt(specOf(bundle), "sources").map(asMap));
  if (sources.length > 1) return new Set();
  const ofBundle = sources.map((source) => at(source["secret"], "name"));
  const ofIssuer = stream
    .ofKind(certificates, "Certificate")
    .filter((certificate) => specOf(certificate)["secretName"] === secretNames.issuer)
    .flatMap((certificate) => named(specOf(certificate)["issuerRef"]) ?? [])
    .map((issuer) => at(specOf(issuer)["ca"], "secretName"));
  const ofChart = controlPlanes(stream)
    .flatMap((release) => listAt(specOf(release), "valuesFrom").map(asMap))
    .filter(({ kind, targetPath }) => kind === "Secret" && targetPath === "identityTrustAnchorsPEM")
    .map(({ name }) => name);
  return new Set([...ofBundle, ...ofIssuer, ...ofChart].filter((name) => name !== undefined).map(String));
}

function* missingBundles(stream: ManifestSet): Iterable<ManifestFinding> {
  const written = [...stream.named("", "ConfigMap", trustRoots), ...stream.named("trust.cert-manager.io", "Bundle", trustRoots)];
  if (written.length > 0) return;
  for (const manifest of controlPlanes(stream)) {
    if (at(specOf(manifest)["values"], "identity", "externalCA") !== true) continue;
    yield {
      manifest,
      path: ["spec", "values", "identity", "externalCA"],
      message: `no checked object creates the ConfigMap ${trustRoots}. With externalCA: true, Linkerd's chart does not create this ConfigMap`,
      fix: `add a ConfigMap or a trust-manager Bundle with the name ${trustRoots}`,
    };
  }
}

// Each finding points to the name of the object. A finding that points to the private key would print the key.
function* plaintextKeys(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of controlPlanes(stream)) {
    const key = at(specOf(manifest)["values"], "identity", "issuer", "tls", "keyPEM");
    if (isPrivateKey(key))
      yield {
        manifest,
        path: ["metadata", "name"],
        message: "the private key of the issuer is a plaintext value of this HelmRelease (identity.issuer.tls.keyPEM)",
        fix: "create a new issuer, store its key in an encrypted Secret, and set identity.issuer.scheme: kubernetes.io/tls",
      };
  }
  for (const manifest of stream.named("", "Secret", secretNames.issuer)) {
    // Ignore the Secret in a rendered chart. This Secret always contains the key, but users do not store rendered
    // charts in Git.
    if ("linkerd.io/created-by" in annotationsOf(manifest)) continue;
    for (const field of ["data", "stringData"])
      for (const [name, value] of Object.entries(asMap(manifest.value[field])))
        if (isPrivateKey(value))
          yield {
            manifest,
            path: ["metadata", "name"],
            message: `this Secret contains the private key of the issuer in plaintext (${field}.${name})`,
            fix: "create a new issuer, and encrypt the Secret of the new issuer",
          };
  }
}

/** Whether a value is a private key in PEM form, with or without Base64 encoding. */
function isPrivateKey(value: unknown): boolean {
  if (typeof value !== "string") return false;
  return [value, Buffer.from(value, "base64").toString()].some((text) =>
    /-----BEGIN (?!ENCRYPTED )[A-Z ]*PRIVATE KEY-----/.test(text),
  );
}

function controlPlanes(stream: ManifestSet): Manifest[] {
  const releases = stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease");
  return releases.filter((release) => chartOf(release)["chart"] === "linkerd-control-plane");
}
