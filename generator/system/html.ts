import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

/**
 * A page or an XML file from a template; texts are escaped for HTML, which serves XML too.
 * What XML forbids even so is left out.
 */
export function fillTemplate(template: URL, view: object): string {
  const text = readFileSync(template, "utf8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML forbids
  return Handlebars.compile(text, { strict: false })(view).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");
}
