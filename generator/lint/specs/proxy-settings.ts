import { linkerdRelease } from "../../catalog/linkerd.ts";
import { linkerdAnnotations, readBy } from "../../catalog/linkerd-annotations.ts";
import { portKeys, proxyPrefix } from "../../catalog/well-known.ts";
import { declaredPods } from "../../components/workloads/entries.ts";
import type { Path } from "../../diagnostics/source.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import type { StringMap } from "../../kubernetes/object.ts";
import { rejectedValue } from "../../mesh/annotation-values.ts";
import { includes, parsePorts } from "../../mesh/ports.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { Rule, RuleFinding } from "../../spec/rule.ts";

/** Rule about the proxy settings of workloads (`spec.workloads.<workload>.pods.<set>.proxy`). */
export const proxySettingRule: Rule = {
  code: "workload-proxy-setting",
  severity: "error",
  title: "A workload has a proxy setting or a value that Linkerd does not support",
  why: "A set of pods is an entry of `pods` in a workload. meshops writes the field `proxy` of a set of pods as annotations with the prefix `config.linkerd.io/`. Linkerd ignores an annotation with an unknown name. If Linkerd cannot parse a value, Linkerd uses the default value instead. If you set `opaque-ports`, your list replaces the list that meshops generates from the opaque ports of the set of pods.",
  fix: "Use a setting and a value from [docs/annotations.md](../annotations.md).",
  check: proxySettings,
};

function* proxySettings(environment: Environment): Iterable<RuleFinding> {
  for (const { name, set, pods, at } of declaredPods(environment)) {
    const annotations = Object.fromEntries(Object.entries(set.proxy).map(([key, value]) => [proxyPrefix + key, value]));
    yield* settingFindings(annotations, (key) => at("proxy", key.slice(proxyPrefix.length)), "pod", environment);
    if (set.inject === "disabled" && Object.keys(set.proxy).length > 0)
      yield {
        paths: [at("proxy")],
        part: "key",
        message: `the pods of ${name} have no proxy, so the settings below proxy: have no effect`,
        fix: "remove proxy: and its settings",
      };
    const opaque = portKeys.opaque.slice(proxyPrefix.length);
    const list = set.proxy[opaque];
    const [missing] = Object.entries(pods.ports).filter(
      ([, { port, protocol }]) => list !== undefined && protocol === "opaque" && !includes(parsePorts(list), port),
    );
    if (missing !== undefined)
      yield {
        paths: [at("proxy", opaque)],
        part: "key",
        message: `opaque-ports of ${name} does not contain port ${missing[1].port} (${missing[0]}), although this port has protocol: opaque`,
        fix: "remove opaque-ports. meshops then generates the list from the ports with protocol: opaque",
      };
  }
}

/**
 * Annotation for the default inbound policy. Linkerd supports the value `audit` of this annotation since edge-24.7
 * (linkerd2, policy-controller/k8s/index/src/defaults.rs). Linkerd stable-2.14 ignores `audit`.
 */
const defaultPolicyKey = `${proxyPrefix}default-inbound-policy`;

/**
 * Yields a finding for each annotation that Linkerd does not read from objects of the kind `place`, and for each value
 * that Linkerd does not accept.
 *
 * @param pathOf returns the path of the field in the spec that contains the value of the annotation
 */
export function* settingFindings(
  annotations: StringMap,
  pathOf: (key: string) => Path,
  place: "namespace" | "pod",
  environment: Environment,
): Iterable<RuleFinding> {
  const release = linkerdRelease(environment.spec.linkerd.version);
  const known = Object.entries(linkerdAnnotations)
    .filter(([key, annotation]) => key.startsWith(proxyPrefix) && annotation.on.includes(place))
    .map(([key]) => key.slice(proxyPrefix.length));
  for (const [key, value] of Object.entries(annotations)) {
    const path = pathOf(key);
    const annotation = linkerdAnnotations[key];
    if (annotation === undefined || !annotation.on.includes(place)) {
      const written = key.slice(proxyPrefix.length);
      const withoutPrefix = written.startsWith(proxyPrefix) ? written.slice(proxyPrefix.length) : written;
      const fix = known.includes(withoutPrefix)
        ? `did you mean "${withoutPrefix}"?`
        : (didYouMean(withoutPrefix, known) ?? "remove this setting");
      yield { paths: [path], part: "key", message: `Linkerd does not read the annotation ${key} from ${place}s`, fix };
      continue;
    }
    if (readBy(annotation, release) !== "yes")
      yield {
        paths: [path],
        part: "key",
        message: `Linkerd ${release.version} does not read the annotation ${key}`,
        fix: "remove this setting",
      };
    if (key === defaultPolicyKey && value === "audit" && release.channel === "stable")
      yield {
        paths: [path],
        message: `Linkerd ${release.version} does not support "audit" as the default inbound policy`,
        fix: "remove this setting",
      };
    const expected = rejectedValue(annotation.format, value);
    if (expected !== null)
      yield {
        paths: [path],
        message: `Linkerd does not accept "${value}" as the value of ${key}`,
        expected,
        fix: "remove this setting, or use another value",
      };
  }
}
