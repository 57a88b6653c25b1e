import { type LinkerdRelease, type LinkerdVersion, nearestRelease, proxyPorts } from "../catalog/linkerd.ts";
import { compareLocation, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { capped, diagnosticAtPath, type Path, type Statement } from "../diagnostics/source.ts";
import { annotationsOf, chartOf, ManifestSet } from "../kubernetes/manifest-set.ts";
import { type Manifest, parseManifests } from "../kubernetes/read.ts";
import { containersOf } from "../kubernetes/workload.ts";
import { groupBy } from "../system/data.ts";
import { annotationRules } from "./manifests/annotations.ts";
import { authorizationRules } from "./manifests/authorization.ts";
import { clientRules } from "./manifests/clients.ts";
import { fluxRules } from "./manifests/flux.ts";
import { identityRules } from "./manifests/identity.ts";
import { injectionRules } from "./manifests/injection.ts";
import type { ManifestFinding, ManifestRule } from "./manifests/manifest-rule.ts";
import { mentionLinkerd } from "./manifests/mentions-linkerd.ts";
import { networkPolicyRules } from "./manifests/network-policy.ts";
import { platformRules } from "./manifests/platform.ts";
import { probeRules } from "./manifests/probes.ts";
import { protocolRules } from "./manifests/protocols.ts";
import { referenceRules } from "./manifests/references.ts";
import { routeRules } from "./manifests/routes.ts";
import { serverRules } from "./manifests/servers.ts";
import { trafficRules } from "./manifests/traffic.ts";

/** All rules about Kubernetes objects. */
export const manifestRules: readonly ManifestRule[] = [
  ...injectionRules,
  ...annotationRules,
  ...networkPolicyRules,
  ...authorizationRules,
  ...serverRules,
  ...routeRules,
  ...protocolRules,
  ...probeRules,
  ...trafficRules,
  ...platformRules,
  ...identityRules,
  ...fluxRules,
  ...referenceRules,
  ...clientRules,
];

/**
 * Prefix of the annotation that silences a rule for an object. The prefix is followed by the code of the rule. The
 * value of the annotation is the reason.
 */
export const silencePrefix = "rules.meshops.dev/";

/** A finding of a rule, with the object that the finding is about and the position in this object. */
export interface ObjectFinding {
  readonly manifest: Manifest;
  /** Path from the root of the object to the value with the finding. */
  readonly path: Path;
  readonly part: "key" | "value";
  readonly statement: Statement;
}

/**
 * Checks Kubernetes objects against the rules that do not need a spec. The objects can come from any tool.
 *
 * @param version the Linkerd release of the cluster; if null, the release is determined from the objects
 */
export function checkObjects(objects: readonly Manifest[], version: LinkerdVersion | null): ObjectFinding[] {
  const stream = new ManifestSet(objects);
  const release = version === null ? releaseIn(stream) : nearestRelease(version);
  return manifestRules.flatMap((rule) => [...rule.check(stream, release)].map((finding) => objectFinding(rule, finding)));
}

/**
 * Checks a YAML stream of Kubernetes objects against the rules that do not need a spec. Reads no files and prints
 * nothing.
 *
 * @param linkerd the Linkerd release of the cluster; if omitted, the release is determined from the objects
 * @returns findings sorted by position. The field `file` of each finding is the text `manifests`
 */
export function reviewManifests(text: string, linkerd?: LinkerdVersion): Diagnostic[] {
  const { objects, diagnostics } = parseManifests("manifests", text);
  return [...diagnostics, ...review(objects, linkerd ?? null)].sort(compareLocation);
}

/** Runs `checkObjects`, and returns the findings with line and column. */
export function review(objects: readonly Manifest[], version: LinkerdVersion | null): Diagnostic[] {
  const found = summarised(checkObjects(objects, version), objects);
  const byFile = groupBy(found, ({ manifest }) => manifest.source.file);
  return [...byFile.values()].flatMap((own) => capped(own, toDiagnostic)).sort(compareLocation);
}

/**
 * If no checked object mentions Linkerd, replaces all warnings of the rule network-policy-proxy-port with one summary
 * warning.
 */
function summarised(found: readonly ObjectFinding[], objects: readonly Manifest[]): readonly ObjectFinding[] {
  const isUncertain = ({ statement: { code, severity } }: ObjectFinding): boolean =>
    code === "network-policy-proxy-port" && severity === "warning";
  const [first, ...others] = found.filter(isUncertain);
  if (first === undefined || others.length === 0 || mentionLinkerd(objects)) return found;
  const message = `${others.length + 1} rules of NetworkPolicies do not allow port ${proxyPorts.inbound}. If the cluster uses Linkerd, meshed clients connect to this port. The checked objects do not show whether the cluster uses Linkerd`;
  const statement = {
    ...first.statement,
    message,
    fix: "add the option --linkerd with the Linkerd release of the cluster. If the cluster does not use Linkerd, add --linkerd none",
  };
  return [{ ...first, statement }, ...found.filter((each) => !isUncertain(each))];
}

/** Converts a finding to a diagnostic with line and column. */
export function toDiagnostic({ manifest, path, part, statement }: ObjectFinding): Diagnostic {
  return diagnosticAtPath(manifest.source, [...manifest.at, ...path], part, statement);
}

function objectFinding({ code, severity }: ManifestRule, finding: ManifestFinding): ObjectFinding {
  const { manifest, path, part = "value", message, fix, severityOverride: mild = false } = finding;
  const reason = annotationsOf(manifest)[`${silencePrefix}${code}`];
  const full: Statement = { code, severity: mild ? "warning" : severity, message, expected: null, fix };
  const silenced = full.severity === "warning" && typeof reason === "string" && reason !== "";
  return { manifest, path, part, statement: silenced ? { ...full, silenced: reason } : full };
}

/**
 * Returns the Linkerd release of the control plane, determined from image tags or from a HelmRelease. Returns null if
 * the objects contain neither Linkerd's images nor a HelmRelease of the control plane.
 */
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
