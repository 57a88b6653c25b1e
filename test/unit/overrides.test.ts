import { describe, expect, test } from "vitest";
import { buildModel } from "../../generator/components/build.ts";
import { parsePatch } from "../../generator/components/overrides.ts";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import { environmentOf, loadFiles, sampleIdentity, specText } from "../support/specs.ts";

/**
 * A spec that enables all features with fixed chart values. meshops sets these values, and an override cannot change
 * them.
 */
const spec = {
  azure: {
    location: "westus2",
    resourceGroup: "platform",
    registry: { name: "platform1", mirrorImages: true },
    cluster: { name: "platform-dev" },
  },
  linkerd: { version: "edge-25.4.4", jaeger: { enabled: true }, viz: { grafana: true } },
  pydgraphClient: { image: undefined },
};

function findings(environment: Record<string, unknown>): readonly Diagnostic[] {
  return loadFiles({ test: specText(environment) }, "test").diagnostics;
}

describe("owned values", () => {
  const { components } = buildModel({ environment: environmentOf(spec), identity: sampleIdentity() });
  const owned = components.flatMap(({ id, owned: values }) => values.map(({ path, field }) => [id, path, field] as const));

  test("exist in dgraph, grafana, linkerd-control-plane, linkerd-jaeger and linkerd-viz, and in no other component", () => {
    expect([...new Set(owned.map(([id]) => id))].sort()).toEqual([
      "dgraph",
      "grafana",
      "linkerd-control-plane",
      "linkerd-jaeger",
      "linkerd-viz",
    ]);
    expect(owned.length).toBeGreaterThan(20);
  });

  test.each(owned)("%s: %j and the maps that contain it cannot be overridden", (id, path, field) => {
    for (let depth = path.length; depth > 0; depth -= 1) {
      const values = path.slice(0, depth).reduceRight<unknown>((value, key) => ({ [key]: value }), null);
      const refused = findings({ ...spec, components: { [id]: { values } } }).filter(({ code }) => code === "override-owned");
      expect(refused, JSON.stringify(values)).toHaveLength(1);
      if (depth === path.length) expect(refused[0]?.fix).toContain(field);
    }
  });

  test("include image names only if images are mirrored", () => {
    const override = { "linkerd-control-plane": { values: { proxy: { image: { name: "example.com/proxy" } } } } };
    const codes = (environment: object): string[] => findings({ ...environment, components: override }).map(({ code }) => code);
    expect(codes(spec)).toContain("override-owned");
    expect(codes({})).not.toContain("override-owned");
  });
});

test("parsePatch accepts a map or a list of operations, and rejects other texts", () => {
  expect(parsePatch("{metadata: {name: a}}")).toEqual({ metadata: { name: "a" } });
  expect(parsePatch("- {op: remove, path: /a}")).toEqual([{ op: "remove", path: "/a" }]);
  for (const text of ["a", "[a, b]", "- {op: remove}", "{a: [}", "3"]) expect(parsePatch(text), text).toBeNull();
});

test("an override of a component does not add this component to the environment", () => {
  const environment = environmentOf({ components: { "linkerd-jaeger": { values: { a: 1 } }, grafana: { suspend: true } } });
  const ids = buildModel({ environment, identity: sampleIdentity() }).components.map(({ id }) => id);
  expect(ids).not.toContain("linkerd-jaeger");
});
