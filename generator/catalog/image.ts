/** A container image as its project publishes it. */
export interface Image {
  /** Registry and repository, such as `cr.l5d.io/linkerd/proxy` or `docker.io/dgraph/dgraph`. */
  readonly name: string;
  readonly tag: string;
  /** Digest, such as `sha256:…`; if omitted, the tag determines the image. */
  readonly digest?: string;
  /**
   * When the image runs. `pod`: whenever the component runs; `on-demand`: only if an annotation requests the image;
   * `install-job`: only in a Helm hook that meshops disables.
   */
  readonly runs: "pod" | "on-demand" | "install-job";
}

/** Returns the image reference, `name:tag`, with the digest if the image has one. */
export function reference({ name, tag, digest }: Pick<Image, "name" | "tag" | "digest">): string {
  return `${name}:${tag}${digest === undefined ? "" : `@${digest}`}`;
}

/**
 * Returns the reference of an image as the source of a copy. If the image has a digest, the reference has no tag,
 * because skopeo refuses references with a tag and a digest (containers/image, docker/docker_transport.go).
 */
export function copySource({ name, tag, digest }: Pick<Image, "name" | "tag" | "digest">): string {
  return digest === undefined ? `${name}:${tag}` : `${name}@${digest}`;
}

/**
 * Matches the parts of an image reference in a manifest: the name, the tag and the digest. If a slash follows a colon,
 * the text after the colon starts with a port and is not a tag.
 */
const parts = /^(.+?)(?::([^:/@]+))?(?:@(sha256:[0-9a-f]+))?$/;

/** Returns the image name exactly as a reference contains it, without tag and digest. */
export function writtenName(text: string): string {
  return parts.exec(text)?.[1] ?? text;
}

/**
 * Returns the image of a reference in a manifest. Completes the name in the same way as container runtimes
 * (distribution, reference/normalize.go). A name without a registry gets the registry `docker.io`. If a name has
 * neither a registry nor a folder, it also gets the folder `library`.
 */
export function parseImage(text: string): Image {
  const [, name = text, tag = "", digest] = parts.exec(text) ?? [];
  const [first = "", ...others] = name.split("/");
  const hasRegistry = others.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const full = hasRegistry ? name : `docker.io/${others.length === 0 ? "library/" : ""}${name}`;
  return { name: full, tag, ...(digest === undefined ? {} : { digest }), runs: "pod" };
}

/**
 * Returns the path of an image without its registry, such as `linkerd/proxy`. In a mirror, the name of the image ends
 * with this path.
 */
export function imagePath(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/** A registry with copies of all images. */
export interface Mirror {
  /** Host of the registry, followed by a path if all copies are below this path. */
  readonly host: string;
  /** Whether the name of a copy contains the host of the original registry (`origin`) or not (`flat`). */
  readonly layout: "flat" | "origin";
}

/** Returns the name from which an image is pulled: the name in the mirror or, without a mirror, the original name. */
export function mirroredName(name: string, mirror: Mirror | null): string {
  return mirror === null ? name : `${registryIn(mirror, name.slice(0, name.indexOf("/")))}/${imagePath(name)}`;
}

/** Returns the host and path in a mirror for the images of an original registry, such as `docker.io`. */
export function registryIn({ host, layout }: Mirror, original: string): string {
  return layout === "flat" ? host : `${host}/${original}`;
}

/** Returns the host name of an Azure Container Registry. */
export function registryHost(registryName: string): string {
  return `${registryName.toLowerCase()}.azurecr.io`;
}
