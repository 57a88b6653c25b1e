import type { ComponentModel, JsonMap, Model } from "../model.ts";
import { header } from "./bundle.ts";
import { commonLabels } from "./kustomize.ts";
import { fluxFolder, overlayFolder } from "./layout.ts";
import { repositoriesOf } from "./repositories.ts";
import { toYaml } from "./yaml.ts";

/** Where Flux lives, and the source that `flux bootstrap` makes there. */
const flux = { namespace: "flux-system", source: "flux-system", ageSecret: "sops-age" } as const;

/**
 * What Flux is pointed at: the chart repositories, and a Kustomization a component, in order by `dependsOn`.
 * The folder has no kustomization.yaml: Flux takes every file in it, and `flux bootstrap` adds its own.
 */
export function* emitFlux(model: Model): Iterable<[path: string, text: string]> {
  const { name } = model.environment.metadata;
  const head = header(name);
  yield [`${fluxFolder(name)}/sources.yaml`, toYaml(sources(model), head)];
  for (const component of model.components)
    yield [`${fluxFolder(name)}/${component.name}.yaml`, toYaml([kustomization(component, model)], head)];
}

function sources(model: Model): JsonMap[] {
  return repositoriesOf(model).map(({ name, url }) => ({
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "HelmRepository",
    metadata: { name, namespace: flux.namespace, labels: commonLabels({ partOf: "meshops" }) },
    spec: { interval: "1h", url },
  }));
}

function kustomization(component: ComponentModel, { environment }: Model): JsonMap {
  const { name, needs, release, secrets, timeoutMinutes } = component;
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: flux.namespace, labels: commonLabels(component) },
    spec: {
      ...(needs.length === 0 ? {} : { dependsOn: needs.map((need) => ({ name: need })) }),
      interval: environment.spec.gitops.interval,
      retryInterval: "1m",
      timeout: `${timeoutMinutes}m`,
      path: `./${overlayFolder(environment.metadata.name, name)}`,
      prune: true,
      // A Kustomization that goes waits until Helm has uninstalled what it held.
      ...(release === null ? {} : { deletionPolicy: "WaitForTermination" }),
      wait: true,
      sourceRef: { kind: "GitRepository", name: flux.source },
      // Children inherit no decryption: every Kustomization with encrypted files names its key.
      ...(secrets.length === 0 ? {} : { decryption: { provider: "sops", secretRef: { name: flux.ageSecret } } }),
    },
  };
}
