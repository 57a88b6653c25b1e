import { injectedLabel, policyGroup, portKeys } from "../../catalog/well-known.ts";
import { ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at } from "../../kubernetes/object-fields.ts";

import { proxyAnnotations } from "../../mesh/meshed.ts";
import { includes, parsePorts, resolvePort } from "../../mesh/ports.ts";
import { isSame } from "../../mesh/reference-kind.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { firstNames } from "./names.ts";

/** Rules about Linkerd's policy resources. */
export const authorizationRules: readonly ManifestRule[] = [
  {
    code: "policy-target-missing",
    severity: "error",
    title: "An AuthorizationPolicy refers to a missing object",
    why:
      "An AuthorizationPolicy contains the name of a Server or route, and the names of the required authentications. If one of these names is wrong, the policy allows " +
      "no client. By default, a Server without an AuthorizationPolicy denies all clients.",
    fix: "In `targetRef`, use the name of a Server or route in the namespace of the policy. In `requiredAuthenticationRefs`, use the name of an existing authentication. The authentication must be in the namespace that the reference specifies (default: the namespace of the policy).",
    check: missingTargets,
  },
  {
    code: "server-selects-nothing",
    severity: "warning",
    title: "A Server selects no pods",
    why: "A Server protects only the pods that match its `podSelector`. A Server that selects no pods protects no port. Linkerd's default inbound policy then applies to the pods that you wanted to protect. If you did not change the default inbound policy, it allows all clients.",
    fix: "In the `podSelector` of the Server, use labels that the pod template of the workload contains.",
    check: emptyServers,
  },
  {
    code: "server-on-skipped-port",
    severity: "error",
    title: "A Server selects a port that the proxy skips",
    why: "The proxy of a pod enforces the Servers that select the pod. Connections to a skipped port bypass the proxy. A Server therefore has no effect on a skipped port, and all clients can connect to this port.",
    fix: "Remove the port from `config.linkerd.io/skip-inbound-ports`. For protocols that the proxy cannot parse, use `config.linkerd.io/opaque-ports`.",
    check: skippedServers,
  },
];

function* missingTargets(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(policyGroup, "AuthorizationPolicy")) {
    const { targetRef, requiredAuthenticationRefs } = specOf(manifest);
    const references = [
      { path: ["spec", "targetRef"], reference: asMap(targetRef) },
      ...listOf(requiredAuthenticationRefs).map((entry, index) => ({
        path: ["spec", "requiredAuthenticationRefs", index],
        reference: asMap(entry),
      })),
    ];
    for (const { path, reference } of references) {
      const { group, kind, name, namespace = manifest.namespace } = reference;
      const known = isSame(group, policyGroup) ? stream.objectsOf(policyGroup, (own) => isSame(kind, own)) : [];
      // If the namespace contains no object of this kind, the checked objects are probably only a part of all objects.
      // In this case, report nothing.
      const candidates = known.filter((object) => ManifestSet.sharesNamespace(manifest, object, String(namespace)));
      const found = known.some(
        (object) => object.name === name && ManifestSet.mayShareNamespace(object.namespace, String(namespace)),
      );
      if (candidates.length === 0 || found) continue;
      const message = `this AuthorizationPolicy refers to ${String(kind)} ${String(namespace)}/${String(name)}, which is not among the checked objects`;
      yield {
        manifest,
        path: [...path, "name"],
        message,
        fix: `use the name of an existing ${String(kind)}: ${firstNames(candidates)}`,
      };
    }
  }
}

function* emptyServers(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(policyGroup, "Server")) {
    const { podSelector } = specOf(manifest);
    if (stream.isPartialIn(manifest.namespace)) continue;
    if (selectorKeys(podSelector).some((key) => injectedLabel.test(key))) continue;
    const neighbours = stream.selected(manifest, {});
    if (podSelector === undefined || neighbours.length === 0) continue;
    if (stream.maybeSelected(manifest.namespace, podSelector).length > 0) continue;
    const message = `this Server protects no port, because no pod ${manifest.namespace === "" ? "in the checked manifests" : `in namespace ${manifest.namespace}`} has the labels in its podSelector`;
    yield {
      manifest,
      path: ["spec", "podSelector"],
      message,
      fix: "in the podSelector, use labels that the pod template of the workload contains",
    };
  }
}

function* skippedServers(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(policyGroup, "Server")) {
    const { podSelector, port } = specOf(manifest);
    if (podSelector === undefined) continue;
    for (const workload of stream.selected(manifest, podSelector)) {
      const number = resolvePort(port, workload);
      const skips = parsePorts(proxyAnnotations(workload, stream)[portKeys.skipInbound]);
      if (number === null || !includes(skips, number)) continue;
      const owner = `${workload.manifest.kind} ${workload.manifest.name}`;
      const message = `${owner} skips port ${number}. Connections to this port bypass the proxy, so this Server does not protect the port`;
      yield { manifest, path: ["spec", "port"], message, fix: `remove ${number} from ${portKeys.skipInbound}` };
    }
  }
}

function selectorKeys(selector: unknown): string[] {
  const { matchLabels, matchExpressions } = asMap(selector);
  return [...Object.keys(asMap(matchLabels)), ...listOf(matchExpressions).map((each) => String(at(each, "key")))];
}
