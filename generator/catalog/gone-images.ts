/** Registries and repositories that serve no more what manifests still name. */
interface Gone {
  readonly name: RegExp;
  readonly message: string;
  readonly fix: string;
}

const gone: readonly Gone[] = [
  {
    // bitnami/containers#83267 (deletion began 2025-09-29), #87841; sealed-secrets stays: bitnami/sealed-secrets#1790.
    name: /^(docker\.io\/)?bitnami\/(?!sealed-secrets(-|$))/,
    message: "Bitnami took its versioned images off Docker Hub in September 2025",
    fix: "use the project's own image; docker.io/bitnamilegacy holds frozen copies without security fixes",
  },
  {
    // bitnami/charts#36537.
    name: /^public\.ecr\.aws\/bitnami\//,
    message: "Bitnami took its images off Amazon's public registry in June 2026",
    fix: "use the project's own image",
  },
  {
    // cloud-native-toolkit/toolkit-charts#362.
    name: /^quay\.io\/bitnami\//,
    message: "Bitnami left quay.io in 2022",
    fix: "use the project's own image",
  },
  {
    // cert-manager/aws-privateca-issuer#459.
    name: /^gcr\.io\/kubebuilder\/kube-rbac-proxy$/,
    message: "the registry gcr.io/kubebuilder is gone since March 2026",
    fix: "use registry.k8s.io/kubebuilder/kube-rbac-proxy, which has the same tags",
  },
];

/**
 * What became of an image that can be pulled no more; null where nothing is known against it.
 *
 * @param name with or without tag and digest
 */
export function goneImage(name: string): Pick<Gone, "message" | "fix"> | null {
  const repository = name.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
  const found = gone.find((entry) => entry.name.test(repository));
  return found === undefined ? null : { message: `${repository}: ${found.message}`, fix: found.fix };
}
