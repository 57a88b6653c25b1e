import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import Handlebars from "handlebars";
import type { Json } from "../kubernetes/object.ts";
import { programFolder } from "../system/program-folder.ts";
import { shellQuote } from "../system/shell.ts";

/** A step of a script: its title, the shell function that runs it, and the function's arguments. */
export interface ScriptStep {
  readonly title: string;
  readonly run: string;
  readonly arguments?: readonly string[];
}

/**
 * Values for a template. `manifests` are inserted into here-documents without expansion; every other string becomes
 * one quoted word.
 */
export interface View {
  readonly manifests?: { readonly [name: string]: string };
  readonly [field: string]: Json | undefined;
}

const templates = new URL("bootstrap/templates/", programFolder);

/**
 * Renders a script from the templates in `templates/`, which may include each other.
 *
 * @param name name of the template, without extension
 * @param plan steps of the script, in order
 * @throws if the view lacks a value that the template uses, or a manifest contains the line that ends its here-document
 */
export function renderScript(name: string, plan: readonly ScriptStep[], { manifests = {}, ...view }: View): string {
  for (const text of Object.values(manifests))
    if (/^YAML$/m.test(text)) throw new Error("a manifest contains the line that ends a here-document");
  const handlebars = Handlebars.create();
  for (const file of readdirSync(templates))
    handlebars.registerPartial(basename(file, ".sh"), readFileSync(new URL(file, templates), "utf8").trimEnd());
  // strict: a value that the view lacks is an error, not an empty string. noEscape: values are quoted for the shell,
  // not escaped for HTML.
  const script = handlebars.compile(`{{> ${name}}}\n`, { strict: true, noEscape: true })({
    ...(quoted({ ...view, steps: plan.length, plan: plan.map((step) => ({ arguments: [], ...step })) } as Json) as object),
    manifests,
  });
  return script.replace(/\n{3,}/g, "\n\n");
}

/** Returns the value with every string in it quoted for the shell. */
function quoted(value: Json): Json {
  if (typeof value === "string") return shellQuote(value);
  if (Array.isArray(value)) return value.map(quoted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, quoted(item)]));
}
