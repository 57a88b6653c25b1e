/** A container image as upstream publishes it. */
export interface Image {
  /** Registry and repository, such as `cr.l5d.io/linkerd/proxy` or `docker.io/dgraph/dgraph`. */
  readonly name: string;
  readonly tag: string;
  /**
   * `pod`: runs in the cluster as soon as the component does; `on-demand`: only when somebody asks for it by annotation;
   * `install-job`: only in a Helm hook that meshops switches off.
   */
  readonly runs: "pod" | "on-demand" | "install-job";
}

/** `name:tag`. */
export function reference(image: Pick<Image, "name" | "tag">): string {
  return `${image.name}:${image.tag}`;
}

/** The path of an image's name, without its registry: `linkerd/proxy`. The name it has in a mirror. */
export function imagePath(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/** The name that an image is pulled by: its own, or that in a mirror. */
export function pulledAs(name: string, mirror: string | null): string {
  return mirror === null ? name : `${mirror}/${imagePath(name)}`;
}

/** The host that serves an Azure Container Registry. */
export function registryHost(registryName: string): string {
  return `${registryName.toLowerCase()}.azurecr.io`;
}
