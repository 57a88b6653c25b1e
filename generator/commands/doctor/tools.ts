/** A program that meshops or a user of the platform runs. */
export interface Tool {
  readonly name: string;
  /** Arguments with which the program prints its version. */
  readonly asks: readonly string[];
  /** Oldest supported version; empty if every version is supported. */
  readonly needed: string;
  /** First version that is too new, if any. */
  readonly below?: string;
  /** Whether the program is required, and for what. */
  readonly why: string;
  /** Page that describes how to install the program. */
  readonly how: string;
  /** Whether every platform needs it. */
  readonly required: boolean;
  /** Whether it is required if an environment is on Azure, and is not listed otherwise. */
  readonly azure: boolean;
}

const optional = { required: false, azure: false } as const;

/**
 * `needed` is the version that introduced the flags and formats that the bundle uses, as far as is known: sops 3.9
 * `mac_only_encrypted`, kustomize 5.0 `sortOptions`, Helm 3.8 `--post-renderer-args`, helmfile 1.0 its file format.
 * Helm 4 accepts only plugins as post-renderers. Tests use the versions in scripts/tools/pins.ts.
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
    why: "needed for bootstrap, teardown and helmfile's hook",
    how: "https://kubernetes.io/docs/tasks/tools",
    ...optional,
  },
  {
    name: "flux",
    asks: ["--version"],
    needed: "2.4",
    why: "optional, to inspect Flux",
    how: "https://fluxcd.io/flux/installation",
    ...optional,
  },
  {
    name: "helm",
    asks: ["version", "--template", "{{.Version}}"],
    needed: "3.8",
    below: "4",
    why: "needed only for helmfile",
    how: "https://helm.sh/docs/intro/install",
    ...optional,
  },
  {
    name: "helmfile",
    asks: ["--version"],
    needed: "1.0",
    why: "needed only for helmfile",
    how: "https://helmfile.readthedocs.io/en/latest/#installation",
    ...optional,
  },
  {
    name: "kustomize",
    asks: ["version"],
    needed: "5.0",
    why: "needed only for meshops krm and for helmfile",
    how: "https://kubectl.docs.kubernetes.io/installation/kustomize",
    ...optional,
  },
  {
    name: "sops",
    asks: ["--version", "--disable-version-check"],
    needed: "3.9",
    why: "needed only for Azure Key Vault; optional, to edit encrypted files",
    how: "https://getsops.io/docs/#download",
    ...optional,
  },
];

/** Returns the first version in the output of a program, such as `3.22.0`; null if there is none. */
export function versionIn(text: string): string | null {
  return /(?<![\d.])(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1] ?? null;
}
