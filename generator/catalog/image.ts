/** A container image as its project publishes it. */
export interface Image {
  /** Registry and repository, such as `cr.l5d.io/linkerd/proxy` or `docker.io/dgraph/dgraph`. */
  readonly name: string;
  readonly tag: string;
  /**
   * When the image runs. `pod`: whenever the component runs; `on-demand`: only if an annotation requests the image;
   * `install-job`: only in a Helm hook that meshops disables.
   */
  readonly runs: "pod" | "on-demand" | "install-job";
}

/** Returns the image reference, `name:tag`. */
export function reference(image: Pick<Image, "name" | "tag">): string {
  return `${image.name}:${image.tag}`;
}

/** Returns the path of an image without its registry, such as `linkerd/proxy`. A mirror has the image at this path. */
export function imagePath(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/** A registry with copies of all images. */
export interface Mirror {
  /** Host of the registry, and a path if all copies are below it. */
  readonly host: string;
  /** Names of the copies: without the host of the original registry (`flat`), or with it (`origin`). */
  readonly layout: "flat" | "origin";
}

/** Returns the name from which an image is pulled: the name in the mirror or, without a mirror, the original name. */
export function pulledAs(name: string, mirror: Mirror | null): string {
  return mirror === null ? name : `${registryIn(mirror, name.slice(0, name.indexOf("/")))}/${imagePath(name)}`;
}

/** Returns the registry in a mirror that has the images of an original registry, such as `docker.io`. */
export function registryIn({ host, layout }: Mirror, original: string): string {
  return layout === "flat" ? host : `${host}/${original}`;
}

/** Returns the host name of an Azure Container Registry. */
export function registryHost(registryName: string): string {
  return `${registryName.toLowerCase()}.azurecr.io`;
}
