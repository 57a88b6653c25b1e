import { registryHost } from "../catalog/image.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { shellQuote } from "../system/shell.ts";
import { stateFolderInShell } from "./state.ts";

/**
 * Returns the text of a file `env.sh` that exports environment variables for manual steps. Returns null if the
 * environment is not on Azure.
 *
 * The names of the variables are from the article "AKS with Linkerd Service Mesh" (J. Menchaca, 2021). The article
 * queries Azure for the registry's login server. This function derives the login server from the registry's name.
 */
export function envFile({ metadata, spec: { azure } }: Environment): string | null {
  if (azure === undefined) return null;
  const { registry, cluster } = azure;
  const variables: [name: string, value: string][] = [
    ["AZ_RESOURCE_GROUP", azure.resourceGroup],
    ["AZ_LOCATION", azure.location],
    ["AZ_CLUSTER_NAME", cluster.name],
    ["AZ_NET_PLUGIN", "azure"],
    ["AZ_NET_POLICY", cluster.networkPolicy],
    ...(registry === undefined
      ? []
      : ([
          ["AZ_ACR_NAME", registry.name],
          ["AZ_ACR_LOGIN_SERVER", registryHost(registry.name)],
        ] as [string, string][])),
  ];
  const lines = variables.map(([name, value]) => `export ${name}=${shellQuote(value)}\n`).join("");
  // Only the environment's name is quoted with `shellQuote`. The folder is in double quotes, because the shell must
  // expand the variables in the folder.
  return `${lines}export KUBECONFIG="${stateFolderInShell}"/${shellQuote(metadata.name)}/kubeconfig
`;
}
