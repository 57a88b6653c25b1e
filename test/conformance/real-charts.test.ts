import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { type ChartServer, realCharts, serveCharts } from "../support/charts.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { fluxRoad } from "../support/roads.ts";
import { specText } from "../support/specs.ts";

/*
 * Tests that need the real charts. They run only if the variable MESHOPS_CHARTS contains the path of a folder with the
 * packed charts and an index.yaml.
 */
const withCharts = realCharts === null ? describe.skip : describe;

withCharts("with the real charts", () => {
  withTools(["helm", "kustomize", "sops"], "as Flux installs them", () => {
    let charts: ChartServer;
    let root: string;
    const azure = {
      location: "westus2",
      resourceGroup: "test",
      cluster: { name: "test" },
      registry: { name: "mirror", mirrorImages: true },
    };
    const nameOf = (version: string): string => version.replaceAll(".", "-");
    const names = linkerdReleases.map(({ version }) => nameOf(version));

    beforeAll(async () => {
      const spec = (version: string): Record<string, unknown> => ({
        azure: { ...azure, resourceGroup: nameOf(version), cluster: { name: nameOf(version) } },
        linkerd: { version, highAvailability: true, jaeger: { enabled: true }, viz: { grafana: true } },
      });
      root = makePlatform(
        Object.fromEntries(linkerdReleases.map(({ version }) => [nameOf(version), specText(spec(version), nameOf(version))])),
      );
      expect(await generateIn(root)).toBe(0);
      charts = await serveCharts(realCharts ?? "");
    });
    afterAll(() => charts.close());

    test.each(names)(
      "%s: two renders of the charts are identical; every image comes from the mirror, and `meshops images` lists every image",
      async (name) => {
        const [first, second] = [await fluxRoad(root, name, charts), await fluxRoad(root, name, charts)];
        // Compares all objects. If a chart created random certificates or passwords, the two renders would differ.
        expect([...second]).toEqual([...first]);
        const used = [...new Set([...first.values()].flat().flatMap(imagesOf))].sort();
        const listed = (await meshops(root, ["images", name])).stdout.trim().split("\n");
        expect(used.filter((image) => !image.startsWith("mirror.azurecr.io/"))).toEqual([]);
        expect(used.filter((image) => !listed.includes(image))).toEqual([]);
        // The rendered charts do not contain the images debug and proxy-init. The injector adds these images to pods,
        // for example if an annotation requests them.
        expect(
          listed
            .filter((image) => !used.includes(image))
            .every((image) => image.includes("/linkerd/debug:") || image.includes("/linkerd/proxy-init:")),
        ).toBe(true);
      },
    );
  });
});

/** Returns the texts of all fields `image` in an object, at any depth. */
function imagesOf(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "image" && typeof value === "string" ? [value] : imagesOf(value),
  );
}
