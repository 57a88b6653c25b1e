import { azureRegions } from "../../catalog/azure-regions.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/**
 * Rules about names of Azure regions and VM sizes. The schema does not list these names, because Azure adds and removes
 * names.
 */
export const azureNameRules: readonly Rule[] = [
  {
    code: "azure-location-unknown",
    severity: "warning",
    title: "meshops does not know the Azure region",
    why: "Azure rejects a resource group in a region that does not exist. meshops knows only the regions that `az account list-locations` printed when this meshops version was released.",
    fix: "Use a name that `az account list-locations --query [].name` prints. If the region is new, silence the rule.",
    check: unknownLocation,
  },
  {
    code: "azure-size-unsuitable",
    severity: "warning",
    title: "AKS may reject the VM size of the nodes",
    why: "The nodes of a system node pool need at least 2 vCPUs and 4 GiB of memory (AKS docs, “System node pools”). In the name of a VM size, the number after the family is the number of vCPUs. Azure retires the VM sizes of the D, E and F families that have no version suffix (`_v2` or later).",
    fix: "Use a size with at least 2 vCPUs, such as `Standard_D2s_v5`.",
    check: unsuitableSize,
  },
];

function* unknownLocation({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || azureRegions.includes(azure.location)) return;
  yield {
    paths: [spec("azure", "location")],
    message: `meshops does not know the Azure region "${azure.location}"`,
    fix: didYouMean(azure.location, azureRegions) ?? "use a name that az account list-locations prints",
  };
}

const suitable = "set azure.cluster.vmSize: Standard_D2s_v5";

function* unsuitableSize({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || azure.cluster.lifecycle === "existing") return;
  const { vmSize } = azure.cluster;
  const [, family = "", cpus = "0", generation] = /^Standard_([A-Z]+)(\d+)[^_]*(?:_v(\d+))?$/.exec(vmSize) ?? [];
  const paths = [spec("azure", "cluster", "vmSize")];
  if (family !== "" && Number(cpus) < 2)
    yield {
      paths,
      message: `${vmSize} has ${cpus} vCPU, but the nodes of an AKS system node pool need at least 2 vCPUs`,
      fix: suitable,
    };
  else if (/^(D|E|F)$/.test(family) && (generation === undefined || Number(generation) > 9 || Number(generation) < 2))
    yield { paths, message: `meshops does not know the VM size ${vmSize}, or Azure has retired it`, fix: suitable };
}
