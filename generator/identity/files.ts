import type { V1Secret } from "@kubernetes/client-node";
import { parseDocument } from "yaml";
import { secretNames } from "../catalog/well-known.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import { type Webhook, webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { type Issued, makeIssuer, makeServerCertificate, makeTrustAnchor, makeWebhookCa, privateKeyPem } from "./authority.ts";
import { secretContracts } from "./contracts.ts";

/** Files to write: path relative to the root, to text. All of them or none must reach the disk. */
export type Changes = ReadonlyMap<string, string>;

/** The encrypted files, as they are read and written. Plaintext stays in memory. */
export interface SecretStore {
  /** A file's text; null where there is none. */
  read(path: string): string | null;
  encrypt(path: string, plain: string, recipients: readonly string[]): Promise<string>;
  decrypt(path: string, text: string): Promise<string>;
  /** Gives a file to other recipients; see `updateKeys`. */
  rekey(path: string, text: string, recipients: readonly string[]): Promise<string>;
}

/** Private keys of the administrators' file, by the names they have in it. */
export interface SigningKeys {
  readonly "trust-anchor.key": string;
  /** Key of the anchor that takes over, while a rotation is under way. */
  readonly "next-trust-anchor.key"?: string;
  readonly "webhook-ca.key": string;
}

/** Everything new: anchor, issuer, webhook CA and the webhooks' certificates. */
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

/** The issuer's certificate, and its Secret with the anchor that signed it. `fresh` replaces a file that may not open. */
export async function issuerFiles(
  environment: Environment,
  issuer: Issued,
  anchor: string,
  store: SecretStore,
  fresh: boolean = false,
): Promise<[string, string][]> {
  const data = { "ca.crt": anchor, "tls.crt": issuer.certificate, "tls.key": privateKeyPem(issuer) };
  return [
    publicFile(environment.metadata.name, "issuer", issuer.certificate),
    await secret(environment, secretNames.issuer, "linkerd", data, store, fresh),
  ];
}

/** New server certificates for every webhook of the environment, and their Secrets. */
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
      { "tls.crt": server.certificate, "tls.key": privateKeyPem(server, "PKCS#8") },
      store,
      fresh,
    ),
  );
  const certificates = made.map(({ server }) => server.certificate).join("");
  return [publicFile(environment.metadata.name, "webhooks", certificates), ...(await Promise.all(secrets))];
}

/** The encrypted files of an identity, given to the recipients that the spec names; files that are not there are left out. */
export async function rekeyed(environment: Environment, store: SecretStore): Promise<Changes> {
  const { age, admin } = environment.spec.secrets;
  const { name } = environment.metadata;
  const secrets = secretContracts(environment).map((secret) => [secretFile(name, secret.name), [...age, ...admin]] as const);
  const changes = new Map<string, string>();
  for (const [path, recipients] of [[signingKeysFile(name), admin] as const, ...secrets]) {
    const text = store.read(path);
    if (text !== null) changes.set(path, await store.rekey(path, text, recipients));
  }
  return changes;
}

/** The name by which the API server calls a webhook. */
export function serverName({ service, namespace }: Webhook): string {
  return `${service}.${namespace}.svc`;
}

/** The administrators' file. It is no Kubernetes object, and no overlay names it. */
export async function signingKeys(
  { metadata, spec }: Environment,
  store: SecretStore,
  keys: SigningKeys,
): Promise<[string, string]> {
  const path = signingKeysFile(metadata.name);
  return [path, await store.encrypt(path, toYaml([{ data: keys }]), spec.secrets.admin)];
}

export function publicFile(environment: string, file: keyof typeof certificateFiles, text: string): [string, string] {
  return [`${identityFolder(environment)}/${certificateFiles[file]}`, text];
}

/** A Secret of type kubernetes.io/tls: made, or changed where it stands, so that what people wrote beside it stays. */
async function secret(
  { metadata, spec }: Environment,
  name: string,
  namespace: string,
  files: Readonly<Record<string, string>>,
  store: SecretStore,
  fresh: boolean,
): Promise<[string, string]> {
  const path = secretFile(metadata.name, name);
  const data = Object.fromEntries(Object.entries(files).map(([file, text]) => [file, Buffer.from(text).toString("base64")]));
  const standing = fresh ? null : store.read(path);
  const recipients = [...spec.secrets.age, ...spec.secrets.admin];
  // Encrypted anew, never under the data key that stands there: somebody who was taken off may have it, or have made the whole file.
  if (standing !== null)
    return [path, await store.encrypt(path, withData(await store.decrypt(path, standing), data), recipients)];
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
