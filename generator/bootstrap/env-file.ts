import { registryHost } from "../catalog/image.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { shellQuote } from "../system/shell.ts";

/**
 * Returns the variables of the article's `env.sh`, for manual steps; null if the environment is not on Azure.
 *
 * The names are those of J. Menchaca, "AKS with Linkerd Service Mesh", 2021. The article queries Azure for the
 * registry's login server; here it is derived from the registry's name.
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
  // Only the name is quoted: the shell must expand the home folder.
  return `${lines}export KUBECONFIG="\${MESHOPS_STATE:-\${XDG_STATE_HOME:-$HOME/.local/state}/meshops}"/${shellQuote(metadata.name)}/kubeconfig\n`;
}
