import { join } from "node:path";
import { isMap, isSeq, parseDocument, YAMLSeq } from "yaml";
import { defaultRule, type EncryptionRule, ruleKinds, secretRule } from "../sops/encryption-rule.ts";
import { goPattern } from "../sops/match.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { recipientsOf } from "../spec/ownership.ts";
import { canonicalJson } from "../system/canonical.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { readIfExists } from "../system/files.ts";
import { isIdentityPattern, rulePatterns } from "./environment-rules.ts";

export const sopsConfigFile = ".sops.yaml";

/** Settings of a creation rule in `.sops.yaml`. The settings apply when a file is encrypted. */
export interface CreationRule {
  readonly recipients: readonly string[];
  readonly rule: EncryptionRule;
  readonly macOnlyEncrypted: boolean;
}

function sameRule(a: object, b: object): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/**
 * Returns the text of `.sops.yaml` with the creation rules for the identity files of an environment. With these rules,
 * users can also encrypt the files, and change the recipients of the files, with the sops binary. All other rules and
 * all comments stay the same.
 *
 * @param text the existing text, or null if the file does not exist
 */
export function withCreationRules(text: string | null, environment: Environment): string {
  const { metadata } = environment;
  const { age, admin, azureKeyVault } = recipientsOf(environment);
  const common = { encrypted_regex: secretRule.value, mac_only_encrypted: true };
  const [secretsPattern, signingPattern] = rulePatterns(metadata.name);
  const vault = azureKeyVault === undefined ? {} : { azure_keyvault: azureKeyVault };
  const wanted = [
    {
      path_regex: secretsPattern,
      age: [...age, ...admin].join(","),
      ...vault,
      ...common,
    },
    { path_regex: signingPattern, age: admin.join(","), ...common },
  ];
  const document = parseDocument(
    text ?? "# Recipients that can decrypt each encrypted file. sops and meshops read this file.\ncreation_rules: []\n",
  );
  if (document.errors.length > 0) throw broken();
  if (!isSeq(document.get("creation_rules"))) document.set("creation_rules", new YAMLSeq());
  const rules = document.get("creation_rules") as YAMLSeq;
  rules.flow = false;
  const isWanted = (item: unknown): boolean => isMap(item) && wanted.some((rule) => sameRule(rule, item.toJSON()));
  const own = ownRules(rules, metadata.name);
  if (text !== null && own.length === wanted.length && own.every(isWanted)) return text;
  const patterns: readonly unknown[] = wanted.map((rule) => rule.path_regex);
  const rest = rules.items.filter((item) => !isMap(item) || !patterns.includes(item.get("path_regex")));
  const nodes = wanted.map((rule) => document.createNode(rule));
  // sops uses the first rule that matches a file. New rules are therefore inserted before all other rules. If
  // `ownRules` finds existing rules of the environment, the new rules are inserted at the position of the first
  // existing rule instead, and replace the existing rules.
  const at = own[0] === undefined ? 0 : rules.items.indexOf(own[0]);
  rules.items = [...rest.slice(0, at), ...nodes, ...rest.slice(at)];
  return document.toString({ lineWidth: 0 });
}

/**
 * Returns the rules for the identity files of an environment. If these rules follow a rule that is not for identity
 * files, returns an empty list, because that rule could match the same files.
 */
function ownRules(rules: YAMLSeq, environment: string): unknown[] {
  const patterns: readonly unknown[] = rulePatterns(environment);
  const own = rules.items.filter((item) => isMap(item) && patterns.includes(item.get("path_regex")));
  const before = rules.items.slice(0, Math.max(0, ...own.map((item) => rules.items.indexOf(item))));
  const harmless = before.every((item) => isMap(item) && isIdentityPattern(String(item.get("path_regex"))));
  return harmless ? own : [];
}

/**
 * Returns the creation rule for a file: the first rule in `.sops.yaml` that has no `path_regex`, or whose `path_regex`
 * matches the path. sops selects the rule in the same way.
 *
 * @throws UserError if no rule matches, if the rule is invalid, or if the rule contains a field that only the sops
 * binary supports
 */
export function creationRuleFor(root: string, path: string): CreationRule {
  const rules = readRules(root);
  const found = rules.find(({ path_regex: pattern }) => pattern === undefined || goPattern(String(pattern))(path));
  if (found === undefined)
    throw new UserError(
      exitCode.problem,
      `no creation rule in ${sopsConfigFile} matches ${path}`,
      "add a creation rule for this path, or specify the recipients with --age",
    );
  for (const key of [
    "key_groups",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "hc_vault_transit_uri",
    "pgp",
    "encrypted_comment_regex",
    "unencrypted_comment_regex",
  ])
    if (found[key] !== undefined)
      throw new UserError(
        exitCode.problem,
        `the creation rule for ${path} uses ${key}, which only the sops binary supports`,
        `run sops encrypt ${path}`,
      );
  const kinds = ruleKinds.filter((kind) => found[kind] !== undefined);
  const [kind, second] = kinds;
  if (second !== undefined)
    throw new UserError(
      exitCode.problem,
      `the creation rule for ${path} has both ${kind} and ${second}`,
      "remove one of these fields; sops accepts only one of them",
    );
  return {
    recipients: [found["age"] ?? []]
      .flat()
      .flatMap((item) => String(item).split(","))
      .map((item) => item.trim())
      .filter(Boolean),
    rule: kind === undefined ? defaultRule : { kind, value: String(found[kind]) },
    macOnlyEncrypted: found["mac_only_encrypted"] === true,
  };
}

function readRules(root: string): Record<string, unknown>[] {
  const document = parseDocument(readIfExists(join(root, sopsConfigFile)) ?? "");
  const value = document.errors.length > 0 ? null : (document.toJS() as { creation_rules?: unknown } | null);
  const rules = value?.creation_rules ?? [];
  if (document.errors.length === 0 && Array.isArray(rules))
    return rules.filter((rule) => typeof rule === "object" && rule !== null);
  throw broken();
}

function broken(): UserError {
  return new UserError(
    exitCode.problem,
    `${sopsConfigFile} is not valid YAML, or its field creation_rules is not a list`,
    "correct the file, or move the file out of the repository",
  );
}
