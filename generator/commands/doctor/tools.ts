/** A program that some command of meshops, or the platform's people, run. */
export interface Tool {
  readonly name: string;
  /** Arguments by which it tells its version. */
  readonly asks: readonly string[];
  /** Oldest version that will do; empty where any does. */
  readonly needed: string;
  /** A version that is too new, where there is one. */
  readonly below?: string;
  /** Whether and for what it is needed. */
  readonly why: string;
  readonly how: string;
  /** Whether every platform needs it. */
  readonly required: boolean;
  /** Whether it is required if an environment is on Azure, and is not listed otherwise. */
  readonly azure: boolean;
}

const optional = { required: false, azure: false } as const;

/**
 * `needed` is where the flags and formats that the bundle uses came in, as far as is known: sops 3.9 `mac_only_encrypted`, kustomize 5.0
 * `sortOptions`, Helm 3.8 `--post-renderer-args`, helmfile 1.0 its file format; Helm 4 takes post-renderers as plugins only. What is tried is what
 * scripts/tools/pins.ts names.
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

/** The first version in what a program prints, such as `3.22.0`; null where it prints none. */
export function versionIn(text: string): string | null {
  return /(?<![\d.])(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1] ?? null;
}
