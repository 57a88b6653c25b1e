import { describe, expect, test } from "vitest";
import {
  edgeOf,
  type LinkerdRelease,
  linkerdRelease,
  linkerdReleases,
  untestedRelease,
  withName,
} from "../../generator/catalog/linkerd.ts";
import { modelOf } from "../../generator/components/build.ts";
import { imagesOf } from "../../generator/components/mirrored-images.ts";
import { releaseOf } from "../../generator/components/model.ts";
import { environmentOf, loadFiles, specText } from "../support/specs.ts";

/** Returns the dotted paths of the fields in which two values differ. */
function differences(a: unknown, b: unknown, path = ""): string[] {
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isPlain(a) || !isPlain(b)) return [path];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], path === "" ? key : `${path}.${key}`));
}

describe("an edge release that the catalog does not contain", () => {
  /**
   * If the catalog does not contain a release, meshops derives the fields of the release. For each release, this map
   * contains the fields whose derived value differs from the catalog entry.
   */
  const unknown: Readonly<Record<string, readonly string[]>> = {
    "edge-26.8.3": [
      "minKubernetes",
      "images.proxyInit",
      "images.extensionInit",
      "traits.nativeSidecar",
      "traits.collectorIdentity",
    ],
    "edge-25.10.7": [
      "maxKubernetes",
      "charts.linkerd-jaeger",
      "images.proxyInit",
      "images.policyController",
      "images.extensionInit",
      "images.collector",
      "traits.tracing",
      "traits.collectorIdentity",
      "traits.gatewayApi.default",
    ],
  };
  const edges = linkerdReleases.filter(({ channel }) => channel === "edge");

  test.each(edges.slice(0, -1).map((release) => [release.version, release] as const))(
    "%s: only the listed fields differ from the catalog entry if meshops resolves the release without this entry",
    (version, entry: LinkerdRelease) => {
      const others = linkerdReleases.filter((release) => release !== entry);
      expect(differences(untestedRelease(version, others), entry)).toEqual(unknown[version]);
    },
  );

  test("uses the charts and images of its own version, and never the traits of a stable release", () => {
    const environment = environmentOf({ linkerd: { version: "edge-26.11.2" } });
    const { components } = modelOf(environment);
    const charts = components
      .flatMap((component) => releaseOf(component) ?? [])
      .filter(({ chart }) => chart.startsWith("linkerd"));
    expect(charts.map(({ chart, version }) => `${chart} ${version}`).sort()).toEqual([
      "linkerd-control-plane 2026.11.2",
      "linkerd-crds 2026.11.2",
      "linkerd-viz 2026.11.2",
    ]);
    const images = imagesOf(environment).map(({ source }) => source);
    expect(images).toContain("cr.l5d.io/linkerd/proxy:edge-26.11.2");
    expect(linkerdRelease("edge-25.5.1").traits).toEqual(linkerdRelease("edge-25.4.4").traits);
    for (const version of ["edge-24.11.3", "edge-25.4.3", "stable-2.15.0", "2.18"])
      expect(() => linkerdRelease(version)).toThrow("the catalog has no Linkerd release");
  });

  test.each(["edge-24.11.3", "edge-25.4.3", "stable-2.18.0", "stable-2.14.9", "2.18", "edge-26.13.1", "edge-26.0.1"])(
    "for the version %s, the error explains which releases exist",
    (version) => {
      const [found] = loadFiles({ test: specText({ linkerd: { version } }) }, "test").diagnostics;
      expect(found).toMatchObject({ code: "bad-format", severity: "error" });
      expect(found?.expected).toContain("There is no later open-source stable release: Linkerd 2.18 is edge-25.4.4");
    },
  );

  test("causes a warning that lists the images with the tags of the nearest release; the warning can be silenced", () => {
    const codes = (spec: object): string[] =>
      loadFiles({ test: specText({ linkerd: { version: "edge-25.12.1" }, ...spec }) }, "test").diagnostics.map(
        ({ message, silenced }) => `${silenced ?? ""}: ${message}`,
      );
    expect(codes({})).toEqual([
      ": edge-25.12.1 (later than 2.19) is not in the catalog of tested releases. The generated files contain the settings of the latest earlier release in the catalog, edge-25.10.7, and these images of that release: proxy-init v2.4.3, extension-init v0.1.7, prometheus v2.55.1",
    ]);
    const ignore = [{ code: "linkerd-version-untested", reason: "tested by us on the staging cluster" }];
    expect(codes({ rules: { ignore } })[0]).toMatch(/^tested by us/);
  });
});

test("withName adds the version that the Linkerd project announced to an edge release, and edgeOf returns the edge release", () => {
  expect(["stable-2.14.10", "edge-25.4.4", "edge-25.5.1", "edge-25.10.7", "edge-26.7.1", "edge-26.8.3"].map(withName)).toEqual([
    "stable-2.14.10",
    "edge-25.4.4 (2.18)",
    "edge-25.5.1 (later than 2.18)",
    "edge-25.10.7 (2.19)",
    "edge-26.7.1 (2.20)",
    "edge-26.8.3 (later than 2.20)",
  ]);
  expect(edgeOf("2.19")).toBe("edge-25.10.7");
  expect(edgeOf("2.17")).toBeNull();
});
