import { linkerdTrack } from "../../catalog/linkerd.ts";
import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import { rotationLead, toHours } from "../../spec/duration.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** `Fail` with a single server behind it; the same rule reads specs and manifests. */
export const failAlone: RuleInfo = {
  code: "webhook-policy-fail",
  severity: "warning",
  title: "Webhooks refuse pods while their only server is down",
  why:
    "`failurePolicy: Fail` makes the API server refuse every pod that the injector cannot answer for. Without high availability there is one injector, " +
    "so a lost node stops all pods in the cluster from starting (Linkerd docs, “High availability”).",
  mend: "Set `highAvailability: true`, or leave `webhookFailurePolicy` at `auto`.",
};

/** The mesh itself. */
export const linkerdRules: readonly Rule[] = [
  {
    code: "identity-issuer-outlives-anchor",
    severity: "error",
    title: "The issuer would outlive the trust anchor",
    why: "A certificate is worth nothing once the one that signed it has expired (RFC 5280, section 6.1): the mesh would stop while its issuer still looks valid.",
    mend: "Shorten `issuerValidity`, or lengthen `anchorValidity`.",
    check: issuerWithinAnchor,
  },
  {
    code: "identity-validity-short",
    severity: "warning",
    title: "A certificate lives shorter than the lead of its rotation",
    why:
      `\`meshops identity status --fail-within ${rotationLead}\`, which the weekly check in CI runs, would fail on the day the certificate is made. ` +
      "A trust anchor's rotation alone takes three commits, each at least a day after the one before.",
    mend: `Use ${rotationLead} or more, or silence the rule where something else renews the certificate in time.`,
    check: validityCoversRotation,
  },
  { ...failAlone, check: failWithoutReplicas },
  {
    code: "webhook-policy-ignore",
    severity: "warning",
    title: "Pods of an important mesh may start without a proxy",
    why:
      "`failurePolicy: Ignore` lets pods start unmeshed while the injector is down: they have no identity, so policies refuse them, and " +
      "nothing restarts them afterwards. The chart's own values for high availability say `Fail` (linkerd-control-plane, values-ha.yaml).",
    mend: "Leave `webhookFailurePolicy` at `auto`: with high availability that is `Fail`.",
    check: ignoreWithReplicas,
  },
  {
    code: "jaeger-trust-domain",
    severity: "warning",
    title: "No trace reaches Jaeger with a trust domain of its own",
    why:
      "The control plane chart of edge-25.10.7 builds the identity of the trace collector from the cluster domain instead of the trust domain, so proxies " +
      "do not trust Jaeger and send nothing (linkerd2#15404, fixed in edge-26.7.1).",
    mend: "Use a release from edge-26.7.1 on, or leave `linkerd.jaeger` off.",
    check: jaegerTrustDomain,
  },
  {
    code: "grafana-without-viz",
    severity: "warning",
    title: "Grafana without viz has nothing to show",
    why: "Linkerd's dashboards read viz's Prometheus. Without viz meshops installs no Grafana, so the field does nothing.",
    mend: "Enable viz, or leave `grafana` out.",
    check: grafanaWithoutViz,
  },
];

function* jaegerTrustDomain({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { collectorIdentity, tracing } = linkerdTrack(linkerd.version).traits;
  if (!linkerd.jaeger.enabled || tracing !== "built-in" || collectorIdentity === "trustDomain") return;
  if (linkerd.identity.trustDomain === linkerd.clusterDomain) return;
  yield {
    paths: [spec("linkerd", "identity", "trustDomain"), spec("linkerd", "clusterDomain")],
    message: `${linkerd.version} sends no traces: its proxies expect Jaeger under ${linkerd.clusterDomain}, not ${linkerd.identity.trustDomain}`,
    hint: "use edge-26.8.3, or set linkerd.jaeger.enabled: false",
  };
}

function* issuerWithinAnchor({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { anchorValidity, issuerValidity } = linkerd.identity;
  if (toHours(issuerValidity) <= toHours(anchorValidity)) return;
  yield {
    paths: [spec("linkerd", "identity", "issuerValidity"), spec("linkerd", "identity", "anchorValidity")],
    message: `the issuer (${issuerValidity}) would outlive the trust anchor (${anchorValidity}) that signs it`,
    hint: "shorten issuerValidity or lengthen anchorValidity",
  };
}

function* validityCoversRotation({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  for (const field of ["anchorValidity", "issuerValidity", "webhookValidity"] as const) {
    const validity = linkerd.identity[field];
    if (toHours(validity) >= toHours(rotationLead)) continue;
    yield {
      paths: [spec("linkerd", "identity", field)],
      message: `${validity} is shorter than the ${rotationLead} within which a rotation is asked for`,
      hint: `use ${rotationLead} or more`,
    };
  }
}

function* failWithoutReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "with a single injector, Fail refuses every new pod while that injector is down",
    hint: "set highAvailability: true, or leave webhookFailurePolicy at auto",
  };
}

function* ignoreWithReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Ignore" || !linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "Ignore lets pods start without a proxy while the injectors are down, and policies then refuse them",
    hint: "leave webhookFailurePolicy at auto",
  };
}

function* grafanaWithoutViz({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.viz.enabled || !linkerd.viz.grafana) return;
  yield {
    paths: [spec("linkerd", "viz", "grafana")],
    message: "Grafana shows viz's metrics, and viz is not enabled: it is not installed",
    hint: "enable viz, or leave grafana out",
  };
}
