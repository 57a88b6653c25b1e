import { type Assessment, type ChangedObject, type ChangeSet, push, type Step } from "../../components/change-rule.ts";
import { deleteSuspendedReleases, helmReleases, suspend, suspendFirst } from "../../components/flux-commands.ts";
import { providers } from "../../components/registry.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { webhooksOfChart } from "../../mesh/webhooks.ts";
import { certificateFiles, identityFolder } from "../../spec/layout.ts";
import { groupBy } from "../../system/data.ts";
import { overlayOf } from "./placement.ts";

/** Command that annotates the trust bundle, so that Helm does not delete it (helm, pkg/kube/client.go). */
const keepBundle = "kubectl annotate configmap linkerd-identity-trust-roots --namespace linkerd helm.sh/resource-policy=keep";

/** Components that another tool installs if the spec contains `linkerd.lifecycle: existing`. */
const ofLinkerd = providers.flatMap(({ partOfLinkerd = [] }) => partOfLinkerd);

/**
 * Risks of changes of `linkerd.lifecycle` and `linkerd.identity.provider`. With such a change, meshops starts or stops
 * managing Linkerd, or the certificates of Linkerd.
 */
export function* ownershipRisks(changed: ChangedObject, all: ChangeSet): Iterable<Assessment> {
  const { environment, objects } = all;
  const { kind, name, change } = changed;
  const component = kind === "Kustomization" ? overlayOf(change === "added" ? changed.after : changed.before) : null;
  const release = kind === "HelmRelease" ? name : null;
  const ofOthers = ofLinkerd.includes(component ?? release ?? "");
  if (isHandedOver(objects) && ofOthers && change === "removed") yield handedOver(objects, environment);
  else if (component === "identity" && change === "removed" && !isRenamed(objects))
    yield externalCertificates(changed, objects, environment);
  if (release !== null && change === "changed") yield* webhooksByChart(changed, environment);
  const controlPlane = objects.find((each) => each.kind === "HelmRelease" && each.name === "linkerd-control-plane");
  if (release !== null && ofOthers && change === "added" && controlPlane?.change === "added" && isRunning(objects))
    yield takenOver(controlPlane, all);
}

/**
 * Whether a change removes Linkerd from the generated files. The function checks only the HelmRelease linkerd-crds,
 * because every environment in which meshops installs Linkerd has this HelmRelease.
 */
export function isHandedOver(objects: readonly ChangedObject[]): boolean {
  return objects.some(({ kind, name, change }) => kind === "HelmRelease" && name === "linkerd-crds" && change === "removed");
}

/**
 * Whether a removed Kustomization for the certificates is only renamed. This is the case if the change also adds a
 * Kustomization for the certificates.
 */
function isRenamed(objects: readonly ChangedObject[]): boolean {
  return objects.some(
    ({ kind, change, after }) => kind === "Kustomization" && change === "added" && overlayOf(after) === "identity",
  );
}

/** Whether files of the environment existed before the change. */
function isRunning(objects: readonly ChangedObject[]): boolean {
  return objects.some(({ change }) => change !== "added");
}

/** Returns the names of Linkerd's added or removed HelmReleases, keyed by namespace. */
function releasesOfLinkerd(objects: readonly ChangedObject[], change: ChangedObject["change"]): [string, string[]][] {
  const own = objects.filter((each) => each.kind === "HelmRelease" && each.change === change && ofLinkerd.includes(each.name));
  return [...groupBy(own, ({ namespace }) => namespace)].map(([namespace, found]) => [namespace, found.map(({ name }) => name)]);
}

/**
 * Assesses a change after which meshops no longer installs Linkerd. If a suspended Kustomization is deleted, Flux keeps
 * its objects. If a suspended HelmRelease is deleted, Flux does not uninstall its Helm release (kustomize-controller
 * and helm-controller, reconcileDelete and finalize).
 */
function handedOver(objects: readonly ChangedObject[], environment: string): Assessment {
  const removed = objects.filter(({ kind, change, before }) => {
    const component = kind === "Kustomization" && change === "removed" ? overlayOf(before) : null;
    return component !== null && ofLinkerd.includes(component);
  });
  const releases = releasesOfLinkerd(objects, "removed");
  return {
    risk: "data-loss",
    reason:
      "meshops no longer installs Linkerd. If you push without the following steps, Flux uninstalls the control plane and its extensions, and deletes the policies and the certificates. Flux keeps the CRDs",
    steps: [
      suspendFirst("the Kustomizations of Linkerd", removed),
      ...releases.map(
        ([namespace, names]): Step => ({
          text: `Suspend the HelmReleases in namespace ${namespace}. If a suspended HelmRelease is deleted, Flux keeps its Helm release.`,
          command: suspend(helmReleases, names, namespace, true),
        }),
      ),
      push,
      { text: "Check that Linkerd is still ready.", command: `meshops status ${environment}` },
      {
        text: "Let the tool that now installs Linkerd take over the Helm releases and the Secrets. If this tool does not use the existing HelmRelease objects, delete these objects with the following command while they are suspended.",
        command: releases.map(([namespace, names]) => deleteSuspendedReleases(names, namespace)).join("; "),
      },
    ],
  };
}

/**
 * Assesses a change after which meshops no longer creates the certificates. If a new version of a chart does not
 * contain an object, Helm deletes the object. Helm keeps an object with the annotation helm.sh/resource-policy: keep
 * (helm, pkg/kube/client.go).
 */
function externalCertificates(kustomization: ChangedObject, objects: readonly ChangedObject[], environment: string): Assessment {
  const losesBundle = objects.some(
    (each) => each.kind === "HelmRelease" && at(each.after, "spec", "values", "identity", "externalCA") === true,
  );
  return {
    risk: "data-loss",
    reason:
      "meshops no longer creates the certificates. If you push without the following steps, Flux deletes the Secrets with the private keys of the issuer and the webhooks. Linkerd can then no longer issue certificates",
    steps: [
      suspendFirst("the Kustomization of the certificates", [kustomization]),
      ...(losesBundle
        ? [
            {
              text: "After this change, Linkerd's chart no longer contains the trust bundle, so Helm deletes it. To keep the trust bundle, add the annotation helm.sh/resource-policy: keep with the following command.",
              command: keepBundle,
            },
          ]
        : []),
      {
        text: "Check whether the trust bundle contains the trust anchor of the new certificates. If not, first add this trust anchor to the trust bundle, and restart all meshed pods (meshops help identity).",
      },
      push,
      {
        text: "Let the program that now issues the certificates take over the Secrets and the ConfigMap linkerd-identity-trust-roots.",
      },
      { text: "Check the certificates in the cluster.", command: `meshops verify ${environment} --only M2,M3,M4`, phase: "last" },
    ],
  };
}

/**
 * Assesses a change after which Linkerd's chart creates the certificates of the webhooks. Before the change, another
 * program created these certificates.
 */
function* webhooksByChart({ name, namespace, before, after }: ChangedObject, environment: string): Iterable<Assessment> {
  const own = webhooksOfChart(name);
  const external = (object: ChangedObject["after"]): boolean =>
    own.some(({ value }) => at(object, "spec", "values", value, "externalSecret") === true);
  if (!external(before) || external(after)) return;
  yield {
    risk: "webhook-policy",
    reason:
      "the chart of this HelmRelease now creates the Secrets and the CAs of the webhooks. If another program, such as cert-manager, still writes the same Secrets, the certificates do not match the CAs. The API server then cannot call the webhooks. With webhookFailurePolicy: Fail, the API server also rejects all new pods",
    prerequisites: [
      {
        phase: "before",
        text: "Before you push, stop the program that currently writes the Secrets of the webhooks. Otherwise, this program overwrites the Secrets of the chart. With cert-manager, delete the Certificates of the webhooks. Then delete the Secrets of the webhooks with the following command. helmfile does not take over existing Secrets. The running pods of the webhooks keep their certificates until they restart.",
        command: `kubectl delete secret --namespace ${namespace} ${own.map(({ secret }) => secret).join(" ")}`,
      },
    ],
    steps: [{ text: "Check the webhooks.", command: `meshops verify ${environment} --only M4` }],
  };
}

function takenOver({ after }: ChangedObject, { environment, objects }: ChangeSet): Assessment {
  const releases = releasesOfLinkerd(objects, "added");
  const values = at(after, "spec", "values");
  const external = at(values, "identityTrustAnchorsPEM") === undefined;
  const injects = at(values, "proxyInjector", "injectCaFrom") !== undefined;
  return {
    risk: "mesh-restart",
    reason:
      "after this change, meshops installs Linkerd in this environment. If the cluster already contains the Helm releases of Linkerd and its extensions, Helm upgrades these releases to the generated values. The pods of the control plane then restart. If the existing releases have other names or namespaces than the generated releases, the result depends on the engine. Flux makes the existing objects part of the generated releases (helm-controller, disableTakeOwnership). helmfile refuses the installation",
    steps: [
      {
        text: "Before you push, compare the names and namespaces of the existing Helm releases with the generated releases (linkerd-crds and linkerd-control-plane in namespace linkerd).",
        command: "helm list --all-namespaces --filter linkerd",
      },
      ...(external
        ? []
        : [
            {
              text: `Compare the trust anchor of the running mesh with the trust anchor in ${identityFolder(environment)}/${certificateFiles.trustAnchors}. If they differ, do not push this change: meshops would replace the trust anchor, and meshed pods would refuse each other until all meshed pods have restarted. Instead, set linkerd.identity.provider: external, run meshops generate and meshops diff again, and follow the steps that diff then prints.`,
              command: "kubectl get configmap linkerd-identity-trust-roots --namespace linkerd --output jsonpath='{.data}'",
            },
          ]),
      ...(at(values, "identity", "externalCA") === true
        ? [
            {
              text: "If Linkerd's chart created the existing trust bundle, add the annotation helm.sh/resource-policy: keep to the trust bundle. Without this annotation, Helm deletes the trust bundle.",
              command: keepBundle,
            },
          ]
        : []),
      ...(external
        ? [
            {
              text: "If Linkerd's chart created the existing Secret of the issuer, add the annotation helm.sh/resource-policy: keep to the Secret. Without this annotation, Helm deletes the Secret. Also add the keys tls.crt, tls.key and ca.crt to the Secret.",
              command: "kubectl annotate secret linkerd-identity-issuer --namespace linkerd helm.sh/resource-policy=keep",
            },
          ]
        : []),
      ...(injects
        ? [
            {
              text: "With the generated values, cert-manager must write the Secrets of the webhooks and set caBundle. If Linkerd's chart currently creates these certificates, first set linkerd.identity.webhooks: chart. If you do not set this field, the API server cannot call the webhooks.",
            },
          ]
        : []),
      {
        text: "Stop the tool that currently installs Linkerd, but do not uninstall Linkerd. If this tool is Flux, suspend the Kustomizations and HelmReleases that install Linkerd. Then remove these objects from their Git repository, and delete them in the cluster.",
      },
      {
        text: "Delete HelmReleases of Linkerd that are still suspended, for example since an earlier change of linkerd.lifecycle. Otherwise, they stay suspended after the push, and Flux waits for them. The command deletes only suspended HelmReleases with the names of the generated HelmReleases.",
        command: releases.map(([namespace, names]) => deleteSuspendedReleases(names, namespace)).join("; "),
      },
      push,
      {
        text: "Wait until Linkerd is ready.",
        command: `meshops status ${environment} --watch`,
      },
      {
        text: "If the existing Helm releases have other names or namespaces than the generated releases, do not uninstall the existing releases: Helm would delete the objects of Linkerd. Delete only the Secrets in which Helm stores the existing releases. These Secrets have the labels owner=helm and name=<release>, and are in the namespace of the release.",
      },
    ],
  };
}
