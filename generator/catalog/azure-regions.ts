/**
 * Short names of the public regions of Azure (`az account list-locations`; Azure docs, "Azure regions list"). New
 * regions may be missing.
 */
export const azureRegions: readonly string[] = [
  ...["australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast", "belgiumcentral"],
  ...["brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia", "centralus", "chilecentral"],
  ...["eastasia", "eastus", "eastus2", "eastus3", "francecentral", "francesouth", "germanynorth", "germanywestcentral"],
  ...["indonesiacentral", "israelcentral", "italynorth", "japaneast", "japanwest", "jioindiacentral", "jioindiawest"],
  ...["koreacentral", "koreasouth", "malaysiawest", "mexicocentral", "newzealandnorth", "northcentralus", "northeurope"],
  ...["norwayeast", "norwaywest", "polandcentral", "qatarcentral", "southafricanorth", "southafricawest"],
  ...["southcentralus", "southeastasia", "southindia", "spaincentral", "swedencentral", "swedensouth"],
  ...["switzerlandnorth", "switzerlandwest", "uaecentral", "uaenorth", "uksouth", "ukwest", "westcentralus"],
  ...["westeurope", "westindia", "westus", "westus2", "westus3"],
  // Regions of Azure operated by 21Vianet, and regions of Azure Government.
  ...["chinaeast", "chinaeast2", "chinaeast3", "chinanorth", "chinanorth2", "chinanorth3"],
  ...["usgovarizona", "usgovtexas", "usgovvirginia", "usdodcentral", "usdodeast"],
];
