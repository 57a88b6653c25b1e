import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { render } from "../../generator/bundle/render.ts";
import { isMap } from "../../generator/system/data.ts";
import { answer } from "../support/answer.ts";
import { validSpec, yamlSigns } from "../support/arbitraries.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { generateIn, makePlatform, readTree, writeTree } from "../support/platform.ts";
import { buildOverlays } from "../support/roads.ts";
import { environmentOf, loadFiles, sampleIdentity, specOf, specText } from "../support/specs.ts";

const slow = process.env["SLOW"] === "1" ? 10 : 1;

/**
 * Returns a spec with a unique Azure resource group. The random names of resource groups are short, so two random specs
 * can have the same name.
 */
function apart(spec: Record<string, unknown>, index: number): Record<string, unknown> {
  return isMap(spec["azure"]) ? { ...spec, azure: { ...spec["azure"], resourceGroup: `group-${index}` } } : spec;
}

describe("random valid specs", () => {
  test("load without an error, and render to the same bytes regardless of the order of their keys", () => {
    fc.assert(
      fc.property(validSpec, (spec) => {
        const loaded = loadFiles({ test: specText(spec) }, "test");
        expect(loaded.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
        const identity = sampleIdentity();
        const bundle = render({ environment: environmentOf(spec), identity }).bundle;
        const shuffled = render({ environment: environmentOf(reversed(spec) as Record<string, unknown>), identity }).bundle;
        expect([...shuffled]).toEqual([...bundle]);
      }),
      { numRuns: 100 * slow },
    );
  });

  withTools(["kustomize", "sops"], "on disk", () => {
    test(`generate the same files in a second run, and the real kustomize builds all overlays (${25 * slow} specs)`, async () => {
      const seed = Date.now();
      const specs = fc.sample(validSpec, { numRuns: 25 * slow, seed });
      const named = Object.fromEntries(
        specs.map((spec, index) => [`env-${index}`, specText(apart(spec, index), `env-${index}`)]),
      );
      const root = makePlatform(named);
      expect(await generateIn(root), `seed ${seed}`).toBe(0);
      expect(await generateIn(root, { check: true }), `seed ${seed}`).toBe(0);
      for (const name of Object.keys(named)) await buildOverlays(root, name);
    });
  });
});

describe("meshops reports findings and does not crash for", () => {
  test("random text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => answer(text)),
      { numRuns: 500 * slow },
    );
  });

  test("text made of YAML indicator characters", () => {
    fc.assert(
      fc.property(yamlSigns, (text) => answer(text)),
      { numRuns: 500 * slow },
    );
  });

  test("valid specs in which one value was changed", () => {
    const junk = fc.oneof(
      fc.constantFrom(null, true, -1, 1e99, "", [], {}, [[]], "a".repeat(10_000), "\u0000", "../../etc", "__proto__"),
      fc.jsonValue({ maxDepth: 3 }),
    );
    fc.assert(
      fc.property(validSpec, fc.nat(), junk, (spec, place, value) => answer(stringify(mutate(specOf(spec), place, value)))),
      { numRuns: 300 * slow },
    );
  });

  test("valid specs in which characters were removed or inserted", () => {
    fc.assert(
      fc.property(validSpec, fc.nat(), fc.nat(), fc.string({ maxLength: 3 }), (spec, from, length, inserted) => {
        const text = specText(spec);
        const start = from % text.length;
        answer(text.slice(0, start) + inserted + text.slice(start + (length % 20)));
      }),
      { numRuns: 300 * slow },
    );
  });

  test("invalid specs; generate then writes no files", async () => {
    const root = makePlatform({ dev: specText({}, "dev") });
    const before = readTree(root);
    const texts = [
      ...fc.sample(fc.string({ unit: "binary", maxLength: 200 }), 4),
      ...fc.sample(validSpec, 4).map((spec, index) => stringify(mutate(specOf(spec, "dev"), index * 7, ["x"]))),
    ];
    for (const text of texts) {
      writeTree(root, { "environments/dev.yaml": text });
      const { code, stderr } = await meshops(root, ["generate"]);
      expect(stderr).not.toContain("this is a bug");
      if (code === 0) continue;
      expect(code).toBe(1);
      expect({ ...readTree(root), "environments/dev.yaml": "" }).toEqual({ ...before, "environments/dev.yaml": "" });
    }
  });
});

/** Returns a copy of the data in which the keys of every map are in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, below]) => [key, reversed(below)]),
  );
}

/**
 * Returns a copy of the data in which one value is replaced.
 *
 * @param place number of the replaced value in a depth-first traversal, modulo the number of values
 * @param value new value
 */
function mutate(document: unknown, place: number, value: unknown): unknown {
  const copy = parse(stringify(document)) as unknown;
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      places.push({ holder: node as Record<string, unknown>, key });
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(copy);
  const target = places[place % places.length];
  if (target !== undefined) target.holder[target.key] = value;
  return copy;
}
