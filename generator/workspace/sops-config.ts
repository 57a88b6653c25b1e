import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, isSeq, parseDocument, YAMLSeq } from "yaml";
import { identityFolder, overlayFolder } from "../emit/layout.ts";
import { type EncryptionRule, goPattern, ruleKinds, secretRule } from "../sops/rule.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../user-error.ts";

export const sopsConfigFile = ".sops.yaml";

/** How a file is encrypted, as a creation rule says. */
export interface CreationRule {
  readonly recipients: readonly string[];
  readonly rule: EncryptionRule;
  readonly macOnlyEncrypted: boolean;
}

/**
 * The text of `.sops.yaml` with the rules of an environment's identity, by which the real sops encrypts and re-keys the same files. Rules for
 * other files, and comments, stay.
 */
export function withCreationRules(text: string | null, { metadata, spec }: Environment): string {
  const { age, admin, azureKeyVault } = spec.secrets;
  const common = { encrypted_regex: secretRule.value, mac_only_encrypted: true };
  const literal = (path: string): string => path.replaceAll(".", "\\.");
  const vault = azureKeyVault === undefined ? {} : { azure_keyvault: azureKeyVault };
  const wanted = [
    {
      path_regex: `^${literal(overlayFolder(metadata.name, "identity"))}/.*\\.sops\\.yaml$`,
      age: [...age, ...admin].join(","),
      ...vault,
      ...common,
    },
    { path_regex: `^${literal(identityFolder(metadata.name))}/.*\\.sops\\.yaml$`, age: admin.join(","), ...common },
  ];
  const document = parseDocument(text ?? "# Who can open which encrypted file; sops and meshops read it.\ncreation_rules: []\n");
  if (!isSeq(document.get("creation_rules"))) document.set("creation_rules", new YAMLSeq());
  const rules = document.get("creation_rules") as YAMLSeq;
  rules.flow = false;
  for (const rule of wanted) {
    const index = rules.items.findIndex((item) => isMap(item) && item.get("path_regex") === rule.path_regex);
    if (index === -1) rules.add(document.createNode(rule));
    else rules.set(index, document.createNode(rule));
  }
  return document.toString({ lineWidth: 0 });
}

/**
 * The creation rule for a file: the first whose `path_regex` matches, as sops takes it.
 *
 * @throws UserError where no rule matches, or it names what only the sops binary can do
 */
export function creationRuleFor(root: string, path: string): CreationRule {
  const rules = readRules(root);
  const found = rules.find(({ path_regex: pattern }) => pattern === undefined || goPattern(String(pattern))(path));
  if (found === undefined)
    throw new UserError(
      exitCode.problem,
      `no creation rule of ${sopsConfigFile} is for ${path}`,
      "add one, or name recipients with --age",
    );
  for (const key of ["key_groups", "kms", "gcp_kms", "azure_keyvault", "hc_vault_transit_uri", "pgp"])
    if (found[key] !== undefined)
      throw new UserError(
        exitCode.problem,
        `the creation rule for ${path} names ${key}, which only the sops binary knows`,
        `sops encrypt ${path}`,
      );
  const kinds = ruleKinds.filter((kind) => found[kind] !== undefined);
  const [kind] = kinds;
  return {
    recipients: [found["age"] ?? []]
      .flat()
      .flatMap((item) => String(item).split(","))
      .map((item) => item.trim())
      .filter(Boolean),
    rule: kind === undefined ? { kind: "unencrypted_suffix", value: "_unencrypted" } : { kind, value: String(found[kind]) },
    macOnlyEncrypted: found["mac_only_encrypted"] === true,
  };
}

function readRules(root: string): Record<string, unknown>[] {
  try {
    const { creation_rules: rules } = parseDocument(readFileSync(join(root, sopsConfigFile), "utf8")).toJS() as {
      creation_rules?: Record<string, unknown>[];
    };
    return rules ?? [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
