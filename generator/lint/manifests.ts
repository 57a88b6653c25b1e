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

/** Every rule about Kubernetes objects. */
export const manifestRules: readonly ManifestRule[] = [
  ...injectionRules,
  ...networkPolicyRules,
  ...authorizationRules,
  ...routeRules,
  ...platformRules,
];

/** Annotation that silences a rule for an object; its value is the reason why. */
export const silencePrefix = "rules.meshops.dev/";

/** What a rule finds, and where. */
export interface Judged {
  readonly manifest: Manifest;
  /** Path from the object to the value. */
  readonly path: Path;
  readonly statement: Statement;
}

/**
 * Judges anybody's Kubernetes objects by the rules that apply without a spec.
 *
 * @param version the Linkerd that they run under; null: as the objects themselves say
 */
export function judge(objects: readonly Manifest[], version: LinkerdVersion | null): Judged[] {
  const stream = new ManifestSet(objects);
  const release = version === null ? releaseIn(stream) : nearestRelease(version);
  return manifestRules.flatMap((rule) => [...rule.check(stream, release)].map((finding) => judged(rule, finding)));
}

/**
 * The mesh rules on a YAML stream of anybody's Kubernetes objects. Pure.
 *
 * @param linkerd the Linkerd that they run under; where it is left out, as the objects themselves say
 * @returns findings in order of place; `file` is `manifests`
 */
export function reviewManifests(text: string, linkerd?: LinkerdVersion): Diagnostic[] {
  const { objects, diagnostics } = parseManifests("manifests", text);
  return [...diagnostics, ...review(objects, linkerd ?? null)].sort(byPlace);
}

/** `judge`, told with line and column. */
export function review(objects: readonly Manifest[], version: LinkerdVersion | null): Diagnostic[] {
  const byFile = groupBy(judge(objects, version), ({ manifest }) => manifest.source.file);
  return [...byFile.values()].flatMap((own) => limited(own, told)).sort(byPlace);
}

/** A judgement at its line and column. */
export function told({ manifest, path, statement }: Judged): Diagnostic {
  return diagnosticAtPath(manifest.source, [...manifest.at, ...path], "value", statement);
}

function judged({ code, severity }: ManifestRule, finding: ManifestFinding): Judged {
  const { manifest, path, message, fix, mild = false } = finding;
  const reason = annotationsOf(manifest)[`${silencePrefix}${code}`];
  const loud: Statement = { code, severity: mild ? "warning" : severity, message, expected: null, fix };
  const silenced = loud.severity === "warning" && typeof reason === "string" && reason !== "";
  return { manifest, path, statement: silenced ? { ...loud, silenced: reason } : loud };
}

/** The release of the control plane among the objects, by its HelmRelease or its images; null where none is there. */
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
