import { expect, test } from "vitest";
import { unassessedValues } from "../../generator/components/assessed.ts";
import { buildModel } from "../../generator/components/build.ts";
import { releaseOf } from "../../generator/components/model.ts";
import { providers } from "../../generator/components/registry.ts";
import { compareFields } from "../../generator/diff/fields.ts";
import { asMap } from "../../generator/system/data.ts";
import { releaseMatrix } from "../support/matrix.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";

const mirrored = {
  azure: { location: "westus2", resourceGroup: "r", registry: { name: "mirror", mirrorImages: true }, cluster: { name: "c" } },
  pydgraphClient: { enabled: false },
};

test("diff assesses the risk of every chart value that meshops generates", () => {
  const specs = releaseMatrix.flatMap(({ spec }) => [
    spec,
    { ...spec, ...mirrored },
    { ...spec, linkerd: { ...asMap(asMap(spec)["linkerd"]), identity: { provider: "external" } } },
  ]);
  const found = specs.flatMap((spec) =>
    buildModel({ environment: environmentOf(spec), identity: sampleIdentity() }).components.flatMap((component) => {
      const release = releaseOf(component);
      if (release === null) return [];
      const known = providers
        .flatMap(({ assessedValues }) => assessedValues ?? [])
        .find(({ helmRelease }) => helmRelease === component.id);
      const fields = compareFields({ spec: { values: {} } }, { spec: { values: release.values } });
      return unassessedValues(fields, known?.paths ?? []).map((path) => `${component.id}: ${path}`);
    }),
  );
  expect([...new Set(found)]).toEqual([]);
  expect(specs.length).toBeGreaterThan(10);
});

test("unassessedValues reports chart values that only an override sets, except settings of pods", () => {
  const after = {
    spec: { values: { alpha: { service: { type: "LoadBalancer" }, resources: { limits: { cpu: 1 } } }, fullnameOverride: "x" } },
  };
  const fields = compareFields({ spec: { values: {} } }, after);
  expect(unassessedValues(fields, ["alpha.replicaCount"])).toEqual(["alpha.service.type", "fullnameOverride"]);
});
