import type { FieldChange } from "../components/change-rule.ts";
import { canonicalJson } from "../system/canonical.ts";
import { isMap } from "../system/data.ts";

/**
 * Names of fields whose lists have no meaningful order (API references of Kubernetes, Linkerd and Flux). Examples are
 * the rules, peers and ports of a NetworkPolicy, identities, and dependencies. In all other lists, items are compared
 * by name if every item has a unique name. Otherwise, they are compared by position.
 */
const sets = new Set([
  "dependsOn",
  "egress",
  "from",
  "identities",
  "identityRefs",
  "ingress",
  "policyTypes",
  "ports",
  "repositories",
  "requiredAuthenticationRefs",
  "resources",
  "to",
]);

/** Returns the differences between two values, field by field. */
export function compareFields(before: unknown, after: unknown, path = ""): FieldChange[] {
  if (canonical(before) === canonical(after)) return [];
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => compareFields(before[key], after[key], join(path, key)));
  }
  if (Array.isArray(before) && Array.isArray(after)) return compareLists(before, after, path);
  return [change(path, before, after)];
}

function compareLists(before: readonly unknown[], after: readonly unknown[], path: string): FieldChange[] {
  if (
    sets.has(
      path
        .replace(/\[[^\]]*\]$/, "")
        .split(".")
        .at(-1) ?? "",
    )
  )
    return compareSets(before, after, path);
  if (namesOf(before) !== null && namesOf(after) !== null) {
    const [beforeByName, afterByName] = [byName(before), byName(after)];
    const names = [...new Set([...beforeByName.keys(), ...afterByName.keys()])];
    return names.flatMap((name) => compareFields(beforeByName.get(name), afterByName.get(name), `${path}[${name}]`));
  }
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) => compareFields(before[index], after[index], `${path}[${index}]`)).flat();
}

/**
 * Returns the entries that are in only one of the lists. If exactly one entry was removed and exactly one was added,
 * returns instead the fields in which these two entries differ.
 */
function compareSets(before: readonly unknown[], after: readonly unknown[], path: string): FieldChange[] {
  const removed = without(before, after);
  const added = without(after, before);
  if (removed.length === 1 && added.length === 1) return compareFields(removed[0], added[0], `${path}[]`);
  return [
    ...removed.map((item) => change(`${path}[]`, item, undefined)),
    ...added.map((item) => change(`${path}[]`, undefined, item)),
  ];
}

function without(list: readonly unknown[], others: readonly unknown[]): unknown[] {
  const left = others.map(canonical);
  return list.filter((item) => {
    const found = left.indexOf(canonical(item));
    if (found !== -1) left.splice(found, 1);
    return found === -1;
  });
}

/** Returns the names of a list's items; null if an item has no name, or if two items have the same name. */
function namesOf(list: readonly unknown[]): string[] | null {
  const names = list.map((item) => (isMap(item) && typeof item["name"] === "string" ? item["name"] : ""));
  return names.every((name) => name !== "") && new Set(names).size === names.length ? names : null;
}

function byName(list: readonly unknown[]): Map<string, unknown> {
  const names = namesOf(list) ?? [];
  return new Map(list.map((item, index) => [names[index] ?? "", item]));
}

function change(path: string, before: unknown, after: unknown): FieldChange {
  return { path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}

export function join(path: string, key: string): string {
  const step = /^[A-Za-z0-9_$-]+$/.test(key) ? key : `"${key}"`;
  return path === "" ? step : `${path}.${step}`;
}

/**
 * Returns a value as text. Two values have the same text if they differ only in the order of keys, or in the order of
 * items in the lists of `sets`.
 */
function canonical(value: unknown): string {
  return canonicalJson(value, (key) => sets.has(key));
}
