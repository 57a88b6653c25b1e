import type { V1Secret } from "@kubernetes/client-node";
import { parseDocument } from "yaml";
import { secretNames, tlsKeys } from "../catalog/well-known.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { type Webhook, webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { type Issued, makeIssuer, makeServerCertificate, makeTrustAnchor, makeWebhookCa, privateKeyPem } from "./authority.ts";
import { secretContracts } from "./contracts.ts";

/**
 * Files to write. The keys are paths relative to the repository root, and the values are the new texts. The caller must
 * write either all files or no file (see `writeChanges`).
 */
export type Changes = ReadonlyMap<string, string>;

/** Reads, decrypts and encrypts the encrypted files of an environment. Never writes plaintext to disk. */
export interface SecretStore {
  /** Returns the text of a file as it is on disk. Returns null if the file does not exist. */
  read(path: string): string | null;
  encrypt(path: string, plain: string, recipients: readonly string[]): Promise<string>;
  decrypt(path: string, text: string): Promise<string>;
  /** Returns the text of a file after a change of its recipients (see `updateKeys`). */
  rekey(path: string, text: string, recipients: readonly string[]): Promise<string>;
}

/** Private keys in the file with the signing keys, which only the administrators can decrypt. */
export interface SigningKeys {
  readonly "trust-anchor.key": string;
  /**
   * Private key of the new trust anchor. The file contains this key only between steps 1 and 2 of a trust anchor
   * rotation.
   */
  readonly "next-trust-anchor.key"?: string;
  readonly "webhook-ca.key": string;
}

/**
 * Creates the certificates and keys of a new identity: the trust anchor, the issuer, the CA of the webhooks, and one
 * server certificate per webhook. Returns the files with these certificates and keys.
 */
export async function newIdentity(environment: Environment, store: SecretStore, now: Date): Promise<Changes> {
  const { name } = environment.metadata;
  const names = environment.spec.linkerd.identity;
  const anchor = makeTrustAnchor(names, now);
  const webhookCa = makeWebhookCa(names, now);
  const keys: SigningKeys = { "trust-anchor.key": privateKeyPem(anchor), "webhook-ca.key": privateKeyPem(webhookCa) };
  return new Map([
    publicFile(name, "trustAnchors", anchor.certificate),
    publicFile(name, "webhookCa", webhookCa.certificate),
    await signingKeys(environment, store, keys),
    ...(await issuerFiles(environment, makeIssuer(names, anchor, now), anchor.certificate, store, true)),
    ...(await webhookFiles(environment, webhookCa, store, now, true)),
  ]);
}

/**
 * Returns the file with the issuer's certificate, and the issuer's Secret. The Secret contains the trust anchor that
 * signed the issuer.
 *
 * @param fresh whether to replace the Secret's file without decrypting the existing file. Must be true if no available
 * key can decrypt the existing file
 */
export async function issuerFiles(
  environment: Environment,
  issuer: Issued,
  anchor: string,
  store: SecretStore,
  fresh: boolean = false,
): Promise<[string, string][]> {
  const data = {
    [tlsKeys.anchor]: anchor,
    [tlsKeys.certificate]: issuer.certificate,
    [tlsKeys.privateKey]: privateKeyPem(issuer),
  };
  return [
    publicFile(environment.metadata.name, "issuer", issuer.certificate),
    await secret(environment, secretNames.issuer, "linkerd", data, store, fresh),
  ];
}

/**
 * Creates a server certificate and a Secret for every webhook of the environment. Returns the file with all these
 * certificates, and the encrypted files of the Secrets. See `issuerFiles` for `fresh`.
 */
export async function webhookFiles(
  environment: Environment,
  ca: Issued,
  store: SecretStore,
  now: Date,
  fresh: boolean = false,
): Promise<[string, string][]> {
  const made = webhooksOf(environment).map((webhook) => ({
    webhook,
    server: makeServerCertificate(serverName(webhook), environment.spec.linkerd.identity, ca, now),
  }));
  const secrets = made.map(({ webhook, server }) =>
    secret(
      environment,
      webhook.secret,
      webhook.namespace,
      { [tlsKeys.certificate]: server.certificate, [tlsKeys.privateKey]: privateKeyPem(server, "PKCS#8") },
      store,
      fresh,
    ),
  );
  const certificates = made.map(({ server }) => server.certificate).join("");
  return [publicFile(environment.metadata.name, "webhooks", certificates), ...(await Promise.all(secrets))];
}

/**
 * Changes the recipients of an identity's encrypted files to the recipients in the spec. Returns the changed files.
 * Skips files that do not exist.
 */
export async function reencryptAll(environment: Environment, store: SecretStore): Promise<Changes> {
  const { age, admin } = recipientsOf(environment);
  const { name } = environment.metadata;
  const secrets = secretContracts(environment).map((secret) => [secretFile(name, secret.name), [...age, ...admin]] as const);
  const changes = new Map<string, string>();
  for (const [path, recipients] of [[signingKeysFile(name), admin] as const, ...secrets]) {
    const text = store.read(path);
    if (text !== null) changes.set(path, await store.rekey(path, text, recipients));
  }
  return changes;
}

/** Returns the DNS name that the API server uses to call a webhook. */
export function serverName({ service, namespace }: Webhook): string {
  return `${service}.${namespace}.svc`;
}

/**
 * Encrypts the signing keys to the administrators. Returns the path and the text of the file. The file does not contain
 * a Kubernetes object, and no overlay refers to the file.
 */
export async function signingKeys(environment: Environment, store: SecretStore, keys: SigningKeys): Promise<[string, string]> {
  const path = signingKeysFile(environment.metadata.name);
  return [path, await store.encrypt(path, toYaml([{ data: keys }]), recipientsOf(environment).admin)];
}

export function publicFile(environment: string, file: keyof typeof certificateFiles, text: string): [string, string] {
  return [`${identityFolder(environment)}/${certificateFiles[file]}`, text];
}

/**
 * Returns the path and the encrypted text of a Secret of type kubernetes.io/tls. If the file of the Secret already
 * exists and `fresh` is false, only the given keys of `data` change. Other fields, which users may have added, stay the
 * same.
 */
async function secret(
  environment: Environment,
  name: string,
  namespace: string,
  files: Readonly<Record<string, string>>,
  store: SecretStore,
  fresh: boolean,
): Promise<[string, string]> {
  const path = secretFile(environment.metadata.name, name);
  const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")]));
  const existing = fresh ? null : store.read(path);
  const { age, admin } = recipientsOf(environment);
  const recipients = [...age, ...admin];
  // Encrypt with a new data key. A recipient who was removed might know the data key of the existing file, because this
  // recipient could decrypt or even create the file.
  if (existing !== null)
    return [path, await store.encrypt(path, withData(await store.decrypt(path, existing), data), recipients)];
  const object = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    type: "kubernetes.io/tls",
    data,
  } satisfies V1Secret;
  return [path, await store.encrypt(path, toYaml([object]), recipients)];
}

function withData(plain: string, data: Readonly<Record<string, string>>): string {
  const document = parseDocument(plain);
  for (const [key, value] of Object.entries(data)) document.setIn(["data", key], value);
  return document.toString({ lineWidth: 0 });
}
