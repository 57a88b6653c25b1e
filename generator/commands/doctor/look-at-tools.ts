import type { Io } from "../io.ts";
import { ask } from "./ask.ts";
import type { DoctorCheck } from "./check.ts";
import { isAtLeast, type Tool, tools, versionIn } from "./tools.ts";

/** Which programs are there, and whether they are new enough; all at once. */
export function lookAtTools(io: Io, withAzure: boolean): Promise<DoctorCheck[]> {
  return Promise.all(tools.filter(({ azure }) => withAzure || !azure).map((tool) => lookAt(io, tool)));
}

async function lookAt(io: Io, tool: Tool): Promise<DoctorCheck> {
  const { name, needed, below, why, how, required } = tool;
  const bad = required ? "error" : "missing";
  const range = `${needed} or newer${below === undefined ? "" : `, below ${below}`}`;
  const text = await output(io, tool);
  if (text === null) return { topic: "tools", name, status: bad, found: `not found; ${range}`, fix: `it is for ${why}: ${how}` };
  const version = versionIn(text);
  if (version === null) return { topic: "tools", name, status: bad, found: "tells no version", fix: how };
  const fits = isAtLeast(version, needed) && (below === undefined || !isAtLeast(version, below));
  if (fits) return { topic: "tools", name, status: "ok", found: version, fix: "" };
  return { topic: "tools", name, status: bad, found: `${version}; ${range}`, fix: `it is for ${why}: ${how}` };
}

async function output(io: Io, { name, asks }: Tool): Promise<string | null> {
  if (name === "node") return process.version;
  const { text, trouble } = await ask(io, name, asks);
  return trouble?.absent === true ? null : text;
}
