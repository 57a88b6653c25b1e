import { expect, test } from "vitest";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { modelOf } from "../../generator/components/build.ts";
import { imagesOf } from "../../generator/components/mirrored-images.ts";
import { releaseOf } from "../../generator/components/model.ts";
import { at } from "../../generator/kubernetes/object-fields.ts";
import { meshops } from "../support/cli.ts";
import { makePlatform } from "../support/platform.ts";
import { clientImage, environmentOf, specText } from "../support/specs.ts";

const host = "harbor.example.org:8443/mesh";

function specFor(version: string, layout: "flat" | "origin"): Record<string, unknown> {
  return {
    registry: { host, images: "mirror", layout, pullSecretRef: { name: "harbor" } },
    linkerd: { version, viz: { grafana: version.startsWith("edge") }, jaeger: { enabled: true } },
    pydgraphClient: { image: clientImage },
  };
}

const cases = linkerdReleases.flatMap(({ version }) => (["flat", "origin"] as const).map((layout) => [version, layout] as const));

test.each(cases)("%s, layout %s: the names of all images begin with the registry", (version, layout) => {
  const environment = environmentOf(specFor(version, layout));
  for (const { source, target } of imagesOf(environment))
    expect(target).toBe(layout === "flat" ? `${host}/${source.slice(source.indexOf("/") + 1)}` : `${host}/${source}`);
  const values = (id: string): unknown => {
    const found = modelOf(environment).components.find((component) => component.id === id);
    return found === undefined ? undefined : releaseOf(found)?.values;
  };
  const of = (registry: string): string => (layout === "flat" ? host : `${host}/${registry}`);
  expect(at(values("linkerd-control-plane"), "controllerImage")).toBe(`${of("cr.l5d.io")}/linkerd/controller`);
  expect(at(values("linkerd-control-plane"), "proxy", "image", "name")).toBe(`${of("cr.l5d.io")}/linkerd/proxy`);
  expect(at(values("linkerd-viz"), "defaultRegistry")).toBe(`${of("cr.l5d.io")}/linkerd`);
  expect(at(values("linkerd-viz"), "prometheus", "image", "registry")).toBe(`${of("docker.io")}/prom`);
  expect(at(values("dgraph"), "image", "registry")).toBe(of("docker.io"));
});

test.each(linkerdReleases.map(({ version }) => version))("%s: every component with images uses the pull Secret", (version) => {
  const { components } = modelOf(environmentOf(specFor(version, "flat")));
  const withPods = components.filter(({ images }) => images.length > 0).map(({ id }) => id);
  const without = components.filter((component) => {
    const text = JSON.stringify([releaseOf(component)?.values, component.patches]);
    return withPods.includes(component.id) && !text.includes('"harbor"');
  });
  expect(without.map(({ id }) => id)).toEqual([]);
});

test("linkerd.imagePullSecrets takes precedence over registry.pullSecretRef", () => {
  const spec = { registry: { pullSecretRef: { name: "harbor" } }, linkerd: { imagePullSecrets: ["own"] } };
  const { components } = modelOf(environmentOf(spec));
  const plane = components.find(({ id }) => id === "linkerd-control-plane");
  expect(at(plane === undefined ? {} : releaseOf(plane)?.values, "imagePullSecrets")).toEqual([{ name: "own" }]);
});

test("images --mirror prints one skopeo command per image, which copies the image to the registry", async () => {
  const root = makePlatform({ dev: specText(specFor("edge-26.8.3", "origin"), "dev") });
  const { stdout } = await meshops(root, ["images", "dev", "--mirror"]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toContain(
    `skopeo copy --all docker://cr.l5d.io/linkerd/proxy:edge-26.8.3 docker://${host}/cr.l5d.io/linkerd/proxy:edge-26.8.3`,
  );
  expect(lines.every((line) => /^skopeo copy --all docker:\/\/\S+ docker:\/\/\S+$/.test(line))).toBe(true);
});
