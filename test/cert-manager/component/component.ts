import { type Image, mirroredName } from "../../../generator/catalog/image.ts";
import { chartVersion } from "../../../generator/components/chart-version.ts";
import type { StateCheck } from "../../../generator/components/check.ts";
import type { Component, ComponentProvider, ModelContext } from "../../../generator/components/component.ts";
import { owned } from "../../../generator/components/owned.ts";
import { readyIn } from "../../../generator/components/readiness.ts";
import type { JsonMap } from "../../../generator/kubernetes/object.ts";
import { certManagerChanges } from "./change-rules.ts";

/** The component cert-manager, which issues and renews certificates for workloads. */
export const certManager: ComponentProvider = {
  reservedNamespaces: ["cert-manager"],
  changeRules: [certManagerChanges, chartVersion("cert-manager")],
  components: ({ environment: { spec } }) => {
    const { certManager }: typeof spec & { readonly certManager?: { readonly enabled: boolean } } = spec;
    return certManager?.enabled === true ? [component] : [];
  },
};

const version = "v1.17.2";

/**
 * Images of the chart (cert-manager, deploy/charts/cert-manager/values.yaml). The image of the startup API check is not
 * included, because the values disable this check.
 */
const images: readonly Image[] = ["controller", "webhook", "cainjector", "acmesolver"].map((name) => ({
  name: `quay.io/jetstack/cert-manager-${name}`,
  tag: version,
  runs: name === "acmesolver" ? "on-demand" : "pod",
}));

const checks: readonly StateCheck[] = [
  {
    id: "C1",
    title: "cert-manager is ready",
    expected: "every workload is ready",
    evaluate: (state) => readyIn(state, "cert-manager"),
  },
];

const component: Component = {
  id: "cert-manager",
  group: "cert-manager",
  needs: [{ component: "namespaces" }],
  apiRegistrations: "app.kubernetes.io/instance=cert-manager",
  build: (context) => ({
    namespace: "cert-manager",
    namespaces: [
      {
        name: "cert-manager",
        labels: { "cert-manager.io/disable-validation": "true", "pod-security.kubernetes.io/enforce": "restricted" },
      },
    ],
    delivery: {
      kind: "chart",
      base: null,
      release: {
        name: "cert-manager",
        chart: "cert-manager",
        repository: { name: "jetstack", url: "https://charts.jetstack.io" },
        clusterScoped: true,
        version,
        values: { crds: { enabled: true, keep: true }, startupapicheck: { enabled: false }, ...mirrored(context) },
      },
    },
    images,
    checks,
    // Flux ignores changes of caBundle, because cert-manager's CA injector writes this field into the webhook
    // configurations (cert-manager, docs "cainjector").
    ignoredDrift: ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].map((kind) => ({
      kind,
      paths: ["/webhooks/0/clientConfig/caBundle"],
    })),
    owned: owned(mirrored(context), "azure.registry.mirrorImages"),
    timeoutMinutes: 5,
  }),
};

function mirrored({ mirror }: ModelContext): JsonMap {
  if (mirror === null) return {};
  const repository = (name: string): JsonMap => ({
    image: { repository: mirroredName(`quay.io/jetstack/cert-manager-${name}`, mirror) },
  });
  return {
    ...repository("controller"),
    webhook: repository("webhook"),
    cainjector: repository("cainjector"),
    acmesolver: repository("acmesolver"),
  };
}
