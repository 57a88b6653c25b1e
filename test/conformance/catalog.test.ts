import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dgraphCharts, dgraphImages } from "../../generator/catalog/dgraph.ts";
import { reference } from "../../generator/catalog/image.ts";
import { type LinkerdChart, type LinkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { linkerdImages } from "../../generator/catalog/linkerd-images.ts";
import { buildModel } from "../../generator/components/build.ts";
import { releaseOf } from "../../generator/components/model.ts";
import { standaloneJaeger } from "../../generator/components/tracing-backend.ts";
import type { JsonMap, KubernetesObject } from "../../generator/kubernetes/object.ts";
import { webhooksOf } from "../../generator/mesh/webhooks.ts";
import { withReference } from "../support/guards.ts";
import { field, idOf, objectsIn, pick } from "../support/objects.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { projectRoot, referenceFolder } from "../support/tools.ts";

/* Compares the catalog with the reference data: the values and the rendered objects of the upstream charts. */
withReference("the catalog matches the upstream charts", () => {
  describe.each(linkerdReleases.map((track) => [track.version, track] as const))("%s", (version, track) => {
    const charts = Object.entries(track.charts) as [LinkerdChart, string][];

    test("the catalog lists the same images as the rendered charts", () => {
      const listed = read(`linkerd/images-${version}.txt`)
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.replace("<linkerdVersion>", version));
      const ours = charts.flatMap(([chart]) =>
        linkerdImages(track, chart).map((image) => `${chart} ${reference(image).replace(/^docker\.io\//, "")}`),
      );
      expect([...new Set(ours)].sort()).toEqual([...new Set(listed)].sort());
    });

    test("meshops sets only values that the chart has", () => {
      for (const variant of [{ highAvailability: true }, { highAvailability: false }]) {
        const environment = environmentOf({
          azure: {
            location: "westus2",
            resourceGroup: "test",
            registry: { name: "mirror", mirrorImages: true },
            cluster: { name: "test", networkPolicy: "cilium", ipFamilies: ["ipv4", "ipv6"] },
          },
          linkerd: { version, ...variant, jaeger: { enabled: true }, viz: { grafana: true } },
        });
        for (const component of buildModel({ environment, identity: sampleIdentity() }).components) {
          const release = releaseOf(component);
          if (release === null || !(release.chart in track.charts)) continue;
          const known = chartValues(release.chart, release.version);
          expect(unknownKeys(release.values, known), release.chart).toEqual([]);
        }
      }
    });

    test("the traits and CRDs in the catalog match values.yaml and the rendered CRDs", () => {
      const values = objectsIn(read(`charts/linkerd-control-plane/${track.charts["linkerd-control-plane"]}/values.yaml`))[0];
      expect(field(values, "proxy", "outboundTransportMode") === "transport-header").toBe(track.traits.transportHeader);
      expect(field(values, "proxy", "nativeSidecar") === true).toBe(track.traits.nativeSidecar);
      expect(field(values, "proxy", "tracing") !== undefined).toBe(track.traits.tracing === "built-in");
      expect(field(values, "disableIPv6") !== undefined).toBe(track.traits.ipv6);
      const crdValues = objectsIn(read(`charts/linkerd-crds/${track.charts["linkerd-crds"]}/values.yaml`))[0];
      expect(field(crdValues, track.traits.gatewayApi.value)).toBe(track.traits.gatewayApi.default);
      const crds = objectsIn(read(`charts/linkerd-crds/${track.charts["linkerd-crds"]}/rendered.yaml`)).map(
        ({ metadata }) => metadata.name,
      );
      expect(crds.filter((name) => !name.endsWith(".gateway.networking.k8s.io")).sort()).toEqual([...track.crds].sort());
      expect(newestServed(track, "Server")).toBe(track.traits.policyApi.server);
      expect(newestServed(track, "AuthorizationPolicy")).toBe(track.traits.policyApi.authorizationPolicy);
      expect(newestServed(track, "HTTPRoute")).toBe(track.traits.policyApi.httpRoute);
    });

    test("meshops creates certificates for exactly the webhooks in the rendered charts, which create no certificates themselves", () => {
      const environment = environmentOf({ linkerd: { version, jaeger: { enabled: true } } });
      const rendered = charts.flatMap(([chart, chartVersion]) =>
        objectsIn(read(`charts/${chart}/${chartVersion}/rendered.yaml`)),
      );
      const mounted = new Set(
        rendered.flatMap((object) =>
          ((field(object, "spec", "template", "spec", "volumes") ?? []) as { secret?: { secretName: string } }[]).flatMap(
            ({ secret }) => secret?.secretName ?? [],
          ),
        ),
      );
      const served = rendered.flatMap((object) =>
        ((object["webhooks"] ?? []) as { clientConfig: { service: { name: string; namespace: string } } }[]).map(
          ({ clientConfig }) => `${clientConfig.service.namespace}/${clientConfig.service.name}`,
        ),
      );
      const tap = rendered
        .filter(({ kind }) => kind === "APIService")
        .map((object) => `${field(object, "spec", "service", "namespace")}/${field(object, "spec", "service", "name")}`);
      const ours = webhooksOf(environment);
      expect(ours.map(({ namespace, service }) => `${namespace}/${service}`).sort()).toEqual([...served, ...tap].sort());
      for (const { secret } of ours) expect(mounted).toContain(secret);
      // The objects in the reference data were rendered with the values that meshops generates for webhooks. With these
      // values, a chart must not render a Secret with a certificate.
      const minted = rendered.filter(({ kind }) => kind === "Secret").map(({ metadata }) => metadata.name);
      expect(minted.filter((name) => ours.some(({ secret }) => secret === name))).toEqual([]);
    });
  });

  test("the chart linkerd-jaeger and bases/linkerd-jaeger/standalone contain no common object, so an upgrade can install one before it removes the other", () => {
    const versions = linkerdReleases.flatMap(({ charts }) => charts["linkerd-jaeger"] ?? []);
    const charts = versions.flatMap((version) => objectsIn(read(`charts/linkerd-jaeger/${version}/rendered.yaml`)).map(idOf));
    const folder = `${projectRoot}bases/linkerd-jaeger/standalone/`;
    const own = ["deployment", "service", "serviceaccount"].flatMap((name) =>
      objectsIn(readFileSync(`${folder}${name}.yaml`, "utf8")),
    );
    expect(own.length).toBe(3);
    for (const { kind, metadata } of own) expect(charts).not.toContain(`${kind}/linkerd-jaeger/${metadata.name}`);
    expect(own.every(({ metadata }) => metadata.name === standaloneJaeger)).toBe(true);
  });

  describe.each(dgraphCharts.map((chart) => [chart.version, chart] as const))("dgraph %s", (version, chart) => {
    const rendered = (): KubernetesObject[] => objectsIn(read(`charts/dgraph/${version}/rendered.yaml`));

    test("image, service account and namespace match the rendered chart", () => {
      const alpha = pick(rendered(), "StatefulSet", "demo-dgraph-alpha");
      const images = ["alpha", "zero"].map((role) =>
        field(pick(rendered(), "StatefulSet", `demo-dgraph-${role}`), "spec", "template", "spec", "containers", 0, "image"),
      );
      expect(images).toEqual(dgraphImages(chart).flatMap((image) => [reference(image), reference(image)]));
      expect(field(alpha, "spec", "template", "spec", "serviceAccountName") ?? "default").toBe(chart.traits.serviceAccount);
      expect(alpha.metadata.namespace !== undefined).toBe(chart.traits.rendersNamespace);
    });

    test("meshops sets only values that the chart has", () => {
      const values = chartValues("dgraph", version);
      expect(field(values, "alpha", "extraAnnotations") !== undefined).toBe(chart.traits.podAnnotations === "value");
      const environment = environmentOf({
        linkerd: { clusterDomain: "example.org" },
        dgraph: { chart: version, alpha: { storageClass: "fast" }, zero: { storageClass: "fast" } },
        azure: {
          location: "westus2",
          resourceGroup: "test",
          registry: { name: "mirror", mirrorImages: true },
          cluster: { name: "test" },
        },
      });
      const { components } = buildModel({ environment, identity: sampleIdentity() });
      const found = components.filter(({ id }) => id === "dgraph").map((component) => releaseOf(component)?.values ?? {});
      expect(found.flatMap((own) => unknownKeys(own, values))).toEqual([]);
      expect(found).toHaveLength(1);
    });
  });
});

function read(path: string): string {
  return readFileSync(`${referenceFolder}${path}`, "utf8");
}

/**
 * Returns the values in values.yaml of a chart. The result also contains keys that values.yaml mentions only in
 * comments (`#key:`, `# key: …`), the keys in `readByTemplates`, and the keys of values-ha.yaml. These keys have the
 * value null.
 */
function chartValues(chart: string, version: string): JsonMap {
  const text = read(`charts/${chart}/${version}/values.yaml`);
  const commented = [...text.matchAll(/^( *)# ?([A-Za-z]+):(?: *$| [^ ].*$)/gm)].map(
    ([, indent, key]) => [indent?.length ?? 0, key ?? ""] as const,
  );
  const top = Object.fromEntries(commented.filter(([indent]) => indent === 0).map(([, key]) => [key, null]));
  const ha =
    chart === "linkerd-control-plane"
      ? (objectsIn(read(`charts/${chart}/${version}/values-ha.yaml`))[0] as unknown as JsonMap)
      : {};
  const values = objectsIn(text)[0] as unknown as JsonMap;
  const persistence =
    chart === "dgraph" ? { alpha: withStorageClass(values, "alpha"), zero: withStorageClass(values, "zero") } : {};
  const unlisted = Object.fromEntries((readByTemplates[chart] ?? []).map((key) => [key, null]));
  return { ...top, ...unlisted, ...Object.fromEntries(Object.keys(ha).map((key) => [key, null])), ...values, ...persistence };
}

/**
 * Keys that the templates of a chart read, and that the chart's values.yaml does not contain (linkerd2,
 * viz/charts/linkerd-viz/templates, all releases). Each key of this map is the name of a chart.
 */
const readByTemplates: Readonly<Record<string, readonly string[]>> = { "linkerd-viz": ["podAnnotations"] };

/**
 * Returns the values of `alpha` or `zero`, and adds the key `persistence.storageClass`. Dgraph's values.yaml mentions
 * this key only in a comment.
 */
function withStorageClass(values: JsonMap, role: "alpha" | "zero"): JsonMap {
  const section = values[role] as JsonMap;
  return { ...section, persistence: { storageClass: null, ...(section["persistence"] as JsonMap) } };
}

/**
 * Returns the dotted paths of the keys that exist in `values` but not in `known`. If the value of a key in `known` is
 * an empty map or null, `values` may contain any keys below this key.
 */
function unknownKeys(values: JsonMap, known: JsonMap, path = ""): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (!(key in known)) return [`${path}${key}`];
    const below = known[key];
    const open = below === null || typeof below !== "object" || Object.keys(below).length === 0;
    return open || typeof value !== "object" || value === null || Array.isArray(value)
      ? []
      : unknownKeys(value as JsonMap, below as JsonMap, `${path}${key}.`);
  });
}

/** Returns the newest served version of a kind in the API group policy.linkerd.io. */
function newestServed(track: LinkerdRelease, kind: string): string | undefined {
  const crds = objectsIn(read(`charts/linkerd-crds/${track.charts["linkerd-crds"]}/rendered.yaml`));
  const crd = crds.find(
    (object) => field(object, "spec", "group") === "policy.linkerd.io" && field(object, "spec", "names", "kind") === kind,
  );
  const versions = field(crd, "spec", "versions") as { name: string; served: boolean }[];
  return versions
    .filter(({ served }) => served)
    .map(({ name }) => name)
    .sort()
    .at(-1);
}
