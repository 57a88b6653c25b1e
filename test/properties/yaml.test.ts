import fc from "fast-check";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { toBundleYaml, toYaml } from "../../generator/kubernetes/yaml.ts";

/** Texts that YAML could take for something else, and blocks. */
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

test("a byte order mark inside of a text is escaped, which every reader reads", () => {
  const document = { a: "x\uFEFFy", b: ["\uFEFF", "line\nline\uFEFF\n"], "\uFEFFkey": "yes" };
  const yaml = toYaml([document]);
  expect(yaml).not.toContain("\uFEFF");
  expect(parse(yaml)).toEqual(document);
});

test("a document written entry by entry is the one that the library writes whole", () => {
  const options = { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  fc.assert(
    fc.property(
      value.filter((document) => document !== undefined),
      (document) => {
        expect(toBundleYaml([document], "head")).toBe(`# head\n${stringify(document, options)}`);
        // From memory, too.
        expect(toBundleYaml([document], "head")).toBe(`# head\n${stringify(document, options)}`);
      },
    ),
    { numRuns: 500 },
  );
});
