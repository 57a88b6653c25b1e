import { registryHost } from "../catalog/image.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { shellQuote } from "../system/shell.ts";

/**
 * The variables of the article's `env.sh`, for steps by hand; null where the environment is not on Azure.
 * (Names: J. Menchaca, "AKS with Linkerd Service Mesh", 2021; the login server is said, where the article asks Azure for it.)
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
  // Quoted apart, since the home folder is the shell's to know.
  return `${lines}export KUBECONFIG="\${MESHOPS_STATE:-\${XDG_STATE_HOME:-$HOME/.local/state}/meshops}"/${shellQuote(metadata.name)}/kubeconfig\n`;
}
