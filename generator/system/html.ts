import { readFileSync } from "node:fs";
import Handlebars from "handlebars";

/**
 * Renders an HTML page or an XML file from a template. Texts are escaped for HTML. The escaped texts are also valid in
 * XML. Control characters that XML does not allow are removed.
 */
export function fillTemplate(template: URL, view: object): string {
  const text = readFileSync(template, "utf8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML does not allow these control characters
  return Handlebars.compile(text, { strict: false })(view).replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "");
}
