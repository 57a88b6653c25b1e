/** Why something is not ready, and how to fix it. Each text is one line. */
export interface Cause {
  readonly code: CauseCode;
  readonly reason: string;
  readonly fix: string;
}

type CauseCode =
  | "age-key-missing"
  | "age-key-wrong"
  | "build-failed"
  | "chart-missing"
  | "crd-missing"
  | "deleted"
  | "dependency"
  | "drift"
  | "file-changed"
  | "foreign"
  | "health"
  | "helm-locked"
  | "image-pull"
  | "immutable-field"
  | "issuer-expired"
  | "missing"
  | "name-unresolved"
  | "namespace-missing"
  | "not-meshed"
  | "pod-broken"
  | "pod-crashing"
  | "pod-unschedulable"
  | "progressing"
  | "refused"
  | "refused-by-server"
  | "secret-missing"
  | "source"
  | "stale-trust-anchors"
  | "suspended"
  | "unknown"
  | "values-missing"
  | "volume"
  | "webhook"
  | "webhook-denied";

/** What a cause is told about. */
export interface Subject {
  readonly environment: string;
  /** Name of the component that the object belongs to. */
  readonly component: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Pattern {
  readonly code: CauseCode;
  /** Kinds whose messages it is for; all where none is named. */
  readonly kinds?: readonly string[];
  readonly message: RegExp;
  readonly reason: (found: readonly string[], subject: Subject) => string;
  readonly fix: (found: readonly string[], subject: Subject) => string;
}

const seeBelow = (): string => "wait; --watch does";

/**
 * Messages of Kubernetes, Helm and Flux, the more telling first. Read off kustomize-controller 1.9.6, helm 3.22 and kube-apiserver 1.36 in the
 * cluster tests, and off the sources of kustomize-controller 1.9, helm-controller 1.6 and source-controller 1.9.
 */
const patterns: readonly Pattern[] = [
  {
    code: "progressing",
    message: /New reconciliation triggered by|latest generation of object has not been reconciled|does not have an artifact/,
    reason: () => "a newer commit, or a source, is being taken up",
    fix: seeBelow,
  },
  {
    code: "dependency",
    message: /dependency '([\w-]+)\/([\w.-]+)' (?:is not ready|revision is not up to date|not found)/,
    reason: ([, , name]) => `waits for ${name}`,
    fix: ([, , name]) => `none here: see ${name}`,
  },
  {
    code: "webhook-denied",
    message: /admission webhook "([^"]+)" denied the request: ([^\n]*)/,
    reason: ([, webhook, why]) => `the webhook ${webhook} refuses it: ${why}`,
    fix: (_, { environment }) => `the object is wrong, not the webhook: meshops validate ${environment}`,
  },
  {
    code: "webhook",
    message: /failed calling webhook "([\w.-]+)":[^\n]*?Post "https:\/\/([\w-]+)\.([\w-]+)\.svc[^"]*": ([^\n]*)/,
    reason: ([, webhook, , , why]) => `the API server asks the webhook ${webhook}, and gets no good answer: ${why}`,
    fix: ([, , service, namespace]) =>
      `kubectl get pods,endpointslices --namespace ${namespace}: the pods behind ${service} must be ready, and its caBundle theirs`,
  },
  {
    code: "values-missing",
    message: /could not resolve \w+ chart values reference '([^']+)'/,
    reason: ([, reference]) => `its values are gone: ${reference}`,
    fix: (_, { component }) => `flux reconcile kustomization ${component} brings them again`,
  },
  {
    code: "file-changed",
    message: /data integrity|MAC mismatch/,
    reason: () => "an encrypted file was changed by hand, or badly merged: its MAC does not fit",
    fix: (_, { environment }) => `restore it from Git, or meshops identity updatekeys ${environment}`,
  },
  {
    code: "age-key-missing",
    kinds: ["Kustomization"],
    message: /secrets? "sops-age" not found|decryption secret .* not found/i,
    reason: () => "Flux has no age key: there is no Secret sops-age",
    fix: (_, { environment }) => `meshops bootstrap ${environment} makes it from the key that you hold`,
  },
  {
    code: "age-key-wrong",
    message:
      /(?:cannot get sops data key|error decrypting|failed to decrypt|no identity matched|failed to import '[^']*' data from)/,
    reason: () => "the age key in the cluster does not open the encrypted Secrets",
    fix: (_, { environment }) =>
      `meshops bootstrap ${environment} puts your key there; or meshops identity updatekeys ${environment}, commit and push`,
  },
  {
    code: "immutable-field",
    message:
      /(StatefulSet|Deployment|Job|Service|PersistentVolumeClaim)[\w.]* "([\w.-]+)" is invalid:.*?(?:Forbidden: updates to statefulset spec|field is immutable|is immutable after creation)/s,
    reason: ([, kind, name]) => `a field of ${kind} ${name} has changed that Kubernetes does not let change`,
    fix: ([, kind = "", name], { namespace, component }) =>
      kind === "StatefulSet"
        ? `kubectl delete statefulset ${name} -n ${namespace} --cascade=orphan keeps pods and data; then flux reconcile helmrelease ${component} -n ${namespace} --reset`
        : `undo the change, or kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace} and let Flux make it anew`,
  },
  {
    code: "crd-missing",
    message: /no matches for kind "?([\w]+)"? in (?:version|group) "?([\w./-]+)"?/,
    reason: ([, kind, version]) => `the cluster does not know ${kind} (${version}): its CRD is missing`,
    fix: () => "the component linkerd-crds brings Linkerd's, bootstrap Flux's: is it ready, and of this version?",
  },
  {
    code: "namespace-missing",
    message: /namespaces "([\w-]+)" not found/,
    reason: ([, name]) => `there is no namespace ${name}`,
    fix: () => "the component namespaces brings it: is it ready?",
  },
  {
    code: "refused",
    message: /(exceeded quota[^\n]*|violates PodSecurity[^\n]*)/,
    reason: ([, what = ""]) => `the namespace does not admit it: ${what}`,
    fix: (_, { namespace }) => `kubectl describe namespace ${namespace}: its quota and its pod-security labels`,
  },
  {
    code: "helm-locked",
    message: /another operation \(install\/upgrade\/rollback\) is in progress/,
    reason: () => "Helm was interrupted and holds the release locked",
    fix: (_, { component, namespace }) => `flux reconcile helmrelease ${component} -n ${namespace} --force`,
  },
  {
    code: "foreign",
    message: /(\w+ "[\w.-]+"[^\n]*) exists and cannot be imported into the current release/,
    reason: ([, what]) => `${what} is there already, and somebody else's`,
    fix: () => "delete it, or hand it to Helm by its labels and annotations",
  },
  {
    code: "chart-missing",
    message:
      /(no '[\w.-]+' chart with version matching '[^']+' found|failed to fetch Helm repository index[^\n]*|Could not load chart[^\n]*|chart pull error[^\n]*|invalid chart reference[^\n]*|HelmChart '[^']+' is not ready[^\n]*)/i,
    reason: ([, what = ""]) => `the chart cannot be had: ${what.slice(0, 160)}`,
    fix: () => "is that version published, and can the cluster reach the repository? flux get sources all",
  },
  {
    code: "source",
    kinds: ["Kustomization", "GitRepository"],
    message:
      /failed to checkout|authentication required|couldn't find remote ref|git repository is empty|failed to get secret|^Source '[^']+' not found|^Source (?:artifact not found|is not ready)|failed to download artifact/i,
    reason: () => "Flux has no copy of the Git repository",
    fix: () => "is the branch pushed, and can Flux read it? flux get sources git",
  },
  {
    code: "build-failed",
    kinds: ["Kustomization"],
    message:
      /(?:kustomize build failed|failed to build|kustomization path not found|yaml: |error converting YAML|accumulating resources)/i,
    reason: (_, { component }) => `what is committed for ${component} cannot be built`,
    fix: (_, { environment, component }) =>
      `kustomize build overlays/${environment}/${component} shows it; meshops generate ${environment} writes it anew`,
  },
];

/** Finds the cause behind a message; null where none of the known ones is in it. */
export function causeOf(message: string, subject: Subject): Cause | null {
  for (const { code, kinds, message: pattern, reason, fix } of patterns) {
    const found = kinds?.includes(subject.kind) === false ? null : pattern.exec(message);
    if (found !== null) return { code, reason: oneLine(reason(found, subject)), fix: oneLine(fix(found, subject)) };
  }
  return null;
}

/** A message as it stands, where nothing better is known. */
export function unknownCause(message: string, { kind, namespace, name }: Subject): Cause {
  return {
    code: "unknown",
    reason: oneLine(message),
    fix: `kubectl describe ${kind.toLowerCase()} ${name} --namespace ${namespace}`,
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
