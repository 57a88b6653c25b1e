import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseDocument } from "yaml";
import { Repository } from "../../generator/bundle/repository.ts";
import { loadAll } from "../../generator/commands/load.ts";
import { type Diagnostic, isActive } from "../../generator/diagnostics/diagnostic.ts";
import { setAt } from "../../generator/kubernetes/edit.ts";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Applies the fix of each finding in test/stories/diagnostics to the spec, as a user would. Then checks that the
 * finding no longer occurs. Most fixes have one of three forms: set a field to a value, replace the marked text, or
 * remove the marked key or item.
 */
const stories = join(projectRoot, "test/stories/diagnostics");

/**
 * Stories whose fix the test cannot apply. The value is the reason: either the user must make a decision, or the fix
 * does not change the spec.
 */
const needsPerson: Readonly<Record<string, string>> = {
  "age-key-shared": "creates keys",
  "age-recipient": "needs the key file",
  "age-recipient-shared": "creates keys",
  "patch-invalid": "needs the object that was meant",
  "selector-overlap": "needs a label of the pods",
  "workload-folder-missing": "needs the folder that was meant, or a file",
  "workload-namespace-helmfile": "moves a file",
  "workload-name-taken": "needs another name",
  "workload-selector-empty": "needs a label of the pods",
  "yaml-multi-document": "splits the file",
};

const schema = parse(readFileSync(join(projectRoot, "schema/environment.schema.json"), "utf8")) as Schema;

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** Whether the schema contains a field at a path. The path may contain keys of maps, and indexes of lists. */
function isField(path: readonly string[], at: Schema = schema): boolean {
  const {
    properties = {},
    additionalProperties: others,
    items,
  } = at.$ref === undefined ? at : (schema.$defs?.[at.$ref.split("/").at(-1) ?? ""] ?? {});
  const [step, ...rest] = path;
  if (step === undefined) return true;
  const next = properties[step] ?? (typeof others === "object" ? others : /^\d+$/.test(step) ? items : undefined);
  return next !== undefined && isField(rest, next);
}

/** Returns the paths of all fields in the schema, such as `spec.dgraph.alpha.replicas`. */
function fields({ properties = {} }: Schema, path: readonly string[] = []): string[][] {
  return Object.entries(properties).flatMap(([name, below]) => {
    const own = [...path, name];
    return [own, ...fields(below, own)];
  });
}

/**
 * Returns the path of the field that a fix names, such as `cluster.context`. First searches the maps that contain the
 * marked value, from the innermost map to the outermost map. If no map contains the field, searches the schema for
 * fields whose path ends with the name. If there are several such fields, returns the path that has the longest
 * beginning in common with the path of the marked value.
 *
 * @param excerptPath path of the marked value
 */
function fieldNamed(name: string, excerptPath: readonly string[]): string[] {
  const steps = name.replace(/^spec\./, "").split(".");
  for (let above = excerptPath.length; above > 0; above -= 1) {
    const near = [...excerptPath.slice(0, above), ...steps];
    if (isField(near)) return near;
  }
  const matching = fields(schema).filter((path) => path.slice(-steps.length).join(".") === steps.join("."));
  const shared = (path: readonly string[]): number => {
    const at = path.findIndex((step, index) => step !== excerptPath[index]);
    return at === -1 ? path.length : at;
  };
  const [best] = matching.sort((a, b) => shared(b) - shared(a));
  if (best === undefined) throw new Error(`no field ${name}`);
  return best;
}

/** Returns the path of the key or value at the position of a finding. */
function pathAt(text: string, { line, column }: Diagnostic): string[] {
  const lines = text.split("\n");
  const offset = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  let found: string[] = [];
  const visit = (node: unknown, path: string[]): void => {
    const { range, items } = node as { range?: [number, number, number]; items?: unknown[] };
    if (range !== undefined && range[0] <= offset && offset < range[1]) found = path;
    for (const [index, item] of (items ?? []).entries()) {
      const { key, value } = item as { key?: { value?: unknown; range?: [number, number, number] }; value?: unknown };
      if (key === undefined) visit(item, [...path, String(index)]);
      else {
        const own = [...path, String(key.value)];
        if (key.range !== undefined && key.range[0] <= offset && offset < key.range[1]) found = own;
        if (value != null) visit(value, own);
      }
    }
  };
  visit(parseDocument(text).contents, []);
  return found;
}

/** Replaces the text that a finding marks with another text. */
function replaceMarked(text: string, { line, column, excerpt }: Diagnostic, by: string): string {
  const lines = text.split("\n");
  const row = lines[line - 1] ?? "";
  const length = Number(excerpt?.length ?? 0) || (/^[^\s,}\]:]+/.exec(row.slice(column - 1))?.[0].length ?? 0);
  lines[line - 1] = `${row.slice(0, column - 1)}${by}${row.slice(column - 1 + length)}`;
  return lines.join("\n");
}

/** Applies the fix of a finding to the text of a spec. Returns null if this function does not support the fix. */
function applied(text: string, finding: Diagnostic): string | null {
  const fix = finding.fix ?? "";
  const path = pathAt(text, finding);
  const set = (field: readonly string[], value: unknown): string => {
    const document = parseDocument(text);
    setAt(document, [...field], value);
    return document.toString();
  };
  const [, meant] = /^did you mean "(.*)"\?$/.exec(fix) ?? [];
  if (meant !== undefined) return replaceMarked(text, finding, meant);
  const [, missing] = /^add the missing (.) above this line$/.exec(fix) ?? [];
  if (missing !== undefined) {
    const lines = text.split("\n");
    return lines.map((row, index) => (index === finding.line - 2 ? row + missing : row)).join("\n");
  }
  const [, quoted] = /^quote the value: (".*")$/.exec(fix) ?? [];
  if (quoted !== undefined) return replaceMarked(text, finding, quoted);
  const [, example] = /^(?:use|set|give) .*such as (\S+)$/.exec(fix) ?? [];
  if (example !== undefined) return set(path, parse(example));
  const [, image] = /^use (\S+\/\S+), which /.exec(fix) ?? [];
  if (image !== undefined) return set(path, image);
  const [, release] = /^use (edge-[\d.]+),/.exec(fix) ?? [];
  if (release !== undefined) return set(["spec", "linkerd", "version"], release);
  const [, entry, list] = /^add (\{.*\}) to ([\w.]+)$/.exec(fix) ?? [];
  if (list !== undefined && entry !== undefined) {
    const field = fieldNamed(list, path);
    const known = (parseDocument(text).getIn(field) as { toJSON?: () => unknown[] } | undefined)?.toJSON?.() ?? [];
    return set(field, [...known, parse(entry)]);
  }
  const [, name, value] =
    /^(?:first |move .*, then |wait .*, then )?set ([\w.]+): ("[^"]*"|\[.*?\]|\{.*?\}|[^,;]+?)(?: first)?(?:[,;] .*)?$/.exec(
      fix,
    ) ??
    /^set ([\w.]+) to ("[^"]*"|\S+)(?: or .*| to .*)?$/.exec(fix) ??
    [];
  if (name !== undefined && value !== undefined) return set(fieldNamed(name, path), parse(value));
  const [, second, other] = /, or set ([\w.]+): (\S+)$/.exec(fix) ?? [];
  if (second !== undefined) return set(fieldNamed(second, path), parse(other ?? ""));
  if (/^set linkerd.version to an edge release$/.test(fix)) return set(["spec", "linkerd", "version"], "edge-26.8.3");
  const [, numeric] = /or set kubernetesVersion to ("[^"]+")/.exec(fix) ?? [];
  if (numeric !== undefined) return set(fieldNamed("kubernetesVersion", path), parse(numeric));
  if (fix.startsWith("remove ")) {
    const lines = text.split("\n");
    const key = parseDocument(text, { uniqueKeys: false });
    if (finding.code === "yaml-duplicate-key") return lines.filter((_, index) => index !== finding.line - 1).join("\n");
    key.deleteIn(path);
    return key.toString();
  }
  return null;
}

describe("fixes", () => {
  test.each(readdirSync(stories).filter((story) => !(story in needsPerson)))("of story %s remove the finding", (story) => {
    const root = scratchFolder("fixes");
    cpSync(join(stories, story), root, { recursive: true });
    const findings = (): Diagnostic[] =>
      loadAll(new Repository(root), []).diagnostics.filter((each) => isActive(each) && each.code === story && each.fix !== null);
    for (let left = findings(); left.length > 0; ) {
      const [first] = left as [Diagnostic];
      const file = join(root, first.file);
      const text = applied(readFileSync(file, "utf8"), first);
      expect(text, `form of the fix: ${first.fix}`).not.toBeNull();
      writeFileSync(file, text ?? "");
      const now = findings();
      expect(now.length, `${first.fix}\n${text}`).toBeLessThan(left.length);
      left = now;
    }
  });

  test("the test cannot apply the fixes of at most ten stories", () => {
    expect(Object.keys(needsPerson).length).toBeLessThanOrEqual(10);
    for (const story of Object.keys(needsPerson)) expect(readdirSync(stories)).toContain(story);
  });
});
