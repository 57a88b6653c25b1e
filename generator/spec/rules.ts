import { bech32 } from "@scure/base";
import { linkerdTrack } from "../catalog/linkerd.ts";
import type { DiagnosticCode } from "./diagnostic.ts";
import { toHours } from "./duration.ts";
import type { Environment } from "./environment.generated.ts";
import type { Path, Statement } from "./source.ts";

/** What a rule finds, and the values that it is about: it is told at the first of them that some file writes. */
export interface RuleFinding {
  readonly paths: readonly Path[];
  readonly statement: Statement;
}

/** A rule that a schema cannot say: it looks at a resolved environment and reports what is wrong with it. */
type Rule = (environment: Environment) => Iterable<RuleFinding>;

/** Checks the rules between fields. Warnings that `spec.rules.ignore` names are left out. */
export function checkRules(environment: Environment): RuleFinding[] {
  const ignored = new Set<DiagnosticCode>(environment.spec.rules.ignore.map(({ code }) => code));
  return rules
    .flatMap((rule) => [...rule(environment)])
    .filter(({ statement: { severity, code } }) => severity === "error" || !ignored.has(code));
}

const rules: readonly Rule[] = [
  ageChecksums,
  ageSharedRecipients,
  zeroMajority,
  issuerWithinAnchor,
  ownNamespaces,
  kubernetesVersion,
  nodesForReplicas,
  webhookPolicy,
  grafanaWithoutViz,
  ipv6Support,
];

function* ageChecksums({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const list of ["age", "admin"] as const) {
    for (const [index, recipient] of secrets[list].entries()) {
      if (bech32.decodeUnsafe(recipient as `age1${string}`, 90) !== undefined) continue;
      const hint = "copy it again from the line `# public key:` of the key file";
      yield error("age-recipient", [spec("secrets", list, index)], "the checksum of this age recipient does not match", hint);
    }
  }
}

function* ageSharedRecipients({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const [index, recipient] of secrets.age.entries()) {
    if (!secrets.admin.includes(recipient)) continue;
    const message =
      "this recipient is both the cluster's and an administrator's, so the cluster could open the trust anchor's key";
    yield error("age-recipient-shared", [spec("secrets", "age", index)], message, "give the cluster an age key of its own");
  }
}

function* zeroMajority({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { replicas } = dgraph.zero;
  if (replicas % 2 === 1) return;
  const message = `${replicas} Zeros survive no more failures than ${replicas - 1}: Raft needs a majority`;
  yield error("dgraph-zero-even", [spec("dgraph", "zero", "replicas")], message, `use ${replicas - 1} or ${replicas + 1}`);
}

function* issuerWithinAnchor({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { anchorValidity, issuerValidity } = linkerd.identity;
  if (toHours(issuerValidity) <= toHours(anchorValidity)) return;
  const paths = [spec("linkerd", "identity", "issuerValidity"), spec("linkerd", "identity", "anchorValidity")];
  const message = `the issuer (${issuerValidity}) would outlive the trust anchor (${anchorValidity}) that signs it`;
  yield error("identity-issuer-outlives-anchor", paths, message, "shorten issuerValidity or lengthen anchorValidity");
}

/** Namespaces that belong to Kubernetes, AKS, Flux or the mesh. */
const reserved =
  /^(default|kube-.*|aks-.*|flux-system|calico-system|tigera-operator|gatekeeper-system|linkerd|linkerd-viz|linkerd-jaeger|grafana)$/;

function* ownNamespaces(environment: Environment): Iterable<RuleFinding> {
  for (const section of ["dgraph", "pydgraphClient"] as const) {
    const { namespace } = environment.spec[section];
    if (!reserved.test(namespace)) continue;
    const message = `the namespace ${namespace} belongs to somebody else`;
    yield error("namespace-reserved", [spec(section, "namespace")], message, "give it a namespace of its own");
  }
}

function* kubernetesVersion({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  const version = azure?.cluster.kubernetesVersion;
  const { minKubernetes: least } = linkerdTrack(linkerd.version);
  if (version === undefined || minor(version) >= minor(least)) return;
  const message = `Linkerd ${linkerd.version} needs Kubernetes ${least} or newer`;
  yield error("kubernetes-too-old", [spec("azure", "cluster", "kubernetesVersion")], message, `use "${least}" or newer`);
}

/** With high availability the chart lets no two replicas share a node (partials/_affinity.tpl: required anti-affinity). */
function* nodesForReplicas({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || !linkerd.highAvailability || azure.cluster.autoProvisioning || azure.cluster.nodeCount >= 3) return;
  const paths = [spec("azure", "cluster", "nodeCount"), spec("linkerd", "highAvailability")];
  const message = `high availability needs 3 nodes, one for each replica, and there are ${azure.cluster.nodeCount}`;
  yield error("high-availability-nodes", paths, message, "set nodeCount to 3 or more");
}

function* webhookPolicy({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  const message = "with a single injector, Fail refuses every new pod while that injector is down";
  const hint = "set highAvailability: true, or leave webhookFailurePolicy at auto";
  yield finding("warning", "webhook-policy-fail", [spec("linkerd", "webhookFailurePolicy")], message, hint);
}

function* grafanaWithoutViz({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.viz.enabled || !linkerd.viz.grafana) return;
  const message = "Grafana shows viz's metrics, and viz is not enabled: it is not installed";
  yield finding(
    "warning",
    "grafana-without-viz",
    [spec("linkerd", "viz", "grafana")],
    message,
    "enable viz, or leave grafana out",
  );
}

function* ipv6Support({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.ipFamilies.includes("ipv6") !== true || linkerdTrack(linkerd.version).traits.ipv6) return;
  const paths = [spec("azure", "cluster", "ipFamilies"), spec("linkerd", "version")];
  yield finding(
    "warning",
    "ipv6-unsupported",
    paths,
    `the proxies of Linkerd ${linkerd.version} leave IPv6 alone`,
    "use an edge release",
  );
}

function error(code: DiagnosticCode, paths: readonly Path[], message: string, hint: string): RuleFinding {
  return finding("error", code, paths, message, hint);
}

function finding(
  severity: "error" | "warning",
  code: DiagnosticCode,
  paths: readonly Path[],
  message: string,
  hint: string,
): RuleFinding {
  return { paths, statement: { code, severity, message, expected: null, hint } };
}

function spec(...steps: Path): Path {
  return ["spec", ...steps];
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
