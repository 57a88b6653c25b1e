import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { azureCliVersion, checkJsonschemaVersion, goTools, kubernetesSchemas, pydgraphVersion } from "./pins.ts";

/** Folder with this checkout's links to the cached tools. Git ignores this folder. */
export const toolsFolder: string = fileURLToPath(new URL("../../.tools/", import.meta.url));

/** Cache of installed tools outside the checkout, with one folder per version. */
export const cacheFolder: string =
  process.env["MESHOPS_CACHE"] ?? join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "meshops");

/** Returns the path of a tool's binary in the cache. */
export function cachedTool(name: string, version: string): string {
  return join(cacheFolder, "tools", `${name}-${version}`, name);
}

/** Folder of Kubernetes' schemas in the cache. */
export const schemasFolder: string = join(cacheFolder, "schemas", `${kubernetesSchemas.package}-${kubernetesSchemas.version}`);

/** Virtual environment of the Azure CLI. It is complete if it contains the file `installed`. */
export const azureCli: string = join(cacheFolder, `azure-cli-${azureCliVersion}`);

/** Virtual environment of check-jsonschema. It is complete if it contains the file `installed`. */
export const checkJsonschema: string = join(cacheFolder, `check-jsonschema-${checkJsonschemaVersion}`);

/** Virtual environment of pydgraph. It is complete if it contains the file `installed`. */
export const pydgraph: string = join(cacheFolder, `pydgraph-${pydgraphVersion}`);

/** Returns the path at which `npm run tools` installs a pinned Go tool. The file may not exist yet. */
export function pinnedTool(name: string): string {
  const tool = goTools.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`${name} is not a pinned tool`);
  return cachedTool(tool.name, tool.version);
}
