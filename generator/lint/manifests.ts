import { type LinkerdRelease, type LinkerdVersion, nearestRelease } from "../catalog/linkerd.ts";
import { byPlace, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { diagnosticAtPath, limited, type Path, type Statement } from "../diagnostics/source.ts";
import { annotationsOf, chartOf, ManifestSet } from "../kubernetes/manifest-set.ts";
import { type Manifest, parseManifests } from "../kubernetes/read.ts";
import { containersOf } from "../kubernetes/workload.ts";
import { groupBy } from "../system/data.ts";
import { authorizationRules } from "./manifests/authorization.ts";
import { injectionRules } from "./manifests/injection.ts";
import { networkPolicyRules } from "./manifests/network-policy.ts";
import { platformRules } from "./manifests/platform.ts";
import { routeRules } from "./manifests/routes.ts";
import type { ManifestFinding, ManifestRule } from "./manifests/rule.ts";

/** All rules about Kubernetes objects. */
export const manifestRules: readonly ManifestRule[] = [
  ...injectionRules,
  ...networkPolicyRules,
  ...authorizationRules,
  ...routeRules,
  ...platformRules,
];

/** Prefix of the annotation that silences a rule for an object; its value is the reason. */
export const silencePrefix = "rules.meshops.dev/";

/** A finding of a rule, and its position. */
export interface Judged {
  readonly manifest: Manifest;
  /** Path from the object to the value. */
  readonly path: Path;
  readonly statement: Statement;
}

/**
 * Checks Kubernetes objects, also ones that meshops did not generate, against the rules that do not need a spec.
 *
 * @param version the Linkerd release of the cluster; if null, it is taken from the objects
 */
export function judge(objects: readonly Manifest[], version: LinkerdVersion | null): Judged[] {
  const stream = new ManifestSet(objects);
  const release = version === null ? releaseIn(stream) : nearestRelease(version);
  return manifestRules.flatMap((rule) => [...rule.check(stream, release)].map((finding) => judged(rule, finding)));
}

/**
 * Checks a YAML stream of Kubernetes objects, also ones that meshops did not generate, against the mesh rules. Pure.
 *
 * @param linkerd the Linkerd release of the cluster; if it is left out, it is taken from the objects
 * @returns findings sorted by position; `file` is `manifests`
 */
export function reviewManifests(text: string, linkerd?: LinkerdVersion): Diagnostic[] {
  const { objects, diagnostics } = parseManifests("manifests", text);
  return [...diagnostics, ...review(objects, linkerd ?? null)].sort(byPlace);
}

/** Runs `judge`, and returns the findings with line and column. */
export function review(objects: readonly Manifest[], version: LinkerdVersion | null): Diagnostic[] {
  const byFile = groupBy(judge(objects, version), ({ manifest }) => manifest.source.file);
  return [...byFile.values()].flatMap((own) => limited(own, told)).sort(byPlace);
}

/** Converts a finding to a diagnostic with line and column. */
export function told({ manifest, path, statement }: Judged): Diagnostic {
  return diagnosticAtPath(manifest.source, [...manifest.at, ...path], "value", statement);
}

function judged({ code, severity }: ManifestRule, finding: ManifestFinding): Judged {
  const { manifest, path, message, fix, mild = false } = finding;
  const reason = annotationsOf(manifest)[`${silencePrefix}${code}`];
  const full: Statement = { code, severity: mild ? "warning" : severity, message, expected: null, fix };
  const silenced = full.severity === "warning" && typeof reason === "string" && reason !== "";
  return { manifest, path, statement: silenced ? { ...full, silenced: reason } : full };
}

/** The release of the control plane among the objects, from its images or its HelmRelease; null if there is none. */
function releaseIn(stream: ManifestSet): LinkerdRelease | null {
  const images = stream.workloads.flatMap((workload) =>
    containersOf(workload).map(({ container }) => String(container["image"])),
  );
  const tags = images.flatMap((image) => /\/(?:proxy|controller):((?:edge|stable)-[0-9.]+)$/.exec(image)?.[1] ?? []);
  const charts = stream
    .ofKind("helm.toolkit.fluxcd.io", "HelmRelease")
    .map(chartOf)
    .filter(({ chart }) => chart === "linkerd-control-plane")
    .map(({ version }) => (/^20[0-9]{2}\./.test(String(version)) ? `edge-${String(version).slice(2)}` : "stable-2.14.10"));
  const [version] = [...tags, ...charts];
  return version === undefined ? null : nearestRelease(version);
}
