import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import Handlebars from "handlebars";
import type { Json } from "../kubernetes/object.ts";
import { programFolder } from "../system/program-folder.ts";
import { shellQuote } from "../system/shell.ts";

/** A step of a script: what it is called, and the shell function that does it. */
export interface ScriptStep {
  readonly title: string;
  readonly run: string;
  readonly arguments?: readonly string[];
}

/** What a template is filled with. `manifests` go into here-documents that expand nothing; every other text becomes one quoted word. */
export interface View {
  readonly manifests?: { readonly [name: string]: string };
  readonly [field: string]: Json | undefined;
}

const templates = new URL("bootstrap/templates/", programFolder);

/**
 * A script from the templates in `templates/`, which may include each other.
 *
 * @param name of the template, without ending
 * @param plan what the script does, in order
 * @throws where the template asks for a value that the view lacks, or a manifest would end its here-document
 */
export function renderScript(name: string, plan: readonly ScriptStep[], { manifests = {}, ...view }: View): string {
  for (const text of Object.values(manifests))
    if (/^YAML$/m.test(text)) throw new Error("a manifest holds the line that ends a here-document");
  const handlebars = Handlebars.create();
  for (const file of readdirSync(templates))
    handlebars.registerPartial(basename(file, ".sh"), readFileSync(new URL(file, templates), "utf8").trimEnd());
  // strict: a name that the view lacks is an error, not an empty text. noEscape: what is escaped is decided here, not for HTML.
  const script = handlebars.compile(`{{> ${name}}}\n`, { strict: true, noEscape: true })({
    ...(quoted({ ...view, steps: plan.length, plan: plan.map((step) => ({ arguments: [], ...step })) } as Json) as object),
    manifests,
  });
  return script.replace(/\n{3,}/g, "\n\n");
}

/** The same value with every text in it quoted for the shell. */
function quoted(value: Json): Json {
  if (typeof value === "string") return shellQuote(value);
  if (Array.isArray(value)) return value.map(quoted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, quoted(item)]));
}
