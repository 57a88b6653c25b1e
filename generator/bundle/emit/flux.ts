import type { V1Namespace } from "@kubernetes/client-node";
import { admissionWebhooksLabel } from "../../catalog/well-known.ts";
import { type ComponentModel, hasSecrets, isDelivered, type Model, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { fluxFolder, overlayFolder } from "../../spec/layout.ts";
import { header } from "../bundle.ts";
import { commonLabels, flux } from "./names.ts";
import { accountOf, kustomizationName, pathInSource, placementOf, rootPath } from "./placement.ts";

/**
 * Emits the files in the folder that the root Kustomization applies. The folder contains one file for each component
 * that meshops delivers. This file contains the Kustomization of the component. The field `dependsOn` of the
 * Kustomization sets the startup order. The folder has no kustomization.yaml, so Flux applies every file in the folder.
 * `flux bootstrap` adds its own files to this folder.
 */
export function* emitFlux(model: Model): Iterable<[path: string, text: string]> {
  const { name } = model.environment.metadata;
  const head = header(name);
  for (const component of model.components)
    if (isDelivered(component))
      yield [`${fluxFolder(name)}/${fluxName(component.id)}.yaml`, toBundleYaml([kustomization(component, model)], head)];
}

/** Returns the name of the Secret with the cluster's age key. */
export function ageSecretOf({ spec: { gitops } }: Environment): string {
  return gitops.decryption.secretRef.name;
}

/** Interval after which Flux retries a failed reconciliation. */
const retryInterval = "1m";

function kustomization(component: ComponentModel, model: Model): JsonMap {
  const { id, timeoutMinutes } = component;
  const { environment } = model;
  const dependsOn = dependsOnOf(component, model);
  const placement = placementOf(environment);
  const { kind, ...source } = placement.source;
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: {
      name: kustomizationName(placement, id),
      namespace: placement.namespace,
      labels: commonLabels(component),
    },
    spec: {
      ...(component.suspended && releaseOf(component) === null ? { suspend: true } : {}),
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      interval: environment.spec.gitops.interval,
      retryInterval,
      timeout: `${timeoutMinutes}m`,
      path: pathInSource(placement, overlayFolder(environment.metadata.name, id)),
      prune: true,
      // With this field, Flux deletes the Kustomization only after Helm has uninstalled the release.
      ...(releaseOf(component) === null ? {} : { deletionPolicy: "WaitForTermination" }),
      // Flux does not update the status of a suspended HelmRelease, so a health check of this HelmRelease would never
      // succeed.
      wait: !(component.suspended && releaseOf(component) !== null),
      ...accountOf(placement),
      sourceRef: source.namespace === placement.namespace ? { kind, name: source.name } : { kind, ...source },
      // Kustomizations do not inherit decryption, so each Kustomization with encrypted files must refer to the key.
      ...(hasSecrets(component) ? { decryption: { provider: "sops", secretRef: { name: ageSecretOf(environment) } } } : {}),
    },
  };
}

/**
 * Returns the Kustomizations that must be ready before Flux applies the component. A Kustomization cannot depend on a
 * HelmRelease. If the component needs a HelmRelease, the component's own HelmRelease contains this dependency (see
 * `helmRelease` in kustomize.ts).
 */
function dependsOnOf({ needs }: ComponentModel, { components, environment }: Model): JsonMap[] {
  const placement = placementOf(environment);
  return needs.flatMap((need): JsonMap[] => {
    if ("kustomization" in need) return [{ ...need.kustomization }];
    if ("helmRelease" in need) return [];
    // A suspended Kustomization never applies the current revision, so other Kustomizations must not wait for a
    // suspended Kustomization (kustomize-controller, checkDependencies). For a component with a chart, only the
    // HelmRelease is suspended, and the Kustomization still runs.
    const applies = ({ suspended, ...each }: ComponentModel): boolean =>
      isDelivered(each) && !(suspended && releaseOf(each) === null);
    const delivered = components.some((each) => each.id === need.component && applies(each));
    return delivered ? [{ name: kustomizationName(placement, need.component) }] : [];
  });
}

/**
 * Returns the namespace of Flux, with the label that makes Linkerd's webhooks skip this namespace. Flux can therefore
 * repair the mesh while the proxy injector is down, even if the failure policy of the injector's webhook is `Fail`.
 */
export function fluxNamespace(): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: flux.namespace, labels: { [admissionWebhooksLabel]: "disabled" } },
  } satisfies V1Namespace;
}

/**
 * Returns the GitRepository of the platform repository. It has the same form as the GitRepository that `flux bootstrap`
 * creates.
 *
 * @param withCredentials whether Flux clones the repository with the credentials in the Secret `flux-system`
 */
export function fluxSource({ spec: { gitops } }: Environment, withCredentials: boolean): KubernetesObject {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "GitRepository",
    metadata: { name: flux.source, namespace: flux.namespace },
    spec: {
      interval: "1m",
      url: gitops.url,
      ref: { branch: gitops.branch },
      ...(withCredentials ? { secretRef: { name: flux.source } } : {}),
    },
  };
}

/**
 * Returns the root Kustomization, which applies all other Kustomizations of the environment. The object is the same as
 * the object that `flux bootstrap` writes, except for the additional field `retryInterval`. Without this field,
 * kustomize-controller retries a failed reconciliation only after `interval` (`GetRetryInterval`, kustomize-controller
 * 1.9), so a restart of the API server could cause a delay of 10 minutes.
 */
export function fluxRoot(environment: Environment): KubernetesObject {
  const { gitops } = environment.spec;
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name: flux.root, namespace: flux.namespace },
    spec: {
      interval: gitops.interval,
      retryInterval,
      path: rootPath(environment),
      prune: true,
      sourceRef: { kind: "GitRepository", name: flux.source },
    },
  };
}
