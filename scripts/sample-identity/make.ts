import { spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { identityFolder, secretFile } from "../../generator/emit/layout.ts";
import { issuerSecret, webhooksOf } from "../../generator/mesh/webhooks.ts";
import { toHours } from "../../generator/spec/duration.ts";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import { certificateFiles } from "../../generator/workspace/identity-files.ts";

interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

interface Request {
  readonly commonName: string;
  readonly days: number;
  /** OpenSSL extension lines. */
  readonly extensions: readonly string[];
}

/**
 * The identity of an environment as files: public certificates, and Secrets encrypted by the real sops.
 * openssl makes the certificates; keys go through pipes and are on no disk and in no argument list.
 *
 * @param sops path of the sops binary
 * @returns path (relative to the repository root) to text
 */
export function makeIdentity(environment: Environment, sops: string): Map<string, string> {
  const { secrets, linkerd } = environment.spec;
  const { name } = environment.metadata;
  const { trustDomain, anchorValidity, issuerValidity, webhookValidity } = linkerd.identity;
  const days = (validity: string): number => Math.max(1, Math.floor(toHours(validity) / 24));
  const recipients = [...secrets.age, ...secrets.admin];
  const ca = ["keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash"];
  const anchor = issue({
    commonName: `root.linkerd.${trustDomain}`,
    days: days(anchorValidity),
    extensions: ["basicConstraints=critical,CA:TRUE", ...ca],
  });
  const issuer = issue(
    {
      commonName: `identity.linkerd.${trustDomain}`,
      days: days(issuerValidity),
      extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", ...ca],
    },
    anchor,
  );
  const webhookCa = issue({
    commonName: "webhooks.linkerd.cluster.local",
    days: days(anchorValidity),
    extensions: ["basicConstraints=critical,CA:TRUE,pathlen:0", ...ca],
  });
  const encrypt = (path: string, document: object, to: readonly string[]): [string, string] => [
    path,
    encryptWith(sops, path, document, to),
  ];
  const secret = (secretName: string, namespace: string, files: Record<string, string>): [string, string] =>
    encrypt(secretFile(name, secretName), tlsSecret(secretName, namespace, files), recipients);
  const webhook = (service: string, namespace: string): Record<string, string> => {
    const dns = `${service}.${namespace}.svc`;
    const server = issue(
      {
        commonName: dns,
        days: days(webhookValidity),
        extensions: [
          "basicConstraints=critical,CA:FALSE",
          "keyUsage=critical,digitalSignature",
          "extendedKeyUsage=serverAuth",
          `subjectAltName=DNS:${dns}`,
        ],
      },
      webhookCa,
    );
    return { "tls.crt": server.certificate, "tls.key": server.key };
  };
  const folder = identityFolder(name);
  return new Map<string, string>([
    [`${folder}/${certificateFiles.trustAnchors}`, anchor.certificate],
    [`${folder}/${certificateFiles.issuer}`, issuer.certificate],
    [`${folder}/${certificateFiles.webhookCa}`, webhookCa.certificate],
    encrypt(
      `${folder}/trust-anchor.sops.yaml`,
      { data: { "trust-anchor.key": anchor.key, "webhook-ca.key": webhookCa.key } },
      secrets.admin,
    ),
    secret(issuerSecret, "linkerd", { "ca.crt": anchor.certificate, "tls.crt": issuer.certificate, "tls.key": issuer.key }),
    ...webhooksOf(environment).map((hook) => secret(hook.secret, hook.namespace, webhook(hook.service, hook.namespace))),
  ]);
}

/** `mac_only_encrypted` keeps the MAC valid when kustomize labels the Secret; sops takes it from a creation rule alone. */
function encryptWith(sops: string, path: string, document: object, recipients: readonly string[]): string {
  return withPublicFiles((folder) => {
    const config = join(folder, "sops.yaml");
    const rule = { age: recipients.join(","), encrypted_regex: "^(data|stringData)$", mac_only_encrypted: true };
    writeFileSync(config, stringify({ creation_rules: [rule] }));
    const types = ["--input-type", "yaml", "--output-type", "yaml"];
    return run(sops, ["--config", config, "encrypt", "--filename-override", path, ...types, "/dev/stdin"], stringify(document));
  });
}

function tlsSecret(name: string, namespace: string, files: Record<string, string>): object {
  const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")]));
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, type: "kubernetes.io/tls", data };
}

/** Issues an ECDSA P-256 certificate, signed by an authority or by itself. */
function issue({ commonName, days, extensions }: Request, authority?: Certificate): Certificate {
  const key = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey.export({
    type: "sec1",
    format: "pem",
  }) as string;
  return withPublicFiles((folder) => {
    const extFile = join(folder, "extensions");
    writeFileSync(
      extFile,
      ["[ext]", ...extensions, ...(authority === undefined ? [] : ["authorityKeyIdentifier=keyid"])].join("\n"),
    );
    const csr = join(folder, "request");
    writeFileSync(csr, run("openssl", ["req", "-new", "-sha256", "-key", "/dev/stdin", "-subj", `/CN=${commonName}`], key));
    const serial = `0x${randomBytes(16).toString("hex")}`;
    const sign = [
      "x509",
      "-req",
      "-in",
      csr,
      "-sha256",
      "-days",
      String(days),
      "-set_serial",
      serial,
      "-extfile",
      extFile,
      "-extensions",
      "ext",
    ];
    if (authority === undefined) return { key, certificate: run("openssl", [...sign, "-key", "/dev/stdin"], key) };
    const caFile = join(folder, "authority");
    writeFileSync(caFile, authority.certificate);
    return { key, certificate: run("openssl", [...sign, "-CA", caFile, "-CAkey", "/dev/stdin"], authority.key) };
  });
}

/** A temporary folder for what is no secret. */
function withPublicFiles<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "meshops-identity-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs a command that reads its input from /dev/stdin. Node gives children a socket, which cannot be opened by that name: `cat` makes a pipe. */
function run(command: string, args: readonly string[], input: string): string {
  const { status, stdout, stderr, error } = spawnSync("sh", ["-c", 'cat | "$0" "$@"', command, ...args], {
    input,
    encoding: "utf8",
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr}`);
  return stdout;
}
