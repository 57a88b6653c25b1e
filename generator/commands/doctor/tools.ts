import { fluxReleases } from "../../catalog/flux.ts";

/** A program that meshops or a user runs. */
export interface Tool {
  readonly name: string;
  /** Arguments that print the version of the program. */
  readonly asks: readonly string[];
  /** Oldest supported version. */
  readonly needed: string;
  /** First version that is too new and not supported; undefined if every newer version is supported. */
  readonly below?: string;
  /** Whether the program is required, and for which tasks. */
  readonly why: string;
  /** Page that describes how to install the program. */
  readonly how: string;
  /** Whether every platform needs the program. */
  readonly required: boolean;
  /**
   * Whether the program is required for environments on Azure. If no environment is on Azure, such a program is not
   * checked.
   */
  readonly azure: boolean;
}

const optional = { required: false, azure: false } as const;

/**
 * `needed` is the oldest version with the features that meshops uses: `mac_only_encrypted` in sops 3.9, `sortOptions`
 * in kustomize 5.0, `--post-renderer-args` in Helm 3.8, and the file format of helmfile 1.0. For the other programs,
 * `needed` is an estimate. Helm 4 is not supported, because Helm 4 accepts only plugins as post-renderers. The tests
 * use the versions in scripts/tools/pins.ts.
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
    why: "required for meshops bootstrap, meshops teardown and helmfile's hook",
    how: "https://kubernetes.io/docs/tasks/tools",
    ...optional,
  },
  {
    name: "flux",
    asks: ["--version"],
    needed: fluxReleases.minimum.slice(1),
    why: "optional: inspects Flux",
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
    why: "required only for Azure Key Vault; can also edit encrypted files",
    how: "https://getsops.io/docs/#download",
    ...optional,
  },
];

/** Returns the first version in the output of a program, such as `3.22.0`; null if there is none. */
export function versionIn(text: string): string | null {
  return /(?<![\d.])(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1] ?? null;
}
