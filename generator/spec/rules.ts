import { bech32 } from "@scure/base";
import { minKubernetes } from "../catalog/linkerd.ts";
import type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
import { toHours } from "./duration.ts";
import type { Environment } from "./environment.generated.ts";
import type { Finding } from "./schema-errors.ts";
import type { Path } from "./source.ts";

/** A rule that a schema cannot say: it looks at a resolved environment and reports what is wrong with it. */
type Rule = (environment: Environment) => Iterable<Finding>;

/** Checks the rules between fields. Warnings that `spec.rules.ignore` names are left out. */
export function checkRules(environment: Environment): Finding[] {
  const ignored = new Set(environment.spec.rules.ignore.map((entry) => entry.code));
  return rules
    .flatMap((rule) => [...rule(environment)])
    .filter(({ finding }) => finding.severity === "error" || !ignored.has(finding.code));
}

const rules: readonly Rule[] = [
  ageChecksums,
  ageSharedRecipients,
  zeroMajority,
  issuerWithinAnchor,
  ownNamespaces,
  kubernetesVersion,
  webhookPolicy,
];

function* ageChecksums({ spec: { secrets } }: Environment): Iterable<Finding> {
  for (const list of ["age", "admin"] as const) {
    for (const [index, recipient] of secrets[list].entries()) {
      if (bech32.decodeUnsafe(recipient as `age1${string}`, 90) === undefined)
        yield found(
          "error",
          "age-recipient",
          ["spec", "secrets", list, index],
          "the checksum of this age recipient does not match",
          "copy it again from the line `# public key:` of the key file",
        );
    }
  }
}

function* ageSharedRecipients({ spec: { secrets } }: Environment): Iterable<Finding> {
  for (const [index, recipient] of secrets.age.entries()) {
    if (secrets.admin.includes(recipient))
      yield found(
        "error",
        "age-recipient-shared",
        ["spec", "secrets", "age", index],
        "this recipient is both the cluster's and an administrator's, so the cluster could open the trust anchor's key",
        "give the cluster an age key of its own",
      );
  }
}

function* zeroMajority({ spec: { dgraph } }: Environment): Iterable<Finding> {
  const { replicas } = dgraph.zero;
  if (replicas % 2 === 0)
    yield found(
      "error",
      "dgraph-zero-even",
      ["spec", "dgraph", "zero", "replicas"],
      `${replicas} Zeros survive no more failures than ${replicas - 1}: Raft needs a majority`,
      `use ${replicas - 1} or ${replicas + 1}`,
    );
}

function* issuerWithinAnchor({ spec: { linkerd } }: Environment): Iterable<Finding> {
  const { anchorValidity, issuerValidity } = linkerd.identity;
  if (toHours(issuerValidity) > toHours(anchorValidity))
    yield found(
      "error",
      "identity-issuer-outlives-anchor",
      ["spec", "linkerd", "identity", "issuerValidity"],
      `the issuer (${issuerValidity}) would outlive the trust anchor (${anchorValidity}) that signs it`,
      "shorten issuerValidity or lengthen anchorValidity",
    );
}

/** Namespaces that belong to Kubernetes, Flux or the mesh. */
const reserved: ReadonlySet<string> = new Set([
  "default",
  "kube-system",
  "kube-public",
  "kube-node-lease",
  "flux-system",
  "linkerd",
  "linkerd-viz",
  "linkerd-jaeger",
  "grafana",
]);

function* ownNamespaces({ spec }: Environment): Iterable<Finding> {
  for (const section of ["dgraph", "pydgraphClient"] as const) {
    const { namespace } = spec[section];
    if (reserved.has(namespace))
      yield found(
        "error",
        "namespace-reserved",
        ["spec", section, "namespace"],
        `the namespace ${namespace} belongs to somebody else`,
        "give it a namespace of its own",
      );
  }
}

function* kubernetesVersion({ spec: { azure, linkerd } }: Environment): Iterable<Finding> {
  const version = azure?.cluster.kubernetesVersion;
  const least = minKubernetes(linkerd.version);
  if (version !== undefined && minor(version) < minor(least))
    yield found(
      "error",
      "kubernetes-too-old",
      ["spec", "azure", "cluster", "kubernetesVersion"],
      `Linkerd ${linkerd.version} needs Kubernetes ${least} or newer`,
      `use "${least}" or newer`,
    );
}

function* webhookPolicy({ spec: { linkerd } }: Environment): Iterable<Finding> {
  if (linkerd.webhookFailurePolicy === "Fail" && !linkerd.highAvailability)
    yield found(
      "warning",
      "webhook-policy-fail",
      ["spec", "linkerd", "webhookFailurePolicy"],
      "with a single injector, Fail refuses every new pod while that injector is down",
      "set highAvailability: true, or leave webhookFailurePolicy at auto",
    );
}

function found(severity: Diagnostic["severity"], code: DiagnosticCode, path: Path, message: string, hint: string): Finding {
  return { path, part: "value", finding: { code, severity, message, expected: null, hint } };
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
