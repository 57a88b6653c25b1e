import { copySource, type Image, imagePath, mirroredName, reference, registryHost } from "../catalog/image.ts";
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

/**
 * Returns the images to copy to the registry that mirrors images. The result contains pairs of references (source and
 * target), sorted and without duplicates.
 */
export function mirroredCopies(environment: Environment): [source: string, target: string][] {
  const { images, mirror } = runningImages(environment);
  const copies = images.flatMap(({ image }): [string, string][] => {
    const name = mirroredName(image.name, mirror);
    return name === image.name ? [] : [[copySource(image), `${name}:${image.tag}`]];
  });
  return [...new Map(copies)].sort(([a], [b]) => compareText(a, b));
}

/**
 * An image to copy into a registry. `source` is the source reference. `image` is the repository and the tag in the
 * target registry.
 */
export interface Copy {
  readonly source: string;
  readonly image: string;
}

/**
 * Returns the images that an environment runs, in the order of its components. The result includes third-party images,
 * and images of containers that run only if an annotation requests them. It does not include images of Helm hooks that
 * meshops disables.
 */
export function imagesOf(environment: Environment): EnvironmentImage[] {
  const { images, mirror } = runningImages(environment);
  return images.map(({ component, image }) => ({
    component,
    source: reference(image),
    target: reference({ ...image, name: mirroredName(image.name, mirror) }),
  }));
}

/**
 * Returns the images to copy into a registry, sorted and without duplicates. Skips images that are published in this
 * registry, for example the image of the test client.
 */
export function mirrorImports(registry: string, environment: Environment): Copy[] {
  const copies = runningImages(environment)
    .images.filter(({ image }) => !image.name.startsWith(`${registryHost(registry)}/`))
    .map(({ image }): [string, string] => [copySource(image), `${imagePath(image.name)}:${image.tag}`]);
  return [...new Map(copies)].sort(([a], [b]) => compareText(a, b)).map(([source, image]) => ({ source, image }));
}

function runningImages(environment: Environment): {
  readonly images: readonly { readonly component: string; readonly image: Image }[];
  readonly mirror: ReturnType<typeof modelOf>["mirror"];
} {
  const { components, mirror } = modelOf(environment);
  const images = components.flatMap(({ id, images: own }) =>
    own.filter(({ runs }) => runs !== "install-job").map((image) => ({ component: id, image })),
  );
  return { images, mirror };
}
