/**
 * Facts about Linkerd's releases. `npm run catalog:add -- linkerd <version>` derives an entry from the charts of a
 * release, and writes the entry to generator/catalog/linkerd/. The tests compare each entry with the values and
 * rendered objects of its charts.
 *
 * Source: linkerd2 at the tag of the version (charts, values.yaml, rendered objects).
 */
import type { LinkerdRelease, LinkerdVersion } from "./linkerd-release.ts";
import { releases as linkerdReleases } from "./releases.generated.ts";

export type { LinkerdChart, LinkerdRelease, LinkerdVersion } from "./linkerd-release.ts";
export type { KnownLinkerdVersion } from "./releases.generated.ts";
export { linkerdReleases };

/** Ports of every proxy (control-plane chart, `proxy.ports`; the same in all releases). */
export const proxyPorts = { inbound: 4143, control: 4190, admin: 4191 } as const;

/**
 * Ports that proxies treat as opaque if no annotation specifies opaque ports (linkerd-control-plane,
 * `proxy.opaquePorts`; the same in all releases).
 */
export const defaultOpaquePorts = "25,587,3306,4444,5432,6379,9300,11211";

/** Kubernetes version (`major.minor`) of the generated files if the spec does not set a Kubernetes version. */
export const defaultKubernetes = "1.34";

/** Returns the newest release of the catalog. */
export function newestRelease(): LinkerdRelease {
  return linkerdReleases.reduce((a, b) => ((ordinal(a.version) ?? 0) > (ordinal(b.version) ?? 0) ? a : b));
}

/** Whether a release of the catalog is older than another release. `linkerdReleases` lists the newest release first. */
export function isOlder(version: LinkerdVersion, than: LinkerdVersion): boolean {
  const age = (wanted: string): number => linkerdReleases.findIndex((each) => each.version === wanted);
  return age(version) > age(than);
}

/**
 * Returns the newest release of the catalog that is not newer than the given version. Returns null if the given version
 * is older than all releases of the catalog, or if the given version is neither a stable nor an edge version.
 */
export function nearestRelease(version: string): LinkerdRelease | null {
  const wanted = ordinal(version);
  return wanted === null
    ? null
    : (linkerdReleases.find((release) => (ordinal(release.version) ?? Number.POSITIVE_INFINITY) <= wanted) ?? null);
}

/**
 * Returns a sort key for a version; null if the version is neither a stable nor an edge version. The key of a stable
 * version is lower than the key of every edge version.
 */
function ordinal(version: string): number | null {
  const [, channel, ...parts] = /^(stable|edge)-([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(version) ?? [];
  if (channel === undefined) return null;
  const [major = 0, minor = 0, patch = 0] = parts.map(Number);
  return (channel === "edge" ? 1e9 : 0) + major * 1e6 + minor * 1e3 + patch;
}

/**
 * Returns the release with the given version. For an edge release that the catalog does not contain, returns a copy of
 * the nearest older edge release. The copy has the version and the chart versions of the requested release.
 *
 * @throws Error if the catalog does not contain the version, and the version is a stable release, or older than all
 *   edge releases of the catalog
 */
export function linkerdRelease(version: LinkerdVersion): LinkerdRelease {
  return linkerdReleases.find((candidate) => candidate.version === version) ?? untestedRelease(version, linkerdReleases);
}

/** Whether the catalog contains the release. Each entry of the catalog has been compared with its charts. */
export function isKnownRelease(version: LinkerdVersion): boolean {
  return linkerdReleases.some((release) => release.version === version);
}

/** Derives a release from the nearest older edge release. @throws Error if no older edge release exists */
export function untestedRelease(version: LinkerdVersion, known: readonly LinkerdRelease[]): LinkerdRelease {
  const wanted = version.startsWith("edge-") ? ordinal(version) : null;
  const nearest = known
    .filter(({ channel }) => channel === "edge")
    .find((release) => wanted !== null && (ordinal(release.version) ?? Number.POSITIVE_INFINITY) <= wanted);
  if (nearest === undefined) throw new Error(`the catalog has no Linkerd release ${version}`);
  // The version of the charts of an edge release is the version of the release with a year of four digits (linkerd2,
  // bin/helm-build).
  const chart = version.replace(/^edge-/, "20");
  const charts = Object.fromEntries(Object.keys(nearest.charts).map((name) => [name, chart])) as LinkerdRelease["charts"];
  return { ...nearest, version, charts };
}

/**
 * Returns the images of a release whose tag is not the version of the release. Each item has the form `name tag`, such
 * as `proxy-init v2.4.3`.
 */
export function separateImages({ images: { proxyInit, extensionInit, prometheus, collector } }: LinkerdRelease): string[] {
  return [
    ...(proxyInit === null ? [] : [`proxy-init ${proxyInit}`]),
    `extension-init ${extensionInit}`,
    `prometheus ${prometheus}`,
    ...(collector === null ? [] : [`${collector.name} ${collector.tag}`]),
  ];
}

/**
 * Versions that the Linkerd project announced, oldest first. Each entry also contains the first edge release of this
 * version (linkerd2, tags `version-2.18` to `version-2.20`; the tag `version-2.20` is between edge-26.6.3 and
 * edge-26.7.1).
 */
const announced: readonly (readonly [name: string, edge: LinkerdVersion])[] = [
  ["2.18", "edge-25.4.4"],
  ["2.19", "edge-25.10.7"],
  ["2.20", "edge-26.7.1"],
];

/**
 * Returns the edge release that corresponds to a version that the Linkerd project announced, such as `2.18`; null if
 * the version is unknown.
 */
export function edgeOf(name: string): LinkerdVersion | null {
  return announced.find(([known]) => known === name)?.[1] ?? null;
}

/**
 * Returns the name of a release, followed by the version that the Linkerd project announced for this release, such as
 * `edge-25.4.4 (2.18)` or `edge-26.8.3 (later than 2.20)`.
 */
export function withName(version: LinkerdVersion): string {
  const own = ordinal(version) ?? 0;
  const last = announced.findLast(([, edge]) => (ordinal(edge) ?? 0) <= own);
  if (last === undefined) return version;
  return `${version} (${last[1] === version ? "" : "later than "}${last[0]})`;
}
