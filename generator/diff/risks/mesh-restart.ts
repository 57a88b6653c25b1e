import { identityRevisionKey } from "../../catalog/well-known.ts";
import { type Assessment, type ChangedObject, type ChangeSet, push, type Step } from "../../components/change-rule.ts";
import { helmReleases } from "../../components/flux-commands.ts";
import { certificatesIn } from "../../identity/pem.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import { defaultNamespaceOf } from "../objects.ts";
import { dataInNamespaces } from "./data-in-memory.ts";

/** Values of the control plane that each proxy reads only when it starts (linkerd2, pkg/inject). */
const domains = ["identityTrustDomain", "clusterDomain"] as const;

/**
 * Yields the risk of a new trust domain or cluster domain. A changed object has this risk if it contains the domain, or
 * if its pods restart because of the new domain. A test with edge-26.8.3 and a new trust domain had the following
 * results. Pods that have not restarted cannot connect to the control plane. A client that has restarted gets the
 * status 503 from pods that have not restarted. The rolling update of a StatefulSet stops at its first pod. 175 seconds
 * after all meshed pods were deleted together, all meshed pods were ready again.
 */
export function* meshRestartRisks(changed: ChangedObject, all: ChangeSet): Iterable<Assessment> {
  const concerned = changed.fields.some(({ path }) => domains.some((domain) => path === `spec.values.${domain}`));
  if (!concerned && !restarts(changed)) return;
  const plane = all.objects.find(({ kind, name }) => kind === "HelmRelease" && name === "linkerd-control-plane");
  if (at(plane?.after, "spec", "suspend") === true) return;
  const found = domains.filter((domain) => plane?.fields.some(({ path }) => path === `spec.values.${domain}`));
  if (found.length === 0) return;
  const trust = found.includes("identityTrustDomain");
  const external = all.specs.after !== null && hasExternalIdentity(all.specs.after);
  const anchors = certificatesIn(String(at(plane?.after, "spec", "values", "identityTrustAnchorsPEM") ?? ""));
  if (trust && !external && anchors.length > 1) {
    yield duringRotation(all);
    return;
  }
  yield {
    risk: "mesh-restart",
    reason: trust
      ? "all mesh identities change. Pods with old identities and pods with new identities refuse each other, and the rolling update of a StatefulSet stops at its first pod. You must therefore restart all meshed pods at the same time. This causes an outage (175 seconds in a test with a real mesh)"
      : "proxies look up the control plane in the new cluster domain only after they restart. Before the restart, proxies use the addresses from the old cluster domain. You must restart all meshed pods. This causes an outage",
    steps: stepsOf(all, trust),
  };
}

/**
 * Assesses a new trust domain during a rotation of the trust anchor. A new trust domain requires a new issuer, but
 * `meshops identity rotate-issuer` refuses to create an issuer until the rotation has ended.
 */
function duringRotation({ environment, specs }: ChangeSet): Assessment {
  const old = specs.before?.spec.linkerd.identity.trustDomain;
  return {
    risk: "mesh-restart",
    reason:
      "the trust domain changes while a rotation of the trust anchor is in progress. A new trust domain requires a new issuer, and meshops can create this issuer only after the rotation has ended",
    steps: [
      {
        phase: "stop",
        text: `Do not push this change. Set linkerd.identity.trustDomain${old === undefined ? " to its previous value" : `: ${old}`}, and complete the rotation in separate commits with the following command. Then change the trust domain.`,
        command: `meshops identity rotate-anchor ${environment}`,
      },
    ],
  };
}

/** Whether the pods of an object restart so that their proxies read new settings. */
function restarts({ fields }: ChangedObject): boolean {
  return fields.some(({ path }) => path.includes(identityRevisionKey));
}

function stepsOf({ environment, objects, specs }: ChangeSet, trust: boolean): Step[] {
  const { clusterDomain = "", identity } = specs.after?.spec.linkerd ?? {};
  // The chart writes its values to the ConfigMap linkerd-config (linkerd-control-plane, templates/config.yaml).
  const value = trust ? `identityTrustDomain: ${identity?.trustDomain}` : `clusterDomain: ${clusterDomain}`;
  const applied = `until kubectl get configmap linkerd-config --namespace linkerd --output yaml | grep --quiet "${value}"; do sleep 5; done`;
  const namespaces = [
    ...new Set(
      objects.filter(restarts).map(({ kind, namespace, after }) => (kind === "Overlay" ? defaultNamespaceOf(after) : namespace)),
    ),
  ].sort();
  const lost = dataInNamespaces(namespaces);
  return [
    ...(trust
      ? []
      : [
          {
            text: "Check that the kubelets and the DNS of the cluster already use the new cluster domain. meshops does not configure the kubelets or the DNS.",
          },
        ]),
    { text: "Announce an outage of all meshed workloads in the cluster." },
    ...(trust ? [newIssuer(environment, specs.after)] : []),
    push,
    {
      text: `Wait until the pods of the control plane have restarted with the new ${trust ? "trust domain" : "cluster domain"}.${trust ? " Do not wait for StatefulSets: their rolling updates stop at the first pod." : ""}`,
      command: `${applied} && kubectl wait ${helmReleases}/linkerd-control-plane --namespace linkerd --for=condition=Ready --timeout=15m && kubectl rollout status deployment --namespace linkerd --timeout=15m`,
    },
    {
      text: `Delete all pods in the namespaces of the environment at the same time, also pods of other tools. Their controllers create new pods with new proxies.${lost === "" ? "" : ` Without a persistent volume, ${lost} are lost.`}`,
      command: `for n in ${namespaces.join(" ")}; do kubectl delete pods --all --namespace "$n" --wait=false; done`,
    },
    {
      text: "List all meshed pods in the cluster, and restart the pods that you did not delete in the previous step.",
      command: "kubectl get pods --all-namespaces --selector linkerd.io/control-plane-ns",
    },
    { text: "Test the mesh.", command: `meshops status ${environment} --watch && meshops verify ${environment}` },
  ];
}

/** Step in which the issuer gets a certificate whose name contains the new trust domain. */
function newIssuer(environment: string, after: Environment | null): Step {
  if (after !== null && hasExternalIdentity(after))
    return {
      text: "Let the program that issues the certificates create an issuer whose name contains the new trust domain. The trust anchor does not change.",
    };
  return {
    text: "If you have not done so for this change, create an issuer whose name contains the new trust domain. The trust anchor and the webhook certificates do not change.",
    command: `meshops identity rotate-issuer ${environment} && meshops generate ${environment}`,
  };
}
