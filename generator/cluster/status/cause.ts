import { type Placement, reconcileCommand } from "../../bundle/emit/placement.ts";
/** The reason why an object is not ready, and the fix. `reason` and `fix` each consist of one line. */
export interface Cause {
  readonly code: CauseCode;
  readonly reason: string;
  readonly fix: string;
}

type CauseCode =
  | "account"
  | "age-key-missing"
  | "age-key-wrong"
  | "build-failed"
  | "chart-missing"
  | "crd-missing"
  | "deleted"
  | "description"
  | "dependency"
  | "drift"
  | "file-changed"
  | "foreign"
  | "health"
  | "helm-locked"
  | "image-pull"
  | "immutable-field"
  | "issuer-expired"
  | "linkerd-fact"
  | "missing"
  | "name-unresolved"
  | "namespace-missing"
  | "namespace-setting"
  | "not-meshed"
  | "pod-broken"
  | "pod-crashing"
  | "pod-evicted"
  | "pod-terminating"
  | "pod-unschedulable"
  | "probe-failing"
  | "progressing"
  | "refused"
  | "refused-by-server"
  | "rollout-stalled"
  | "secret-missing"
  | "source"
  | "stale-trust-anchors"
  | "suspended"
  | "unknown"
  | "values-missing"
  | "volume"
  | "webhook"
  | "webhook-denied";

/** The object that is not ready. */
export interface Subject {
  readonly environment: string;
  readonly placement: Placement;
  /** Name of the component that contains the object. */
  readonly component: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

interface Pattern {
  readonly code: CauseCode;
  /** Kinds of objects whose messages are compared with the pattern; default: all kinds. */
  readonly kinds?: readonly string[];
  readonly message: RegExp;
  readonly reason: (found: readonly string[], subject: Subject) => string;
  readonly fix: (found: readonly string[], subject: Subject) => string;
}

const wait = (): string => "wait; to follow the progress, run meshops status --watch";

/**
 * Patterns for the messages of Kubernetes, Helm and Flux. More specific patterns are first. Some messages were observed
 * in the cluster tests with kustomize-controller 1.9.6, helm 3.22 and kube-apiserver 1.36. The other messages are from
 * the source code of kustomize-controller 1.9, helm-controller 1.6 and source-controller 1.9.
 */
const patterns: readonly Pattern[] = [
  {
    code: "progressing",
    message: /New reconciliation triggered by|latest generation of object has not been reconciled|does not have an artifact/,
    reason: () => "Flux is reconciling a new commit, or is fetching a source",
    fix: wait,
  },
  {
    code: "dependency",
    message: /dependency '([\w-]+)\/([\w.-]+)' (?:is not ready|revision is not up to date|not found)/,
    reason: ([, , name]) => `waits for Kustomization ${name}`,
    fix: ([, , name]) => `see the reason reported for Kustomization ${name}`,
  },
  {
    code: "webhook-denied",
    message: /admission webhook "([^"]+)" denied the request: ([^\n]*)/,
    reason: ([, webhook, why]) => `the webhook ${webhook} denied the request: ${why}`,
    fix: (_, { environment }) => `correct the object: run meshops validate ${environment} to find the error`,
  },
  {
    code: "webhook",
    message: /failed calling webhook "([\w.-]+)":[^\n]*?Post "https:\/\/([\w-]+)\.([\w-]+)\.svc[^"]*": ([^\n]*)/,
    reason: ([, webhook, , , why]) => `the API server cannot call the webhook ${webhook}: ${why}`,
    fix: ([, , service, namespace]) =>
      `check that the pods of Service ${service} are ready and that the caBundle of the webhook matches the certificate of these pods: kubectl get pods,endpointslices --namespace ${namespace}`,
  },
  {
    code: "values-missing",
    message: /could not resolve (\w+) chart values reference '([^']+)'/,
    reason: ([, kind, reference]) => `the ${kind} with the Helm values does not exist: ${reference}`,
    fix: ([, kind], { placement, component }) => `run ${reconcileCommand(placement, component)} to create the ${kind} again`,
  },
  {
    code: "file-changed",
    message: /data integrity|MAC mismatch/,
    reason: () => "the MAC of an encrypted file does not match: the file was edited by hand or merged incorrectly",
    fix: (_, { environment }) =>
      `to find the file, run meshops validate ${environment} with an age key that can decrypt the file; restore the file from an earlier commit, then commit and push`,
  },
  {
    code: "age-key-missing",
    kinds: ["Kustomization"],
    message: /(?:cannot get decryption|decryption) secret .*not found|secrets? "([^"]+)" not found/i,
    reason: ([, name]) =>
      `Flux has no age key, because ${name === undefined ? "the Secret with the age key" : `Secret ${name}`} does not exist`,
    fix: (_, { environment }) => `run meshops bootstrap ${environment} --run, which creates the Secret from your local age key`,
  },
  {
    code: "age-key-wrong",
    message:
      /(?:cannot get sops data key|error decrypting|failed to decrypt|no identity matched|failed to import '[^']*' data from)/,
    reason: () => "the encrypted Secrets cannot be decrypted with the age key in the cluster",
    fix: (_, { environment }) =>
      `to store your local age key in the cluster, run meshops bootstrap ${environment} --run; or, to encrypt the Secrets for the recipients in the spec, run meshops identity updatekeys ${environment}, commit and push`,
  },
  {
    code: "immutable-field",
    message:
      /(StatefulSet|Deployment|Job|Service|PersistentVolumeClaim)[\w.]* "([\w.-]+)" is invalid:.*?(?:Forbidden: updates to statefulset spec|field is immutable|is immutable after creation)/s,
    reason: ([, kind, name]) => `an immutable field of ${kind} ${name} has changed`,
    fix: ([, kind = "", name], { namespace, component }) =>
      kind === "StatefulSet"
        ? `run kubectl delete statefulset ${name} -n ${namespace} --cascade=orphan (pods and data are kept), then flux reconcile helmrelease ${component} -n ${namespace} --reset`
        : `undo the change, or run kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}: Flux then creates the object again`,
  },
  {
    code: "crd-missing",
    message: /no matches for kind "?([\w]+)"? in (?:version|group) "?([\w./-]+)"?/,
    reason: ([, kind, version]) => `the cluster has no CRD for ${kind} (${version})`,
    fix: () =>
      "for a CRD of Linkerd, check that the component linkerd-crds is ready and that the chart of linkerd-crds contains this version; for a CRD of Flux, run meshops bootstrap",
  },
  {
    code: "account",
    message: /User "system:serviceaccount:([^:"]+):(?!(?:kustomize|helm)-controller")([^"]+)" cannot (\S+) resource "([^"]+)"/,
    reason: ([, namespace, name, verb, resource]) =>
      `Flux uses the service account ${name} in namespace ${namespace}. This account is not allowed to ${verb} ${resource}`,
    fix: (_, { environment, placement }) =>
      placement.serviceAccount === null
        ? "Flux runs with the multi-tenancy lockdown: set gitops.serviceAccountName in the spec, see docs/existing-flux.md"
        : `bind the ClusterRole cluster-admin to this service account; then run meshops bootstrap ${environment} --run, to check that the service account has this role`,
  },
  {
    code: "account",
    message: /can't access '([^']+)', cross-namespace references have been blocked/,
    reason: ([, source]) =>
      `Flux runs with the multi-tenancy lockdown and refuses the source ${source}, because this source is in another namespace`,
    fix: () => "set gitops.namespace in the spec to the namespace of the source, see docs/existing-flux.md",
  },
  {
    code: "namespace-missing",
    message: /namespaces "([\w-]+)" not found/,
    reason: ([, name]) => `namespace ${name} does not exist`,
    fix: () => "see the reason reported for the component “namespaces”, which creates the namespace",
  },
  {
    code: "refused",
    message: /(exceeded quota[^\n]*|violates PodSecurity[^\n]*)/,
    reason: ([, what = ""]) =>
      `${what.startsWith("exceeded") ? "the resource quota" : "the Pod Security level"} of the namespace does not allow the object: ${what}`,
    fix: (_, { namespace }) =>
      `check the quota and the Pod Security labels of the namespace: kubectl describe namespace ${namespace}`,
  },
  {
    code: "helm-locked",
    message: /another operation \(install\/upgrade\/rollback\) is in progress/,
    reason: () => "Helm was interrupted, and the Helm release is still locked",
    fix: (_, { component, namespace }) => `flux reconcile helmrelease ${component} -n ${namespace} --force`,
  },
  {
    code: "foreign",
    message: /(\w+ "[\w.-]+"[^\n]*) exists and cannot be imported into the current release/,
    reason: ([, what]) => `${what} already exists, but does not have the ownership labels and annotations of this Helm release`,
    fix: () => "delete the existing object, or add Helm's ownership labels and annotations to the existing object",
  },
  {
    code: "chart-missing",
    message:
      /(no '[\w.-]+' chart with version matching '[^']+' found|failed to fetch Helm repository index[^\n]*|Could not load chart[^\n]*|chart pull error[^\n]*|invalid chart reference[^\n]*|HelmChart '[^']+' is not ready[^\n]*)/i,
    reason: ([, what = ""]) => `the chart is not available: ${what.slice(0, 160)}`,
    fix: () =>
      "check that the chart version is published and that the cluster can connect to the chart repository: flux get sources all",
  },
  {
    code: "source",
    kinds: ["Kustomization", "GitRepository"],
    message:
      /failed to checkout|authentication required|couldn't find remote ref|git repository is empty|failed to get secret|^Source '[^']+' not found|^Source (?:artifact not found|is not ready)|failed to download artifact/i,
    reason: () => "Flux cannot fetch the Git repository",
    fix: () => "check that the branch is pushed and that Flux can read the repository: flux get sources git",
  },
  {
    code: "build-failed",
    kinds: ["Kustomization"],
    message:
      /(?:kustomize build failed|failed to build|kustomization path not found|yaml: |error converting YAML|accumulating resources)/i,
    reason: (_, { component }) => `kustomize cannot build the committed files of ${component}`,
    fix: (_, { environment, component }) =>
      `run kustomize build overlays/${environment}/${component} to see the error, or run meshops generate ${environment} to generate the files again`,
  },
];

/** Returns the cause for a message. Returns null if no pattern matches the message. */
export function causeOf(message: string, subject: Subject): Cause | null {
  for (const { code, kinds, message: pattern, reason, fix } of patterns) {
    const found = kinds?.includes(subject.kind) === false ? null : pattern.exec(message);
    if (found !== null) return { code, reason: oneLine(reason(found, subject)), fix: oneLine(fix(found, subject)) };
  }
  return null;
}

/** Returns a cause with the text of a message. Callers use this function if no pattern matches the message. */
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
