import { linkerdReleases } from "../../catalog/linkerd.ts";
import { chartOf, type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";

import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { inFile } from "./names.ts";

/** Rules about Flux objects that install Linkerd, and about the order of Kustomizations. */
export const fluxRules: readonly ManifestRule[] = [
  {
    code: "chart-version-floating",
    severity: "warning",
    title: "Flux upgrades a Linkerd chart although no commit changes the version",
    why: "If `chart.spec.version` is a range such as `*` or `>=2026.8.0`, Flux installs each new version that matches this range (helm-controller, HelmChart `version`). Flux then upgrades the CRDs, the control plane and its extensions at different times. The Git history does not show the upgrade, so you cannot revert the upgrade with `git revert`.",
    fix: "Set an exact version.",
    check: floatingVersions,
  },
  {
    code: "linkerd-releases-differ",
    severity: "warning",
    title: "The CRDs and the control plane are from different Linkerd releases",
    why: "The control plane expects the API versions and fields of its own release. CRDs of an older release do not define all of these versions and fields. The API server then rejects objects that the control plane needs, or removes fields from these objects. Upgrade the CRDs first, and the control plane directly afterwards (Linkerd docs, “Upgrading Linkerd”).",
    fix: "Set both charts to the same release.",
    check: differentReleases,
  },
  {
    code: "kustomization-deadlock",
    severity: "error",
    title: "A parent Kustomization and its child Kustomization wait for each other",
    why: "With `wait: true`, a Kustomization becomes ready only when all objects that it applies are ready. A parent with `wait: true` therefore waits for each child Kustomization that it applies. If `dependsOn` of the child contains the parent, the child also waits for the parent. Both Kustomizations then never become ready (kustomize-controller, `wait` and `dependsOn`).",
    fix: "Remove the parent from `dependsOn` of the child. The child does not need this dependency. The parent itself creates the child, and applies namespaces and CRDs before the child. As an alternative, set `wait: false` on the parent.",
    check: deadlocks,
  },
];

const linkerdCharts = /^linkerd-(crds|control-plane|viz|jaeger|multicluster|cni)$|^linkerd2-cni$/;

function releases(stream: ManifestSet): Manifest[] {
  const found = stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease");
  return found.filter((release) => linkerdCharts.test(String(chartOf(release)["chart"])));
}

function* floatingVersions(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of releases(stream)) {
    const { chart, version } = chartOf(manifest);
    // An overlay can add a missing version. Flux replaces variables when it applies the object, so meshops cannot check
    // a version that contains a variable.
    if (version === undefined || isExact(String(version)) || String(version).includes("${")) continue;
    yield {
      manifest,
      path: ["spec", "chart", "spec", "version"],
      message: `the version of the chart ${String(chart)} is the range "${String(version)}". Flux installs each new version in this range, although no commit changes this object`,
      fix: "in chart.spec.version, use the exact version of the chart that is installed now",
    };
  }
}

/**
 * Whether a chart version is a single version and not a range. A YAML number such as 2026.8 is a range, because it
 * matches all patch versions of 2026.8.
 */
function isExact(version: string): boolean {
  return /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(version);
}

function* differentReleases(stream: ManifestSet): Iterable<ManifestFinding> {
  const versionOf = (name: string): readonly (readonly [Manifest, string])[] =>
    releases(stream)
      .filter((release) => chartOf(release)["chart"] === name)
      .map((release) => [release, String(chartOf(release)["version"])] as const)
      .filter(([, version]) => isExact(version));
  const [crds, ...others] = versionOf("linkerd-crds");
  // If several HelmReleases install the CRDs, they are probably for different clusters. In this case, do not compare
  // versions.
  if (crds === undefined || others.length > 0) return;
  const expected = releaseOfCrds(crds[1]);
  for (const [manifest, version] of versionOf("linkerd-control-plane")) {
    if (expected === null || version === expected) continue;
    yield {
      manifest,
      path: ["spec", "chart", "spec", "version"],
      message: `this HelmRelease installs version ${version} of the control plane, but HelmRelease ${crds[0].name}${inFile(crds[0], manifest)} installs version ${crds[1]} of the CRDs`,
      fix: "set the versions of both charts to the same Linkerd release",
    };
  }
}

/**
 * Returns the version of the control plane chart that belongs to the given version of the CRD chart; null if the given
 * version is unknown.
 */
function releaseOfCrds(version: string): string | null {
  // In edge releases since edge-24.1, both charts have the version of the release.
  if (/^20\d\d\./.test(version)) return version;
  const release = linkerdReleases.find(({ charts }) => charts["linkerd-crds"] === version);
  return release?.charts["linkerd-control-plane"] ?? null;
}

function* deadlocks(stream: ManifestSet): Iterable<ManifestFinding> {
  const all = stream.ofKind("kustomize.toolkit.fluxcd.io", "Kustomization");
  for (const parent of all) {
    const { wait, path } = specOf(parent);
    if (wait !== true || typeof path !== "string") continue;
    for (const manifest of all) {
      if (manifest === parent || !isBelow(manifest.source.file, path)) continue;
      const index = listAt(specOf(manifest), "dependsOn")
        .map(asMap)
        .findIndex(({ name, namespace = manifest.namespace }) => name === parent.name && namespace === parent.namespace);
      if (index < 0) continue;
      yield {
        manifest,
        path: ["spec", "dependsOn", index],
        message: `this Kustomization and Kustomization ${parent.name} wait for each other. Kustomization ${parent.name} applies this Kustomization with wait: true, and dependsOn of this Kustomization contains ${parent.name}`,
        fix: `remove ${parent.name} from dependsOn, or set wait: false on Kustomization ${parent.name}`,
      };
    }
  }
}

/**
 * Whether a file is below a folder. The root of the Git repository is not known, so this function searches the path of
 * the file for the folder at any depth.
 */
function isBelow(file: string, path: string): boolean {
  const folder = path.replace(/^\.?\/*/, "").replace(/\/+$/, "");
  return folder === "" || `/${file}`.includes(`/${folder}/`);
}
