import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import Handlebars from "handlebars";
import type { Json } from "../kubernetes/object.ts";
import { programFolder } from "../system/program-folder.ts";
import { shellQuote } from "../system/shell.ts";
import { stateFolderInShell } from "./state.ts";

/** A step of a script: its title, the shell function that runs it, and the function's arguments. */
export interface ScriptStep {
  readonly title: string;
  readonly run: string;
  readonly arguments?: readonly string[];
}

/**
 * Values for a template. The templates insert `manifests` into here-documents without shell expansion. Every other
 * string is quoted as one shell word.
 */
export interface View {
  readonly manifests?: { readonly [name: string]: string };
  readonly [field: string]: Json | undefined;
}

const templates = new URL("bootstrap/templates/", programFolder);

/**
 * Renders a script from the templates in `templates/`. A template can include other templates.
 *
 * @param name name of the template, without extension
 * @param plan steps of the script, in order
 * @throws if the view lacks a value that the template uses. Also throws if a manifest contains the line `YAML`, because
 *   this line ends a here-document
 */
export function renderScript(name: string, plan: readonly ScriptStep[], { manifests = {}, ...view }: View): string {
  for (const text of Object.values(manifests))
    if (/^YAML$/m.test(text))
      throw new Error(
        "a manifest contains a line with only the text YAML; in the script, this line would end the here-document that contains the manifest",
      );
  const handlebars = Handlebars.create();
  for (const file of readdirSync(templates))
    handlebars.registerPartial(basename(file, ".sh"), readFileSync(new URL(file, templates), "utf8").trimEnd());
  handlebars.registerPartial("state-folder", stateFolderInShell);
  // With `strict`, Handlebars throws if the view lacks a value. With `noEscape`, Handlebars does not escape values for
  // HTML. The function `quoted` quotes the values for the shell instead.
  const script = handlebars.compile(`{{> ${name}}}\n`, { strict: true, noEscape: true })({
    ...(quoted({ ...view, steps: plan.length, plan: plan.map((step) => ({ arguments: [], ...step })) } as Json) as object),
    manifests,
  });
  return script.replace(/\n{3,}/g, "\n\n");
}

/** Quotes every string in a value for the shell. */
function quoted(value: Json): Json {
  if (typeof value === "string") return shellQuote(value);
  if (Array.isArray(value)) return value.map(quoted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, quoted(item)]));
}
