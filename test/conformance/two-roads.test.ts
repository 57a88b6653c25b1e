import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { type ChartServer, packFixtures, realCharts, serveCharts } from "../support/charts.ts";
import { withTools } from "../support/guards.ts";
import { byId } from "../support/objects.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { fluxRoad, helmfileRoad } from "../support/roads.ts";
import { clientImage, specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/** Linkerd releases that are tested with Dgraph's chart 0.0.17. This chart needs patches for annotations of pods. */
const withPatchedDgraph: ReadonlySet<string> = new Set(["edge-26.8.3", "edge-25.4.4"]);

/*
 * Compares the two engines, Flux (kustomize, HelmRelease, helm, postRenderers) and helmfile. Both engines use the same
 * values file and the same patches, and must install the same objects. If the variable MESHOPS_CHARTS is set, the test
 * renders the real charts and compares all objects. Otherwise it uses small fixture charts, whose objects show the
 * values and patches of each component.
 */
withTools(
  ["helm", "helmfile", "kustomize", "sops"],
  `Flux and helmfile install the same objects (${realCharts === null ? "fixture" : "real"} charts)`,
  () => {
    let charts: ChartServer;
    let root: string;
    const specs: Record<string, string> = {
      base: sample("base"),
      dev: sample("dev"),
      production: sample("production"),
      // One environment per Linkerd release. Some environments use Dgraph's chart 0.0.17, which needs patches for
      // annotations of pods. The other environments use chart 24.1.4, which has a value for annotations.
      ...Object.fromEntries(
        linkerdReleases.map(({ version, traits }) => {
          const spec = {
            linkerd: { version, jaeger: { enabled: true }, viz: { grafana: version === "edge-26.8.3" } },
            dgraph: {
              chart: withPatchedDgraph.has(version) ? "0.0.17" : "24.1.4",
              serviceProfile: traits.grpcRoute && traits.tracing === "built-in" ? "grpc-route" : true,
            },
            pydgraphClient: { image: clientImage, inject: traits.grpcRoute },
          };
          const name = nameOf(version);
          return [name, specText(spec, name)];
        }),
      ),
    };
    const environments = Object.keys(specs).filter((name) => name !== "base");

    beforeAll(async () => {
      root = makePlatform(specs);
      expect(await generateIn(root)).toBe(0);
      charts = await serveCharts(realCharts ?? (await packFixtures()));
    });
    afterAll(() => charts.close());

    test.each(environments)("%s", async (environment) => {
      const flux = await fluxRoad(root, environment, charts);
      // Removes namespaces and Secrets. With helmfile, a presync hook applies them, so they are not part of a release.
      flux.delete("namespaces");
      flux.set("identity", flux.get("identity")?.filter(({ kind }) => kind !== "Secret") ?? []);
      const objects = [...flux.values()].flat();
      const helmfile = await helmfileRoad(root, environment, charts);
      expect(byId(helmfile)).toEqual(byId(objects));
      expect(objects.length).toBeGreaterThan(realCharts === null ? 15 : 100);
    });
  },
);

/** Returns the name of the environment that tests a Linkerd release. */
function nameOf(version: string): string {
  return version.replaceAll(".", "-");
}

function sample(name: string): string {
  return readFileSync(`${projectRoot}environments/${name}.yaml`, "utf8");
}
