import type { Api, ApiObject } from "./api.ts";

/**
 * Objects of a cluster. The keys are the IDs `<resource> <namespace>/<name>`. The value for a pod changes only when
 * another pod replaces this pod. The value for any other object changes when the object changes.
 */
export type Stock = ReadonlyMap<string, string>;

/**
 * Resources without a status: only the tool that applies an object writes to this object. A new resourceVersion of such
 * an object indicates a change.
 */
const withoutStatus = [
  "/api/v1/configmaps",
  "/api/v1/secrets",
  "/api/v1/services",
  "/api/v1/serviceaccounts",
  "/apis/networking.k8s.io/v1/networkpolicies",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
  "/apis/rbac.authorization.k8s.io/v1/roles",
  "/apis/rbac.authorization.k8s.io/v1/rolebindings",
  "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
  "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
  "/apis/policy.linkerd.io/v1beta3/servers",
  "/apis/policy.linkerd.io/v1alpha1/authorizationpolicies",
  "/apis/policy.linkerd.io/v1alpha1/meshtlsauthentications",
  "/apis/linkerd.io/v1alpha2/serviceprofiles",
];
/** Resources with a status, which controllers write. A new generation of such an object indicates a change. */
const withStatus = [
  "/api/v1/namespaces",
  "/apis/apps/v1/deployments",
  "/apis/apps/v1/statefulsets",
  "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
  "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
];

/**
 * Returns the objects of a cluster, except Helm's release records and the objects that Kubernetes creates itself.
 */
export async function takeStock(api: Api): Promise<Stock> {
  const stock = new Map<string, string>();
  const add = (path: string, objects: readonly ApiObject[], mark: (object: ApiObject) => string): void => {
    const kind = path.slice(path.lastIndexOf("/") + 1);
    for (const object of objects) stock.set(`${kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`, mark(object));
  };
  for (const path of withoutStatus)
    add(path, (await api.list(path)).filter(isOurs), ({ metadata }) => metadata.resourceVersion ?? "");
  for (const path of withStatus) add(path, await api.list(path), ({ metadata }) => String(metadata.generation ?? metadata.uid));
  add("/pods", (await api.list("/api/v1/pods")).map(byWorkload), ({ metadata }) => metadata.uid ?? "");
  return stock;
}

/**
 * Returns one line per difference, sorted by ID. A line is `appeared <ID>`, `gone <ID>` or `changed <ID>`.
 */
export function changesBetween(before: Stock, after: Stock): string[] {
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort();
  return ids.flatMap((id) => {
    const [old, now] = [before.get(id), after.get(id)];
    if (old === now) return [];
    return [`${old === undefined ? "appeared" : now === undefined ? "gone" : "changed"} ${id}`];
  });
}

function isOurs({ kind, metadata, type }: ApiObject): boolean {
  return (
    type !== "helm.sh/release.v1" &&
    !/^(kube-|system:|default$)/.test(metadata.namespace ?? "") &&
    !/^(kube-root-ca\.crt|system:.*)$/.test(metadata.name) &&
    kind !== "Event"
  );
}

/**
 * Replaces the name of a pod of a Deployment with the name of the Deployment. Each pod of a Deployment has a random
 * name, so a replaced pod would otherwise be reported as a removed pod and an added pod. With the name of the
 * Deployment, it is reported as a changed pod. Other pods keep their names.
 */
function byWorkload(pod: ApiObject): ApiObject {
  const hash = pod.metadata.labels?.["pod-template-hash"];
  if (hash === undefined) return pod;
  return { ...pod, metadata: { ...pod.metadata, name: pod.metadata.name.replace(new RegExp(`-${hash}-.*$`), "") } };
}
