import { imagePath, pulledAs, reference, registryHost } from "../catalog/image.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { compareText } from "../system/text.ts";
import { modelOf } from "./build.ts";

/** An image that an environment runs. */
export interface EnvironmentImage {
  readonly component: string;
  /** Reference under which the image is published, with the tag. */
  readonly source: string;
  /**
   * Reference from which the cluster pulls the image: `source`, or the reference in the registry that mirrors images.
   */
  readonly target: string;
}

/** Images to copy to the registry that mirrors them, as pairs of references, sorted and without duplicates. */
export function mirroredCopies(environment: Environment): [source: string, target: string][] {
  const copies = new Map(imagesOf(environment).map(({ source, target }) => [source, target]));
  return [...copies].filter(([source, target]) => source !== target).sort(([a], [b]) => compareText(a, b));
}

/** An image to copy into a registry: the source reference, and the repository and tag in the target registry. */
export interface Copy {
  readonly source: string;
  readonly image: string;
}

/**
 * Images that an environment runs, in the order of its components. Includes third-party images, and images of
 * containers that run only if an annotation requests the container. Excludes images of Helm hooks that meshops
 * disables.
 */
export function imagesOf(environment: Environment): EnvironmentImage[] {
  const { components, mirror } = modelOf(environment);
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

/**
 * Images to copy into a registry, sorted and without duplicates. Images that are published in this registry are
 * skipped, for example the image of the test client, which is built there.
 */
export function copiesInto(registry: string, images: readonly EnvironmentImage[]): Copy[] {
  const sources = new Set(
    images.map(({ source }) => source).filter((source) => !source.startsWith(`${registryHost(registry)}/`)),
  );
  return [...sources].sort(compareText).map((source) => ({ source, image: imagePath(source) }));
}
