import { isMap, isSeq, parseDocument } from "yaml";
import { identityFolder, overlayFolder } from "../spec/layout.ts";

/** `path_regex` of the two creation rules of an environment: the rule for Secrets, and the rule for signing keys. */
export function rulePatterns(environment: string): readonly [secrets: string, signingKeys: string] {
  const literal = (path: string): string => path.replaceAll(".", "\\.");
  return [
    `^${literal(overlayFolder(environment, "identity"))}/.*\\.sops\\.yaml$`,
    `^${literal(identityFolder(environment))}/.*\\.sops\\.yaml$`,
  ];
}

/** Whether a `path_regex` is one of the two patterns that `rulePatterns` returns for an environment. */
export function isIdentityPattern(pattern: string): boolean {
  const [, name = ""] = /^\^(?:overlays|environments)\/([^/]+)\/identity\//.exec(pattern) ?? [];
  return rulePatterns(name).includes(pattern);
}

/**
 * Copies an environment's creation rules for an environment with another name. Rules that already exist are not added.
 */
export function withCopiedRules(text: string, environment: string, copy: string): string {
  const document = parseDocument(text);
  const rules = document.get("creation_rules");
  if (!isSeq(rules)) return text;
  const has = (pattern: string): boolean => rules.items.some((rule) => isMap(rule) && rule.get("path_regex") === pattern);
  const added = rulePatterns(environment).flatMap((pattern, index) => {
    const wanted = rulePatterns(copy)[index] ?? "";
    const rule = rules.items.find((item) => isMap(item) && item.get("path_regex") === pattern);
    if (!isMap(rule) || has(wanted)) return [];
    const clone = rule.clone() as typeof rule;
    clone.set("path_regex", wanted);
    return [clone];
  });
  rules.items.unshift(...added);
  return document.toString({ lineWidth: 0 });
}

/** Removes an environment's creation rules. */
export function withoutRules(text: string, environment: string): string {
  const document = parseDocument(text);
  const rules = document.get("creation_rules");
  if (!isSeq(rules)) return text;
  const own = new Set<unknown>(rulePatterns(environment));
  rules.items = rules.items.filter((rule) => !isMap(rule) || !own.has(rule.get("path_regex")));
  return document.toString({ lineWidth: 0 });
}
