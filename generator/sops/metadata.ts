import { isMap } from "../system/data.ts";
import { compareText } from "../system/text.ts";
import { defaultRule, type EncryptionRule, ruleKinds } from "./encryption-rule.ts";
import { SopsError } from "./error.ts";

/** The data key, encrypted to one age recipient as an armored age file. */
export interface AgeEntry {
  readonly recipient: string;
  readonly enc: string;
}

/** Metadata of an encrypted file, under the key `sops`. */
export interface Metadata {
  readonly age: readonly AgeEntry[];
  /**
   * Entries of key services other than age. Each entry contains the same data key, encrypted by a key service. meshops
   * does not change these entries.
   */
  readonly others: Readonly<Record<string, unknown>>;
  /**
   * Time of the last change in RFC 3339, exactly as written in the file. The MAC is valid only together with this text.
   */
  readonly lastModified: string;
  readonly mac: string;
  readonly rule: EncryptionRule;
  /** Whether the MAC covers only the encrypted values. */
  readonly macOnlyEncrypted: boolean;
  readonly version: string;
}

/** The sops version whose file format meshops writes. */
export const formatVersion = "3.13.3";

/**
 * Key services that sops supports but meshops does not support. Maps each field of the metadata to the name of its key
 * service.
 */
const services: Readonly<Record<string, string>> = {
  kms: "AWS KMS",
  gcp_kms: "Google Cloud KMS",
  hckms: "Huawei Cloud KMS",
  azure_kv: "Azure Key Vault",
  hc_vault: "HashiCorp Vault",
  pgp: "PGP",
};

/**
 * Reads the metadata of a file.
 *
 * @throws SopsError (unsupported) if the sops binary supports the file but meshops does not; (syntax) if the metadata
 *   is invalid; (tampered) if the metadata has no MAC
 */
export function readMetadata(value: unknown): Metadata {
  if (!isMap(value)) throw new SopsError("syntax", 'the key "sops" is not a map');
  const text = (key: string): string => {
    const found = value[key];
    if (found === undefined || found === null || found === "") return "";
    if (typeof found !== "string") throw new SopsError("syntax", `"sops.${key}" is not a string`);
    return found;
  };
  refuseUnsupported(value);
  const given = ruleKinds.filter((kind) => text(kind) !== "");
  if (given.length > 1)
    throw new SopsError("syntax", `the metadata of the file may contain only one of the fields ${given.join(" and ")}`);
  const [kind] = given;
  const mac = text("mac");
  const lastModified = text("lastmodified");
  if (mac === "") throw new SopsError("tampered", "the file has no MAC");
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[-+]\d\d:\d\d)$/.test(lastModified))
    throw new SopsError("syntax", '"sops.lastmodified" is not a time such as 2026-01-31T12:00:00Z');
  return {
    age: ageEntries(value["age"]),
    others: Object.fromEntries(
      Object.entries(value).filter(([key, entries]) => key in services && Array.isArray(entries) && entries.length > 0),
    ),
    lastModified,
    mac,
    rule: kind === undefined ? defaultRule : { kind, value: text(kind) },
    macOnlyEncrypted: /^(true|1)$/i.test(text("mac_only_encrypted")),
    version: text("version"),
  };
}

function refuseUnsupported(value: Readonly<Record<string, unknown>>): void {
  const shamir = value["key_groups"];
  if (Array.isArray(shamir) && shamir.length > 0)
    throw new SopsError(
      "unsupported",
      "meshops does not support files with key groups (Shamir's secret sharing)",
      "use the sops binary",
    );
  for (const kind of ["encrypted_comment_regex", "unencrypted_comment_regex"])
    if (typeof value[kind] === "string" && value[kind] !== "")
      throw new SopsError(
        "unsupported",
        `meshops does not support files in which comments select the encrypted values (${kind})`,
        "use the sops binary",
      );
}

function ageEntries(value: unknown): AgeEntry[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SopsError("syntax", '"sops.age" is not a list');
  return value.map((entry: unknown) => {
    if (!isMap(entry) || typeof entry["recipient"] !== "string" || typeof entry["enc"] !== "string")
      throw new SopsError("syntax", 'an item of "sops.age" has no recipient or no data key');
    return { recipient: entry["recipient"], enc: entry["enc"] };
  });
}

/** Returns the names of the key services, other than age, that can decrypt a file. */
export function otherServices({ others }: Metadata): string[] {
  return Object.keys(others).map((key) => services[key] ?? key);
}

/**
 * Whether a file has the expected entries of key services other than age. If `azureKeyVault` is given, the file must
 * have exactly one such entry, for this key. Otherwise, the file must have no such entry.
 */
export function keyServicesMatch({ others }: Metadata, azureKeyVault: string | undefined): boolean {
  const keys = Object.entries(others).flatMap(([service, entries]) =>
    (entries as unknown[]).map((entry) => {
      const { vault_url: url, name, version } = (isMap(entry) ? entry : {}) as Record<string, unknown>;
      return service === "azure_kv" ? `${String(url).replace(/\/$/, "")}/keys/${String(name)}/${String(version)}` : service;
    }),
  );
  return JSON.stringify(keys) === JSON.stringify(azureKeyVault === undefined ? [] : [azureKeyVault]);
}

/** Converts the metadata to the form in which it is written to a file. The keys are sorted by name, as in sops. */
export function writeMetadata(metadata: Metadata): Record<string, unknown> {
  const { age, others, lastModified, mac, rule, macOnlyEncrypted, version } = metadata;
  const written: Readonly<Record<string, unknown>> = {
    ...others,
    ...(age.length === 0 ? {} : { age: age.map(({ recipient, enc }) => ({ enc, recipient })) }),
    lastmodified: lastModified,
    mac,
    [rule.kind]: rule.value,
    ...(macOnlyEncrypted ? { mac_only_encrypted: true } : {}),
    version,
  };
  return Object.fromEntries(Object.entries(written).sort(([a], [b]) => compareText(a, b)));
}
