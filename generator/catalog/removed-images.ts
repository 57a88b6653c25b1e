/** A registry or repository that no longer contains certain images. Manifests may still refer to these images. */
interface Gone {
  readonly name: RegExp;
  readonly message: string;
  readonly fix: string | ((name: string) => string);
}

const gone: readonly Gone[] = [
  {
    // bitnami/containers#83267 (deletion began 2025-09-29), #87841. The image sealed-secrets is still available
    // (bitnami/sealed-secrets#1790).
    name: /^(docker\.io\/)?bitnami\/(?!sealed-secrets(-|$))/,
    message: "Bitnami removed its versioned images from Docker Hub in September 2025",
    fix: (name) =>
      `use docker.io/bitnamilegacy/${name.replace(/^.*\//, "")}, which has the same tags but receives no security fixes; or use an image from the developers of the program`,
  },
  {
    // bitnami/charts#36537.
    name: /^public\.ecr\.aws\/bitnami\//,
    message: "Bitnami removed its images from Amazon's public registry in June 2026",
    fix: "use an image from the developers of the program",
  },
  {
    // cloud-native-toolkit/toolkit-charts#362.
    name: /^quay\.io\/bitnami\//,
    message: "Bitnami's images have been unavailable on quay.io since 2022",
    fix: "use an image from the developers of the program",
  },
  {
    // cert-manager/aws-privateca-issuer#459.
    name: /^gcr\.io\/kubebuilder\/kube-rbac-proxy$/,
    message: "the registry gcr.io/kubebuilder has been unavailable since March 2026",
    fix: "use registry.k8s.io/kubebuilder/kube-rbac-proxy, which has the same tags",
  },
];

/**
 * Returns the reason why an image can no longer be pulled, and a fix. Returns null if `gone` has no entry for the
 * image.
 *
 * @param name name of the image, with or without tag and digest
 */
export function goneImage(name: string): { readonly message: string; readonly fix: string } | null {
  const repository = name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const found = gone.find((entry) => entry.name.test(repository));
  if (found === undefined) return null;
  const { message, fix } = found;
  return { message: `${repository}: ${message}`, fix: typeof fix === "string" ? fix : fix(repository) };
}
