import { type Mirror, registryHost } from "../catalog/image.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** The registry from which all images are pulled; null if images are pulled from their original registries. */
export function mirrorOf({ spec: { azure, registry } }: Environment): Mirror | null {
  if (registry?.host !== undefined && registry.images === "mirror") return { host: registry.host, layout: registry.layout };
  return azure?.registry?.mirrorImages === true ? { host: registryHost(azure.registry.name), layout: "flat" } : null;
}

/** Field of the spec that enables the mirror. */
export function mirrorField({ spec: { registry } }: Environment): string {
  return registry?.images === "mirror" ? "registry.images" : "azure.registry.mirrorImages";
}

/**
 * Returns the names of the Secrets with the credentials of a private registry; undefined if the spec sets no names.
 *
 * @param own names in the section of the component; they take precedence over `registry.pullSecretRef`
 */
export function pullSecretsOf({ spec: { registry } }: Environment, own?: readonly string[]): readonly string[] | undefined {
  const name = registry?.pullSecretRef?.name;
  return own ?? (name === undefined ? undefined : [name]);
}
