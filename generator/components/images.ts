import { imagePath, pulledAs, reference, registryHost } from "../catalog/image.ts";
import type { Identity } from "../identity/identity.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { compareText } from "../system/text.ts";
import { buildModel } from "./build.ts";

/** An image that an environment runs. */
export interface EnvironmentImage {
  readonly component: string;
  /** Where it is published, with its tag. */
  readonly source: string;
  /** What the cluster pulls: the same, or its name in the environment's registry. */
  readonly target: string;
}

/** A copy to make: from where, and to which repository and tag of the registry. */
export interface Copy {
  readonly source: string;
  readonly image: string;
}

/** Images depend on the spec alone, so no certificates are needed to list them. */
export const noIdentity: Identity = { trustAnchors: "", issuer: "", webhookCa: "" };

/** Every image that an environment runs, third-party ones and those that only an annotation asks for included; in the order of the components. */
export function imagesOf(environment: Environment): EnvironmentImage[] {
  const { components, mirror } = buildModel({ environment, identity: noIdentity });
  return components.flatMap((component) =>
    component.images
      .filter(({ runs }) => runs !== "install-job")
      .map((image) => ({
        component: component.id,
        source: reference(image),
        target: pulledAs(reference(image), mirror),
      })),
  );
}

/** The copies that fill a registry, each once, sorted. What the registry already owns is not copied: the client's image is built there. */
export function copiesInto(registry: string, images: readonly EnvironmentImage[]): Copy[] {
  const sources = new Set(
    images.map(({ source }) => source).filter((source) => !source.startsWith(`${registryHost(registry)}/`)),
  );
  return [...sources].sort(compareText).map((source) => ({ source, image: imagePath(source) }));
}
