import fc from "fast-check";
import { expect, test } from "vitest";
import { type Document, parse, parseDocument, stringify } from "yaml";
import {
  asKubectl,
  asYaml12,
  emitDocuments,
  parseDocuments,
  plainValue,
  type Reading,
  readAs,
} from "../../generator/kubernetes/documents.ts";
import { toBundleYaml, toYaml } from "../../generator/kubernetes/yaml.ts";

/** Texts that a YAML parser could convert to another type, and texts of several lines. */
const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    "yes",
    "on",
    "null",
    "~",
    "1.0",
    "0x1f",
    "- a",
    "a: b",
    "# c",
    " lead",
    "trail ",
    "a\nb\n",
    "\n\na",
    "|",
    "",
    "{{x}}",
  ),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    tie("list"),
    tie("map"),
  ),
  list: fc.array(tie("any"), { maxLength: 4 }),
  map: fc.dictionary(text, tie("any"), { maxKeys: 4 }),
})).any;

test("a byte order mark inside a text is written as an escape sequence that every parser can read", () => {
  const document = { a: "x\uFEFFy", b: ["\uFEFF", "line\nline\uFEFF\n"], "\uFEFFkey": "yes" };
  const yaml = toYaml([document]);
  expect(yaml).not.toContain("\uFEFF");
  expect(parse(yaml)).toEqual(document);
});

test("toBundleYaml, which caches the text of each top-level entry, has the same output as the library for the whole document", () => {
  const options = { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  fc.assert(
    fc.property(
      value.filter((document) => document !== undefined),
      (document) => {
        expect(toBundleYaml([document], "head")).toBe(`# head\n${stringify(document, options)}`);
        // The second call uses the texts in the cache.
        expect(toBundleYaml([document], "head")).toBe(`# head\n${stringify(document, options)}`);
      },
    ),
    { numRuns: 500 },
  );
});

test("readAs has the same result as parsing the text with the other YAML version, and scalars keep their text", () => {
  const tags = fc.constantFrom("", "", "", "!!str ", "!!int ", "!!float ", "!!bool ", "!!null ", "! ", "!own ");
  const forms =
    "yes off y True ~ null 0755 0o17 0x1F 0b11 1_000 1e3 1.50 .5 .inf -.INF .nan 12:30 2024-01-01 9007199254740993 '1' \"on\"";
  const scalar = (...more: string[]): fc.Arbitrary<string> =>
    fc.tuple(tags, fc.constantFrom("", ...forms.split(" "), ...more)).map((parts) => parts.join(""));
  const entry = fc.tuple(scalar(), scalar("<<")).map(([key, value]) => `? ${key}\n: ${value}\n`);
  const read = (yaml: string, reading: Reading): Document => {
    const [document] = parseDocuments(yaml, { ...reading, uniqueKeys: false });
    if (document === undefined) throw new Error("no document");
    return document;
  };
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 5 }), (entries) => {
      const yaml = entries.join("");
      for (const [from, to] of [
        [asYaml12, asKubectl],
        [asKubectl, asYaml12],
      ] as const) {
        const document = read(yaml, from);
        readAs(document, to);
        expect(plainValue(document, yaml)).toEqual(plainValue(read(yaml, to), yaml));
        const untyped = parseDocument(yaml, { schema: "failsafe", uniqueKeys: false, resolveKnownTags: false });
        expect(emitDocuments([document], yaml)).toBe(untyped.toString({ lineWidth: 0 }));
      }
    }),
    { numRuns: 500 },
  );
});
