import { type LinkerdChart, type LinkerdRelease, linkerdRelease } from "../catalog/linkerd.ts";
import { secretNames } from "../catalog/well-known.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** A webhook server of Linkerd that needs a certificate: its Secret, its Service and its chart values. */
export interface Webhook {
  readonly secret: string;
  readonly namespace: string;
  readonly service: string;
  readonly chart: LinkerdChart;
  /** Key of the chart's values that contains `externalSecret` and `caBundle`. */
  readonly value: string;
}

/**
 * All webhooks of all releases. Source: the rendered charts (Secrets that the Deployments mount, Services in the
 * webhook configurations).
 */
const webhooks: readonly Webhook[] = [
  {
    secret: secretNames.proxyInjector,
    namespace: "linkerd",
    service: "linkerd-proxy-injector",
    chart: "linkerd-control-plane",
    value: "proxyInjector",
  },
  {
    secret: secretNames.profileValidator,
    namespace: "linkerd",
    service: "linkerd-sp-validator",
    chart: "linkerd-control-plane",
    value: "profileValidator",
  },
  {
    secret: secretNames.policyValidator,
    namespace: "linkerd",
    service: "linkerd-policy-validator",
    chart: "linkerd-control-plane",
    value: "policyValidator",
  },
  { secret: secretNames.tap, namespace: "linkerd-viz", service: "tap", chart: "linkerd-viz", value: "tap" },
  {
    secret: secretNames.tapInjector,
    namespace: "linkerd-viz",
    service: "tap-injector",
    chart: "linkerd-viz",
    value: "tapInjector",
  },
  {
    secret: secretNames.jaegerInjector,
    namespace: "linkerd-jaeger",
    service: "jaeger-injector",
    chart: "linkerd-jaeger",
    value: "webhook",
  },
];

/**
 * Returns the webhooks of an environment: the webhooks of the control plane, and of the extensions that the environment
 * installs as charts.
 */
export function webhooksOf(environment: Environment): readonly Webhook[] {
  const { linkerd } = environment.spec;
  const release: LinkerdRelease = linkerdRelease(linkerd.version);
  const runs: Readonly<Record<LinkerdChart, boolean>> = {
    "linkerd-crds": true,
    "linkerd-control-plane": true,
    "linkerd-viz": linkerd.viz.enabled,
    "linkerd-jaeger": linkerd.jaeger.enabled && release.charts["linkerd-jaeger"] !== undefined,
  };
  return webhooks.filter((webhook) => runs[webhook.chart]);
}

/** Returns the webhooks whose certificates a chart can create. */
export function webhooksOfChart(chart: string): readonly Webhook[] {
  return webhooks.filter((webhook) => webhook.chart === chart);
}
