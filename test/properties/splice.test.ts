import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { diffLines } from "diff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { injectManifests } from "../../generator/inject/manifests.ts";
import { asKubectl, parseDocuments, plainValue } from "../../generator/kubernetes/documents.ts";
import { withReference } from "../support/guards.ts";
import { referenceFolder } from "../support/tools.ts";

/*
 * Tests that `inject` makes only two kinds of changes: it sets annotations, and it adds objects. All other parts of the
 * text must stay the same.
 */

const spec = { linkerd: "edge-26.8.3", opaquePorts: [9999] } as const;

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const text = fc.oneof(
  word,
  fc.constantFrom("yes", "0755", "1e3", "a: b", "# no comment", "it's", "two\nlines\n", "\n lead", "é", "", "{x}", "12:30"),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof({ depthSize: "small" }, text, fc.integer(), fc.boolean(), fc.constant(null), tie("list"), tie("map")),
  list: fc.array(tie("any"), { maxLength: 3 }),
  map: fc.dictionary(word, tie("any"), { maxKeys: 3 }),
})).any;

const annotations = fc.oneof(fc.constant({}), fc.dictionary(word, text, { minKeys: 1, maxKeys: 3 }));

const deployment = fc
  .record({ extra: value, template: annotations, hasAnnotations: fc.boolean(), last: text })
  .map(({ extra, template, hasAnnotations, last }) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "shop" },
    spec: {
      extra,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" }, ...(hasAnnotations ? { annotations: template } : {}) },
        spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 9999 }], args: [last] }] },
      },
    },
  }));

/** Styles in which an object can be written as YAML or JSON. */
const style = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  flow: fc.boolean(),
  quotes: fc.constantFrom("QUOTE_DOUBLE", "QUOTE_SINGLE", "PLAIN"),
  comments: fc.boolean(),
  windows: fc.boolean(),
  final: fc.boolean(),
  json: fc.constantFrom(false, false, false, true),
});

type Style = typeof style extends fc.Arbitrary<infer T> ? T : never;

function written(object: object, { indent, indentSeq, flow, quotes, comments, windows, final, json }: Style): string {
  if (json) return `${JSON.stringify(object, null, flow ? 0 : indent)}${final ? "\n" : ""}`;
  const yaml = stringify(object, {
    indent,
    indentSeq,
    collectionStyle: flow ? "flow" : "any",
    defaultStringType: quotes as "PLAIN",
    defaultKeyType: "PLAIN",
    lineWidth: 60,
  });
  const lines = yaml.replace(/\n$/, "").split("\n");
  // Adds no comments if the text contains a block scalar, because a comment could become a part of the scalar.
  const commented =
    comments && !/[|>][-+0-9]*$/m.test(yaml)
      ? lines.flatMap((line) => (/^ *[a-z]\w*:( |$)/.test(line) && !flow ? [`# above ${line.trim().slice(0, 3)}`, line] : [line]))
      : lines;
  // If the text with comments is not valid YAML, the text without comments is used. In some positions, YAML does not
  // allow a comment between a key and its value.
  const [document] = parseDocuments(commented.join("\n"), asKubectl);
  const valid = document?.errors.length === 0 ? commented : lines;
  return valid.join(windows ? "\r\n" : "\n") + (final ? (windows ? "\r\n" : "\n") : "");
}

/**
 * Returns the objects in a text without the annotations that `inject` sets. Also removes `annotations` and `metadata`
 * if they are empty.
 */
function values(source: string): unknown[] {
  const own = /^(linkerd\.io\/inject|config\.linkerd\.io\/opaque-ports)$/;
  const without = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(without);
    if (typeof each !== "object" || each === null) return each;
    const entries = Object.entries(each)
      .filter(([key]) => !own.test(key))
      .map(([key, child]) => [key, without(child)] as const)
      .filter(
        ([key, child]) => !/^(annotations|metadata)$/.test(key) || (child !== null && Object.keys(child as object).length > 0),
      );
    return Object.fromEntries(entries);
  };
  return parseDocuments(source, asKubectl).map((document) => {
    expect(document.errors).toEqual([]);
    return without(plainValue(document, source));
  });
}

/** Returns the lines of `before` that `after` does not contain, according to a line diff. */
function removedLines(before: string, after: string): string[] {
  return diffLines(before, after).flatMap(({ removed, value: lines }) => (removed ? lines.split("\n").filter(Boolean) : []));
}

const runs = { numRuns: process.env["SLOW"] === "1" ? 3000 : 300 };

describe("inject changes only annotations, at the correct positions", () => {
  test("of documents in many styles", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(deployment, style), { minLength: 1, maxLength: 3 }), (documents) => {
        const [[, { windows, json }]] = documents as [(typeof documents)[number]];
        const same = documents.map(([object, own]) => written(object, { ...own, windows, json: false }));
        const before =
          json && documents.length === 1
            ? written(...(documents[0] as (typeof documents)[number]))
            : same.join(windows ? "\r\n---\r\n" : "\n---\n");
        const { text: after, diagnostics, notes } = injectManifests(before, { ...spec, opaquePorts: [9999] });
        expect(diagnostics).toEqual([]);
        expect(notes.filter(({ severity }) => severity === "error")).toEqual([]);
        expect(values(after)).toEqual(values(before));
        expect(after.match(/linkerd\.io\/inject/g)?.length).toBe(documents.length);
        // In block style, `inject` adds lines. It changes an existing line only if the line belongs to an empty map of
        // annotations.
        if (documents.every(([, { flow }]) => !flow) && !json)
          for (const line of removedLines(before, after)) expect(line).toMatch(/annotations:|^ *\{\}\r?$/);
        expect(injectManifests(after, { ...spec, opaquePorts: [9999] }).text).toBe(after);
      }),
      runs,
    );
  });

  test("JSON stays JSON when policies are added", () => {
    fc.assert(
      fc.property(deployment, style, (object, how) => {
        const before = written(object, { ...how, json: true });
        const clients = [{ namespace: "web", serviceAccount: "web" }];
        const { text: after } = injectManifests(before, { linkerd: "edge-26.8.3", clients });
        const list = JSON.parse(after) as { kind: string; items: { kind: string }[] };
        expect(list.kind).toBe("List");
        expect(list.items.map(({ kind }) => kind)).toContain("NetworkPolicy");
        expect(values(JSON.stringify(list.items[0]))).toEqual(values(before));
      }),
      runs,
    );
  });
});

withReference("inputs from public bug reports", () => {
  const cases = join(referenceFolder, "../cases");
  const inputs = readdirSync(cases)
    .flatMap((name) => ["in.yaml", "in.json"].map((file) => join(cases, name, file)))
    .filter((path) => {
      try {
        return readFileSync(path, "utf8") !== "";
      } catch {
        return false;
      }
    });

  test.each(inputs)("inject keeps the values and the lines of %s", (path) => {
    const before = readFileSync(path, "utf8");
    const { text: after, diagnostics } = injectManifests(before, { linkerd: "edge-26.8.3" });
    if (diagnostics.length > 0) return expect(after).toBe(before);
    expect(values(after)).toEqual(values(before));
    for (const line of removedLines(before, after)) expect(line).toMatch(/annotations|metadata|template|labels|inject/);
  });
});
