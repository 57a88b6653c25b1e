import { secretNames } from "./well-known.ts";

/**
 * PEM format of a private key. The label of the PEM block identifies the format (RFC 7468 section 10, RFC 5915, RFC
 * 8017).
 */
export type KeyForm = "PKCS#8" | "SEC1" | "PKCS#1";

/** A program that reads the private key of a Secret, and the formats that the program accepts. */
export interface KeyReader {
  readonly secret: string;
  /** Container and workload that mount the Secret. */
  readonly reader: string;
  readonly accepts: readonly KeyForm[];
  /** Format that meshops writes. */
  readonly writes: KeyForm;
  /** Source file that shows the accepted formats. */
  readonly source: string;
}

const goForms = ["SEC1", "PKCS#1", "PKCS#8"] as const;
const goTls = "crypto/tls.LoadX509KeyPair (Go)";

/**
 * Programs in the cluster that read private keys from mounted Secrets.
 *
 * meshops writes the keys of the webhooks as PKCS#8, the only format that every reader accepts. Linkerd's documentation
 * configures cert-manager for the same format ("Automatically Rotating Webhook TLS Credentials"). meshops writes the
 * issuer's key as SEC1, the format that `step` creates in Linkerd's documentation.
 */
export const keyReaders: readonly KeyReader[] = [
  {
    secret: secretNames.issuer,
    reader: "container `identity` of linkerd-identity",
    accepts: goForms,
    writes: "SEC1",
    source: "linkerd2 pkg/tls/codec.go, DecodePEMKey",
  },
  {
    secret: secretNames.policyValidator,
    reader: "container `policy` of linkerd-destination",
    accepts: ["PKCS#8", "PKCS#1"],
    writes: "PKCS#8",
    source: "kubert server/tls_rustls.rs, load_private_key",
  },
  {
    secret: secretNames.proxyInjector,
    reader: "container `proxy-injector` of linkerd-proxy-injector",
    accepts: goForms,
    writes: "PKCS#8",
    source: goTls,
  },
  {
    secret: secretNames.profileValidator,
    reader: "container `sp-validator` of linkerd-destination",
    accepts: goForms,
    writes: "PKCS#8",
    source: goTls,
  },
  { secret: secretNames.tap, reader: "container `tap` of the Deployment tap", accepts: goForms, writes: "PKCS#8", source: goTls },
  {
    secret: secretNames.tapInjector,
    reader: "container `tap-injector` of the Deployment tap-injector",
    accepts: goForms,
    writes: "PKCS#8",
    source: goTls,
  },
  {
    secret: secretNames.jaegerInjector,
    reader: "container `jaeger-injector` of the Deployment jaeger-injector",
    accepts: goForms,
    writes: "PKCS#8",
    source: goTls,
  },
];

/**
 * Returns the program that reads a Secret's private key.
 *
 * @throws Error if the catalog lists no reader of the Secret
 */
export function keyReader(secret: string): KeyReader {
  const found = keyReaders.find((reader) => reader.secret === secret);
  if (found === undefined) throw new Error(`the catalog has no reader of Secret ${secret}`);
  return found;
}
