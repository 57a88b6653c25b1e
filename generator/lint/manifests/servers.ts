import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { policyGroup as group, uninjectedNamespaces } from "../../catalog/well-known.ts";
import { nearest } from "../../diagnostics/suggest.ts";
import { ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { listAt, mapAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import { refersToServer } from "../../mesh/policy-readers.ts";
import { resolvePort } from "../../mesh/ports.ts";
import { isSame } from "../../mesh/reference-kind.ts";
import { routesOfServer } from "../../mesh/servers.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";
import { firstNames } from "./names.ts";

/** Rules about the clients that Servers admit. */
export const serverRules: readonly ManifestRule[] = [
  {
    code: "server-denies-all",
    severity: "warning",
    title: "No policy allows clients to connect to a Server",
    why: "By default, a Server has the access policy `deny`. With `deny`, the Server allows only clients that an AuthorizationPolicy or a ServerAuthorization allows (linkerd.io, “Authorization Policy”).",
    fix: "Add an AuthorizationPolicy for the Server, or for its namespace. To admit all clients and only count their requests, set `accessPolicy: audit`.",
    check: closedServers,
  },
  {
    code: "servers-overlap",
    severity: "error",
    title: "Two Servers select the same port of the same pods",
    why: "Linkerd applies only one Server to each port of a pod. The policy controller uses the Server that was created first. The policy controller ignores the other Server and the policies of the other Server (linkerd2, policy-controller/k8s/index/src/inbound/index.rs).",
    fix: "Remove one of the Servers, or use labels that do not select the same pods.",
    check: overlaps,
  },
  {
    code: "identity-unmatched",
    severity: "error",
    title: "A policy refers to an identity or service account that does not exist",
    why: "The identity of a meshed client is `<service account>.<namespace>.serviceaccount.identity.<Linkerd's namespace>.<trust domain>`. If an identity in a policy contains a typing error, the policy does not admit the client. Linkerd reports no error.",
    fix: "To admit one client, use the identity of its service account. To admit all identities, use `*`. To admit all identities with the same ending, for example all service accounts of a namespace, use `*.` followed by this ending.",
    check: identities,
  },
];

function* closedServers(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  const policies = stream.ofKind(group, "AuthorizationPolicy");
  for (const manifest of stream.ofKind(group, "Server")) {
    const { accessPolicy = "deny" } = specOf(manifest);
    if (accessPolicy !== "deny" || stream.isPartialIn(manifest.namespace)) continue;
    const near = (object: Manifest): boolean => ManifestSet.mayShareNamespace(object.namespace, manifest.namespace);
    const labels = mapAt(manifest.value, "metadata", "labels");
    const targets = policies.filter(near).map((policy) => mapAt(specOf(policy), "targetRef"));
    const attached = routesOfServer(manifest, stream);
    const allowed =
      targets.some(({ kind, name }) => isSame(kind, "Namespace") || (isSame(kind, "Server") && name === manifest.name)) ||
      targets.some(({ name }) => attached.some((route) => route.name === name)) ||
      stream
        .ofKind(group, "ServerAuthorization")
        .some((each) => near(each) && refersToServer(specOf(each), manifest.name, labels));
    if (allowed) continue;
    yield {
      manifest,
      path: ["metadata", "name"],
      message: "this Server denies all clients, because no AuthorizationPolicy among the checked objects applies to the Server",
      fix: `add an AuthorizationPolicy whose targetRef is Server ${manifest.name}${release?.channel !== "stable" && manifest.apiVersion.endsWith("v1beta3") ? ", or set accessPolicy: audit" : ""}`,
    };
  }
}

function* overlaps(stream: ManifestSet): Iterable<ManifestFinding> {
  const seen = new Map<string, Manifest>();
  for (const manifest of stream.ofKind(group, "Server")) {
    const { podSelector, port } = specOf(manifest);
    if (podSelector === undefined) continue;
    const taken = stream.selected(manifest, podSelector).flatMap((workload) => {
      const number = resolvePort(port, workload);
      return number === null ? [] : [{ workload, number, key: keyOf(workload, number) }];
    });
    const clash = taken.find(({ key }) => seen.has(key));
    const other = clash === undefined ? undefined : seen.get(clash.key);
    if (clash !== undefined && other !== undefined && other.name !== manifest.name)
      yield {
        manifest,
        path: ["spec", "port"],
        message: `this Server and Server ${other.name} select the same port ${clash.number} of ${clash.workload.manifest.kind} ${clash.workload.manifest.name}. Linkerd uses only the Server that was created first`,
        fix: `remove one of these two Servers, or change the podSelector of one of them`,
      };
    for (const { key } of taken) if (!seen.has(key)) seen.set(key, manifest);
  }
}

function keyOf({ manifest }: Workload, port: number): string {
  return `${manifest.kind}/${manifest.namespace}/${manifest.name}:${port}`;
}

function* identities(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stream.ofKind(group, "MeshTLSAuthentication")) {
    const { identities: listed, identityRefs } = specOf(manifest);
    for (const [index, identity] of listOf(listed).entries()) {
      const wrong = typeof identity === "string" ? wrongIdentity(identity, stream) : null;
      if (wrong !== null) yield { manifest, path: ["spec", "identities", index], ...wrong };
    }
    yield* missingAccounts(stream, manifest, ["spec", "identityRefs"], listOf(identityRefs));
  }
  for (const manifest of stream.ofKind(group, "AuthorizationPolicy"))
    yield* missingAccounts(
      stream,
      manifest,
      ["spec", "requiredAuthenticationRefs"],
      listAt(specOf(manifest), "requiredAuthenticationRefs"),
    );
}

/**
 * If no client can have the given identity, returns a message and a fix. Otherwise, returns null. Also returns null for
 * a SPIFFE ID, because SPIFFE IDs are the identities of workloads outside Kubernetes.
 */
function wrongIdentity(identity: string, stream: ManifestSet): { message: string; fix: string } | null {
  if (/\$\{|\{\{/.test(identity) || identity === "*" || identity.startsWith("spiffe://")) return null;
  if (identity !== identity.trim())
    return { message: `the identity "${identity}" begins or ends with a space`, fix: `use "${identity.trim()}"` };
  const misspelt = misspeltPart(identity);
  if (misspelt !== null)
    return {
      message: `the identity "${identity}" contains the misspelled part "${misspelt.written}", so no client has this identity`,
      fix: `use "${identity.replace(misspelt.written, misspelt.meant)}"`,
    };
  if (identity.startsWith("*.")) return null;
  const [, account = "", namespace = ""] = /^([^.]+)\.([^.]+)\.serviceaccount\.identity\.[^.]+\..+$/.exec(identity) ?? [];
  if (account === "")
    return {
      message: `the identity "${identity}" is not the full identity of a service account`,
      fix: "use <service account>.<namespace>.serviceaccount.identity.<Linkerd's namespace>.<trust domain>",
    };
  const known = stream.ofKind("", "ServiceAccount");
  const exists = (name: string, inside: string): boolean => known.some((each) => each.name === name && each.namespace === inside);
  if (!exists(account, namespace) && exists(namespace, account))
    return {
      message: `the identity "${identity}" contains the service account and the namespace in the wrong order`,
      fix: `use "${identity.replace(`${account}.${namespace}`, `${namespace}.${account}`)}"`,
    };
  return null;
}

/** Fixed parts of an identity, and the default trust domain. */
const parts = ["serviceaccount", "identity", "linkerd", "cluster.local"];

/**
 * Returns the part of the given identity that differs from one of the fixed parts by one or two letters; null if the
 * identity has no such part.
 */
function misspeltPart(identity: string): { written: string; meant: string } | null {
  const [, , ...rest] = identity.replace(/^\*\./, "any.").split(".");
  const [account = "", kind = "", namespace = "", ...domain] = identity.startsWith("*.") ? identity.split(".").slice(-5) : rest;
  for (const written of [account, kind, namespace, domain.join(".")]) {
    const meant = written === "" || parts.includes(written) ? null : nearest(written, parts, 2);
    if (meant !== null) return { written, meant };
  }
  return null;
}

/**
 * Yields a finding for each reference to a missing service account. Skips references to a namespace if the checked
 * objects contain no service account of this namespace.
 */
function* missingAccounts(
  stream: ManifestSet,
  manifest: Manifest,
  path: readonly string[],
  references: readonly unknown[],
): Iterable<ManifestFinding> {
  for (const [index, reference] of references.entries()) {
    const { kind, name, namespace = manifest.namespace } = asMap(reference);
    if (stream.isPartialIn(String(namespace))) continue;
    if (!isSame(kind, "ServiceAccount") || typeof name !== "string" || name === "default") continue;
    if (uninjectedNamespaces.includes(String(namespace))) continue;
    const known = stream.ofKind("", "ServiceAccount").filter((each) => each.namespace === namespace);
    if (known.length === 0 || known.some((each) => each.name === name)) continue;
    yield {
      manifest,
      path: [...path, index, "name"],
      message: `this ${manifest.kind} refers to ServiceAccount ${String(namespace)}/${name}, which is not among the checked objects`,
      fix: `use the name of an existing ServiceAccount: ${firstNames(known)}`,
    };
  }
}
