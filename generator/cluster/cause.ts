/** Why something is not ready, and what to do about it: a line each. */
export interface Cause {
  readonly code: CauseCode;
  readonly cause: string;
  readonly remedy: string;
}

type CauseCode =
  | "age-key-missing"
  | "age-key-wrong"
  | "build-failed"
  | "chart-missing"
  | "crd-missing"
  | "dependency"
  | "health"
  | "image-pull"
  | "immutable-field"
  | "missing"
  | "not-meshed"
  | "pod-crashing"
  | "pod-unschedulable"
  | "progressing"
  | "source"
  | "stale-trust-anchors"
  | "suspended"
  | "unknown"
  | "values-missing"
  | "volume"
  | "webhook";

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
  readonly message: RegExp;
  readonly cause: (found: readonly string[], subject: Subject) => string;
  readonly remedy: (found: readonly string[], subject: Subject) => string;
}

/**
 * Messages of Kubernetes, Helm and Flux, the more telling first. Read off kustomize-controller 1.9.6, helm 3.22 and kube-apiserver 1.36 in the
 * cluster tests, and off helm-controller's API v1.5.
 */
const patterns: readonly Pattern[] = [
  {
    code: "webhook",
    message: /failed calling webhook "?([\w.-]+)"?.*?(?:Post "https:\/\/([\w-]+)\.([\w-]+)\.svc[^"]*": )?([^:]*)$/s,
    cause: ([, webhook = "", , , why = ""]) => `the API server asks the webhook ${webhook}, and gets no answer: ${why.trim()}`,
    remedy: ([, , service, namespace]) =>
      service === undefined
        ? "kubectl get pods --namespace linkerd: its pods must be ready"
        : `kubectl get pods,endpointslices --namespace ${namespace}: the pods behind ${service} must be ready, and its caBundle theirs`,
  },
  {
    code: "age-key-missing",
    message: /[Ss]ecrets? "([\w-]+)" not found|decryption secret .* not found/,
    cause: ([, secret = "sops-age"]) => `Flux has no age key: there is no Secret ${secret}`,
    remedy: (_, { environment }) => `meshops bootstrap ${environment} makes it from the key that you hold`,
  },
  {
    code: "age-key-wrong",
    message: /(?:cannot get sops data key|error decrypting|failed to decrypt|no identity matched)(?:.*?([\w./-]+\.sops\.yaml))?/s,
    cause: ([, file]) => `the age key in the cluster does not open ${file ?? "the encrypted Secrets"}`,
    remedy: (_, { environment }) =>
      `meshops bootstrap ${environment} puts your key there; or meshops identity updatekeys ${environment}, commit and push`,
  },
  {
    code: "immutable-field",
    message:
      /(StatefulSet|Deployment|Job|Service)[\w.]* "([\w.-]+)" is invalid:.*?(?:Forbidden: updates to statefulset spec|field is immutable)/s,
    cause: ([, kind, name]) => `a field of ${kind} ${name} has changed that Kubernetes does not let change`,
    remedy: ([, kind = "", name], { namespace }) =>
      kind === "StatefulSet"
        ? `kubectl delete statefulset ${name} -n ${namespace} --cascade=orphan keeps pods and data; then flux reconcile helmrelease --reset`
        : `undo the change, or kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace} and let Flux make it anew`,
  },
  {
    code: "crd-missing",
    message: /no matches for kind "?([\w]+)"? in (?:version|group) "?([\w./-]+)"?/,
    cause: ([, kind, version]) => `the cluster does not know ${kind} (${version}): its CRD is missing`,
    remedy: () => "the component linkerd-crds brings Linkerd's, bootstrap Flux's: is it ready, and of this version?",
  },
  {
    code: "values-missing",
    message: /could not resolve \w+ chart values reference '([^']+)'/,
    cause: ([, reference]) => `its values are gone: ${reference}`,
    remedy: (_, { component }) => `flux reconcile kustomization ${component} brings them again`,
  },
  {
    code: "chart-missing",
    message:
      /(no '[\w.-]+' chart with version matching '[^']+' found|HelmChart .* is not ready.*|chart pull error.*|invalid chart reference.*)/i,
    cause: ([, what = ""]) => `the chart cannot be had: ${what.slice(0, 160)}`,
    remedy: () => "is that version published, and can the cluster reach the repository? flux get sources all",
  },
  {
    code: "dependency",
    message: /dependency '([\w-]+)\/([\w-]+)' is not ready/,
    cause: ([, , name]) => `waits for ${name}`,
    remedy: ([, , name]) => `none here: see ${name}`,
  },
  {
    code: "source",
    message:
      /(?:Source artifact not found|failed to checkout|authentication required|couldn't find remote ref|source .* not found)/i,
    cause: () => "Flux has no copy of the Git repository",
    remedy: () => "is the branch pushed, and can Flux read it? flux get sources git",
  },
  {
    code: "build-failed",
    message:
      /(?:kustomize build failed|failed to build|kustomization path not found|yaml: |error converting YAML|accumulating resources)/i,
    cause: (_, { component }) => `what is committed for ${component} cannot be built`,
    remedy: (_, { environment, component }) =>
      `kustomize build overlays/${environment}/${component} shows it; meshops generate ${environment} writes it anew`,
  },
];

/** Finds the cause behind a message; null where none of the known ones is in it. */
export function causeOf(message: string, subject: Subject): Cause | null {
  for (const { code, message: pattern, cause, remedy } of patterns) {
    const found = pattern.exec(message);
    if (found !== null) return { code, cause: oneLine(cause(found, subject)), remedy: oneLine(remedy(found, subject)) };
  }
  return null;
}

/** A message as it stands, where nothing better is known. */
export function unknownCause(message: string, { kind, namespace, name }: Subject): Cause {
  return {
    code: "unknown",
    cause: oneLine(message),
    remedy: `kubectl describe ${kind.toLowerCase()} ${name} --namespace ${namespace}`,
  };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}
