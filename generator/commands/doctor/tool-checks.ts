import { isVersionAtLeast } from "../../system/version.ts";
import type { Io } from "../io.ts";
import type { DoctorCheck } from "./check.ts";
import { runTool } from "./run-tool.ts";
import { type Tool, tools, versionIn } from "./tools.ts";

/**
 * Checks whether each program is installed, and whether meshops supports the installed version. Runs the checks in
 * parallel.
 *
 * @param onAzure whether at least one environment is on Azure. Null if this is unknown
 * @param helmVersions major versions of Helm in the field `helmfile.helmVersion` of the specs
 */
export function lookAtTools(io: Io, onAzure: boolean | null, helmVersions: readonly number[]): Promise<DoctorCheck[]> {
  const wanted = tools.filter(({ azure }) => onAzure !== false || !azure).map((tool) => withHelmVersion(tool, helmVersions));
  return Promise.all(wanted.map((tool) => lookAt(io, tool, tool.required || (tool.azure && onAzure === true))));
}

/**
 * For Helm and helmfile, returns the tool with the range of versions that works with all specs. Returns other tools
 * unchanged. With Helm 4, the generated helmfile contains the field `serverSide`. This field was added to helmfile in
 * June 2026 (helmfile#2641). The tests use helmfile 1.8.
 */
function withHelmVersion(tool: Tool, versions: readonly number[]): Tool {
  if (tool.name === "helmfile" && versions.includes(4)) return { ...tool, needed: "1.8" };
  if (tool.name !== "helm" || versions.length === 0) return tool;
  const needed = versions.includes(3) ? tool.needed : "4.0";
  return { ...tool, needed, below: versions.includes(4) ? "5" : "4" };
}

async function lookAt(io: Io, tool: Tool, required: boolean): Promise<DoctorCheck> {
  const { name, needed, below, why, how } = tool;
  const bad = required ? "error" : "missing";
  const range = `${needed} or later${below === undefined ? "" : `, but earlier than ${below}`}`;
  const text = await output(io, tool);
  if (text === null)
    return {
      topic: "tools",
      name,
      status: bad,
      found: `not found; use version ${range}`,
      fix: `install ${name} (${why}): ${how}`,
    };
  const version = versionIn(text);
  if (version === null)
    return {
      topic: "tools",
      name,
      status: bad,
      found: "the output of the program contains no version number",
      fix: `reinstall ${name}: ${how}`,
    };
  const fits = isVersionAtLeast(version, needed) && (below === undefined || !isVersionAtLeast(version, below));
  if (fits) return { topic: "tools", name, status: "ok", found: version, fix: "" };
  return {
    topic: "tools",
    name,
    status: bad,
    found: `version ${version} is not supported; use version ${range}`,
    fix: `install ${name} (${why}): ${how}`,
  };
}

async function output(io: Io, { name, asks }: Tool): Promise<string | null> {
  if (name === "node") return process.version;
  const { text, trouble } = await runTool(io, name, asks);
  return trouble?.absent === true ? null : text;
}
