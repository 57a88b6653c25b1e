import { isMap, isSeq, parseDocument } from "yaml";
import { identityFolder, overlayFolder } from "../spec/layout.ts";

/**
 * Returns the field `path_regex` of the two creation rules in `.sops.yaml` that meshops generates for an environment.
 * The first rule is for the Secrets in the overlay, and the second rule is for the file with the signing keys.
 */
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
 * Copies the creation rules of an environment for the environment `copy`, and returns the new text of `.sops.yaml`. If
 * `copy` already has one of the two rules, the function does not add this rule again.
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

/** Returns the text of `.sops.yaml` without the creation rules that meshops generated for an environment. */
export function withoutRules(text: string, environment: string): string {
  const document = parseDocument(text);
  const rules = document.get("creation_rules");
  if (!isSeq(rules)) return text;
  const own = new Set<unknown>(rulePatterns(environment));
  rules.items = rules.items.filter((rule) => !isMap(rule) || !own.has(rule.get("path_regex")));
  return document.toString({ lineWidth: 0 });
}
