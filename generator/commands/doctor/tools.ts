import { fluxReleases } from "../../catalog/flux.ts";

/** A program that meshops or a user runs. */
export interface Tool {
  readonly name: string;
  /** Arguments that print the version of the program. */
  readonly asks: readonly string[];
  /** Oldest supported version. */
  readonly needed: string;
  /**
   * Upper limit of the supported versions: the first version after `needed` that meshops does not support. Undefined if
   * meshops supports all later versions.
   */
  readonly below?: string;
  /** Text for the user: whether the program is required, and for which tasks. */
  readonly why: string;
  /** URL of the page that describes how to install the program. */
  readonly how: string;
  /** Whether the program is required in every platform repository. */
  readonly required: boolean;
  /**
   * Whether only environments on Azure require the program. If no environment is on Azure, `meshops doctor` does not
   * check the program.
   */
  readonly azure: boolean;
}

const optional = { required: false, azure: false } as const;

/**
 * Programs that `meshops doctor` checks. For four programs, `needed` is the first version with a feature that meshops
 * uses: sops 3.9 (`mac_only_encrypted`), kustomize 5.0 (`sortOptions`), Helm 3.8 (`--post-renderer-args`) and helmfile
 * 1.0 (file format). For the other programs, `needed` is an estimate. By default, meshops accepts only Helm 3, because
 * Helm 4 accepts only plugins as post-renderers. If a spec sets `helmfile.helmVersion` to 4, `withHelmVersion` changes
 * the accepted versions. The tests use the versions in scripts/tools/pins.ts.
 */
export const tools: readonly Tool[] = [
  {
    name: "node",
    asks: ["--version"],
    needed: "20.20",
    why: "required",
    how: "https://nodejs.org/en/download",
    required: true,
    azure: false,
  },
  {
    name: "git",
    asks: ["--version"],
    needed: "2.20",
    why: "required for meshops diff and the pre-commit hook",
    how: "https://git-scm.com/downloads",
    required: true,
    azure: false,
  },
  {
    name: "az",
    asks: ["version", "--output", "json"],
    needed: "2.60",
    why: "required for environments on Azure",
    how: "https://learn.microsoft.com/cli/azure/install-azure-cli",
    required: false,
    azure: true,
  },
  {
    name: "kubectl",
    asks: ["version", "--client", "--output=json"],
    needed: "1.30",
    why: "required for meshops bootstrap, meshops teardown and the hook that helmfile runs",
    how: "https://kubernetes.io/docs/tasks/tools",
    ...optional,
  },
  {
    name: "flux",
    asks: ["--version"],
    needed: fluxReleases.minimum.slice(1),
    why: "optional, to inspect Flux",
    how: "https://fluxcd.io/flux/installation",
    ...optional,
  },
  {
    name: "helm",
    asks: ["version", "--template", "{{.Version}}"],
    needed: "3.8",
    below: "4",
    why: "required only for helmfile",
    how: "https://helm.sh/docs/intro/install",
    ...optional,
  },
  {
    name: "helmfile",
    asks: ["--version"],
    needed: "1.0",
    why: "required only for helmfile",
    how: "https://helmfile.readthedocs.io/en/latest/#installation",
    ...optional,
  },
  {
    name: "kustomize",
    asks: ["version"],
    needed: "5.0",
    why: "required only for meshops krm and for helmfile",
    how: "https://kubectl.docs.kubernetes.io/installation/kustomize",
    ...optional,
  },
  {
    name: "sops",
    asks: ["--version", "--disable-version-check"],
    needed: "3.9",
    why: "required only for Azure Key Vault; you can also edit encrypted files with sops",
    how: "https://getsops.io/docs/#download",
    ...optional,
  },
];

/**
 * Returns the first version number in the output of a program, such as `3.22.0`. Returns null if the output contains no
 * version number.
 */
export function versionIn(text: string): string | null {
  return /(?<![\d.])(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1] ?? null;
}
