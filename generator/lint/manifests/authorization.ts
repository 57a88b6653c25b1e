import { portKeys } from "../../catalog/well-known.ts";
import { ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listOf } from "../../kubernetes/workload.ts";
import { proxyAnnotations } from "../../mesh/meshed.ts";
import { includes, parsePorts, resolvePort } from "../../mesh/ports.ts";
import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** Linkerd's own policy. */
export const authorizationRules: readonly ManifestRule[] = [
  {
    code: "policy-target-missing",
    severity: "error",
    title: "A policy that refers to something else than there is",
    why:
      "An AuthorizationPolicy hangs on a Server or route by name, and asks for authentications by name. With a wrong one it allows nobody, " +
      "and a Server without a policy refuses everybody.",
    fix: "Write the name of a Server or route of the same namespace, and of an authentication of the namespace that the reference names.",
    check: missingTargets,
  },
  {
    code: "server-selects-nothing",
    severity: "warning",
    title: "A Server that selects no pods",
    why: "A Server guards the pods that its selector selects. One that selects none guards nothing: the port stays under the mesh's default policy, which lets everybody in unless it was changed.",
    fix: "Use labels of the pod template.",
    check: emptyServers,
  },
  {
    code: "server-on-skipped-port",
    severity: "error",
    title: "A Server on a port that bypasses the proxy",
    why: "Connections to a skipped port do not pass the proxy, which is what enforces a Server. The policy looks strict, and lets everybody in.",
    fix: "Take the port off `config.linkerd.io/skip-inbound-ports`; `opaque-ports` suits protocols that the proxy cannot read.",
    check: skippedServers,
  },
];

const policyGroup = "policy.linkerd.io";

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
      if (group !== policyGroup || typeof kind !== "string") continue;
      // Without a single object of the kind in the namespace, the stream is only a part of what is applied.
      const candidates = stream
        .ofKind(policyGroup, kind)
        .filter((object) => ManifestSet.mayShareNamespace(object.namespace, String(namespace)));
      if (candidates.length === 0) continue;
      const found = candidates.some((object) => object.name === name);
      if (found) continue;
      const message = `there is no ${kind} ${String(namespace)}/${String(name)} among these objects`;
      yield {
        manifest,
        path: [...path, "name"],
        message,
        fix: `there are ${candidates
          .slice(0, 6)
          .map((object) => object.name)
          .join(", ")}`,
      };
    }
  }
}

function* emptyServers(stream: ManifestSet): Iterable<ManifestFinding> {
  if (stream.isPartial) return;
  for (const manifest of stream.ofKind(policyGroup, "Server")) {
    const { podSelector } = specOf(manifest);
    const neighbours = stream.selected(manifest.namespace, {});
    if (podSelector === undefined || neighbours.length === 0 || stream.selected(manifest.namespace, podSelector).length > 0)
      continue;
    const message = `no pods of ${manifest.namespace === "" ? "these objects" : manifest.namespace} have these labels: the Server guards nothing`;
    yield { manifest, path: ["spec", "podSelector"], message, fix: "use labels of the pod template" };
  }
}

function* skippedServers(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(policyGroup, "Server")) {
    const { podSelector, port } = specOf(manifest);
    if (podSelector === undefined) continue;
    for (const workload of stream.selected(manifest.namespace, podSelector)) {
      const number = resolvePort(port, workload);
      const skips = parsePorts(proxyAnnotations(workload, stream)[portKeys.skipInbound]);
      if (number === null || !includes(skips, number)) continue;
      const owner = `${workload.manifest.kind} ${workload.manifest.name}`;
      const message = `${owner} skips port ${number}: its connections never meet this Server`;
      yield { manifest, path: ["spec", "port"], message, fix: `take ${number} off ${portKeys.skipInbound}` };
    }
  }
}
