import { linkerdRelease } from "../../catalog/linkerd.ts";
import { uninjectedNamespaces } from "../../catalog/well-known.ts";
import { isDescribedAsMeshed } from "../../mesh/described-pod.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import { isAudited, isProtected, modeOf } from "../../mesh/pod-set.ts";
import { policiesFor } from "../../mesh/policies.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { declaredAnnotationsOf } from "./delivery.ts";
import { clientsOf, declaredPods } from "./entries.ts";

/** Rules about the sets of pods of `spec.workloads`. */
export const podRules: readonly Rule[] = [
  {
    code: "workload-selector-empty",
    severity: "error",
    title: "A selector selects all pods of the namespace",
    why: "A label selector without labels or expressions selects every pod (Kubernetes API, LabelSelector). The policies would then apply to all pods in the namespace.",
    fix: "Add the labels of the pods to `selector.matchLabels`.",
    check: emptySelectors,
  },
  {
    code: "workload-port-duplicate",
    severity: "error",
    title: "Two ports of a set of pods have the same number",
    why: "meshops generates one Server for each port. If two Servers select the same port of a pod, only the older Server applies (linkerd2, policy-controller, inbound index).",
    fix: "Remove one of the two ports, and add the clients of the removed port to the remaining port.",
    check: duplicatePorts,
  },
  {
    code: "workload-name-taken",
    severity: "error",
    title: "The policies of two sets of pods have the same name",
    why: "The policies of a set of pods are named `<workload>-<set>` and `<workload>-<set>-<port>`. In one namespace, the policies of the sets of pods `shop/api-v2` and `shop-api/v2` would have the same names. The Kustomization of each workload would then overwrite the policies of the other workload.",
    fix: "Use another name for the workload, the set of pods or the port.",
    check: takenNames,
  },
  {
    code: "audit-admits-more",
    severity: "warning",
    title: "The mode `audit` admits clients that the default inbound policy of the namespace refuses",
    why: "On a port that a Server selects, the Server determines which clients can connect. The default inbound policy of the pods does not apply to this port (linkerd2, policy-controller, inbound index). In the mode `audit`, the Server admits all clients. Clients that the default inbound policy of the namespace refuses therefore gain access.",
    fix: "When `meshops status` no longer lists clients that the mode `enforce` would refuse, set `access.mode: enforce`. If you want to admit these clients during the audit, silence the rule.",
    check: widerAudits,
  },
  {
    code: "workload-port-skipped",
    severity: "warning",
    title: "The proxy skips a port with restricted access",
    why: "Connections to a port in `skip-inbound-ports` do not pass through the proxy. Linkerd therefore does not check identities, and the port has no Server. The NetworkPolicy admits every pod that is in the namespace of a client and has the label of meshed pods.",
    fix: "Remove the port from `skip-inbound-ports`, or silence the rule.",
    check: skippedPorts,
  },
  {
    code: "workload-dependency",
    severity: "error",
    title: "`dependsOn` of a workload without `source` contains an entry other than `kustomization`",
    why: "If a workload does not set `source`, `dependsOn` applies to the policies of the workload. These policies are in a Flux Kustomization. A Kustomization can wait only for other Kustomizations (kustomize-controller, `dependsOn`).",
    fix: "In `dependsOn`, use `kustomization` with the name and namespace of a Kustomization.",
    check: dependencies,
  },
  {
    code: "access-audit-unsupported",
    severity: "error",
    title: "The Linkerd release does not support the mode `audit`",
    why: "Linkerd 2.16 and later releases support the field `accessPolicy` of Servers (linkerd-crds, servers.policy.linkerd.io). An older release ignores the field, and refuses all clients that are not in `access.clients`.",
    fix: "Use `mode: off`, or a newer Linkerd release. If `access.clients` contains all clients, you can also use `mode: enforce`.",
    check: unsupportedAudit,
  },
  {
    code: "workload-not-meshed",
    severity: "error",
    title: "Pods without a proxy have access rules that only a proxy can enforce",
    why: "Only a proxy can check the identity of a client. Pods without a proxy have no inbound port 4143. A NetworkPolicy that admits only connections between proxies therefore refuses every client. Linkerd never injects pods in the namespaces kube-system and cert-manager (linkerd-control-plane, `proxyInjector.namespaceSelector`).",
    fix: "Inject the pods, or set `access.mode: off` for this set of pods.",
    check: withoutProxy,
  },
  {
    code: "identity-shared",
    severity: "warning",
    title: "Two sets of pods have the same identity",
    why: "The identity of a meshed pod is its service account. If two sets of pods share a service account, Linkerd cannot distinguish the two sets. An entry in `access.clients` that admits the pods of one set also admits the pods of the other set.",
    fix: "Give each set of pods its own service account, or silence the rule.",
    check: sharedIdentities,
  },
  {
    code: "selector-overlap",
    severity: "warning",
    title: "Two sets of pods can select the same pods",
    why: "If two Servers select the same port of a pod, only the older Server applies (linkerd2, policy-controller, inbound index). NetworkPolicies are additive, so the clients of one set can also connect to pods of the other set.",
    fix: "In each of the two selectors, add a label that the pods of the other set do not have.",
    check: overlaps,
  },
];

function* emptySelectors(environment: Environment): Iterable<RuleFinding> {
  for (const { name, set, at } of declaredPods(environment)) {
    const { matchLabels, matchExpressions } = set.selector;
    if (Object.keys(matchLabels).length + matchExpressions.length > 0) continue;
    yield {
      paths: [at("selector")],
      message: `the selector of ${name} selects all pods of the namespace`,
      fix: "add the labels of the pods to matchLabels",
    };
  }
}

function* duplicatePorts(environment: Environment): Iterable<RuleFinding> {
  for (const { name, set, at } of declaredPods(environment)) {
    const first = new Map<number, string>();
    for (const [key, { port }] of Object.entries(set.ports)) {
      const other = first.get(port);
      if (other === undefined) first.set(port, key);
      else
        yield {
          paths: [at("ports", key)],
          part: "key",
          message: `the ports ${other} and ${key} of ${name} have the same number ${port}`,
          fix: "remove one of the two ports, or change the number of one of them",
        };
    }
  }
}

function* takenNames(environment: Environment): Iterable<RuleFinding> {
  const release = linkerdRelease(environment.spec.linkerd.version);
  const owners = new Map<string, string>();
  for (const { name, pods, at } of declaredPods(environment)) {
    const { network, mesh } = policiesFor(pods, release);
    const taken = [...network, ...mesh].flatMap(({ kind, metadata }) => {
      const id = `${kind} ${metadata.namespace}/${metadata.name}`;
      const owner = owners.get(id);
      owners.set(id, owner ?? name);
      return owner === undefined ? [] : [{ id, owner }];
    });
    const [first] = taken;
    if (first === undefined) continue;
    yield {
      paths: [at()],
      part: "key",
      message:
        first.owner === name
          ? `meshops would generate ${first.id} twice, for two ports of ${name}`
          : `meshops would generate ${first.id} twice, for ${first.owner} and for ${name}`,
      fix:
        first.owner === name
          ? "use another name for one of the two ports"
          : "use another name for this set of pods or for its workload",
    };
  }
}

function* widerAudits(environment: Environment): Iterable<RuleFinding> {
  for (const { name, pods, at } of declaredPods(environment)) {
    const policy = defaultPolicyIn(pods.namespace, environment);
    if (policy === "all-unauthenticated" || policy === "audit" || !isAudited(pods)) continue;
    yield {
      paths: [at("access", "mode"), at()],
      message: `the access mode "audit" admits all clients to ${name}, including clients that the default inbound policy "${policy}" of namespace ${pods.namespace} refuses`,
      fix: "wait until meshops status lists no clients that the mode enforce would refuse, then set access.mode: enforce; or silence the rule during the audit",
    };
  }
}

function* skippedPorts(environment: Environment): Iterable<RuleFinding> {
  for (const { name, pods, at } of declaredPods(environment))
    for (const [key, port] of Object.entries(pods.ports)) {
      if (port.skipsProxy !== true || modeOf(pods, port) === "off") continue;
      yield {
        paths: [at("ports", key)],
        part: "key",
        message: `the proxies of ${name} skip port ${port.port}, so Linkerd does not check the clients of this port`,
        fix: "remove this port from the set of pods, or remove its number from skip-inbound-ports",
      };
    }
}

function* dependencies(environment: Environment): Iterable<RuleFinding> {
  for (const [workload, { dependsOn, ...rest }] of Object.entries(environment.spec.workloads))
    for (const [index, { kustomization }] of dependsOn.entries()) {
      if (deliversWorkload(rest) || kustomization !== undefined) continue;
      yield {
        paths: [spec("workloads", workload, "dependsOn", index)],
        message: `the workload ${workload} does not set source, so its field dependsOn can contain only Kustomizations`,
        fix: "remove this entry, or replace it with the Kustomization to wait for: {kustomization: {name: …, namespace: …}}",
      };
    }
}

function* unsupportedAudit(environment: Environment): Iterable<RuleFinding> {
  const release = linkerdRelease(environment.spec.linkerd.version);
  if (release.channel !== "stable") return;
  const message = `Linkerd ${release.version} does not support the access mode "audit". It would refuse all clients that access.clients does not list`;
  for (const { set, at } of declaredPods(environment)) {
    if (set.access.mode === "audit") yield { paths: [at("access", "mode")], message, fix: "set access.mode: off" };
    for (const [key, port] of Object.entries(set.ports))
      if (port.access === "audit") yield { paths: [at("ports", key, "access")], message, fix: "set access: off" };
  }
}

function* withoutProxy(environment: Environment): Iterable<RuleFinding> {
  for (const { name, pods, at } of declaredPods(environment)) {
    const { namespace, inject } = pods;
    if (!isProtected(pods) || isDescribedAsMeshed(pods, declaredAnnotationsOf(namespace, environment))) continue;
    const [why, fix] = uninjectedNamespaces.includes(namespace)
      ? [
          `Linkerd does not inject pods in namespace ${namespace}`,
          "set access.mode: off, which admits all clients, or use another namespace for the workload",
        ]
      : inject === "disabled"
        ? [`the pods of ${name} are not injected`, "set inject: enabled, or access.mode: off"]
        : [
            `spec.namespaces does not enable injection in namespace ${namespace}`,
            `set namespaces.${namespace}.mesh.inject: enabled`,
          ];
    yield {
      paths: [at("access", "mode"), at()],
      message: `${why}, so no proxy checks the identities of the clients of ${name}`,
      fix,
    };
  }
}

function* sharedIdentities(environment: Environment): Iterable<RuleFinding> {
  const used = new Set(clientsOf(environment).map(({ client }) => client.workload));
  const byIdentity = new Map<string, string>();
  for (const { name, set, pods, at } of declaredPods(environment)) {
    const identity = `${pods.namespace}/${set.serviceAccountName}`;
    const first = byIdentity.get(identity);
    if (first === undefined) byIdentity.set(identity, name);
    else if (used.has(name) || used.has(first))
      yield {
        paths: [at("serviceAccountName"), at()],
        message: `${name} and ${first} have the same service account, ${identity}. A port that admits ${first} also admits ${name}, and vice versa`,
        fix: `give this set of pods its own service account, such as ${name.replace("/", "-")}`,
      };
  }
}

function* overlaps(environment: Environment): Iterable<RuleFinding> {
  const entries = declaredPods(environment);
  for (const [index, { name, pods, at }] of entries.entries()) {
    const first = entries
      .slice(0, index)
      .find((other) => other.pods.namespace === pods.namespace && mayShare(other.pods.selector, pods.selector));
    if (first === undefined || (!isProtected(first.pods) && !isProtected(pods))) continue;
    yield {
      paths: [at("selector")],
      message: `the selectors of ${first.name} and ${name} can select the same pods`,
      fix: `extend the selector with a label that only the pods of ${name} have`,
    };
  }
}

/**
 * Whether two selectors with `matchLabels` can select the same pods. Returns false if a selector has expressions,
 * because this function does not compare expressions.
 */
function mayShare(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  if ("matchExpressions" in one || "matchExpressions" in other) return false;
  const [a, b] = [one, other].map(({ matchLabels = {} }) => matchLabels as Readonly<Record<string, string>>);
  return Object.entries(a ?? {}).every(([key, value]) => b?.[key] === undefined || b[key] === value);
}
