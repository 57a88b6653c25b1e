import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { azureCliVersion, checkJsonschemaVersion, goTools, kubernetesSchemas, pydgraphVersion } from "./pins.ts";

/** Folder of the tools of this checkout, ignored by Git: links into the cache. */
export const toolsFolder: string = fileURLToPath(new URL("../../.tools/", import.meta.url));

/** Built tools outlive the checkout here, a folder a version. */
export const cacheFolder: string =
  process.env["MESHOPS_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "meshops");

/** Cached binary of a pinned tool. */
export function cachedTool(name: string, version: string): string {
  return join(cacheFolder, "tools", `${name}-${version}`, name);
}

/** Cached folder of Kubernetes' schemas. */
export const schemasFolder: string = join(cacheFolder, "schemas", `${kubernetesSchemas.package}-${kubernetesSchemas.version}`);

/** Virtual environment of the Azure CLI; `installed` in it says that it is whole. */
export const azureCli: string = join(cacheFolder, `azure-cli-${azureCliVersion}`);

/** Virtual environment of check-jsonschema; `installed` in it says that it is whole. */
export const checkJsonschema: string = join(cacheFolder, `check-jsonschema-${checkJsonschemaVersion}`);

/** Virtual environment with pydgraph; `installed` in it says that it is whole. */
export const pydgraph: string = join(cacheFolder, `pydgraph-${pydgraphVersion}`);

/** Path at which `npm run tools` puts a pinned tool, whether it is there or not. */
export function pinnedTool(name: string): string {
  const tool = goTools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`${name} is no pinned tool`);
  return cachedTool(tool.name, tool.version);
}
