import Handlebars from "handlebars";
import { shellWord } from "../../system/shell.ts";
import { version } from "../../system/version.ts";
import type { Answers } from "./answers.ts";
import { type Assets, targetOf } from "./assets.ts";
import { specs } from "./specs.ts";

/** A file of a new repository. */
export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/**
 * Returns the files of a new repository. Templates whose path ends in `.hbs` are rendered. `dot-` in a path is replaced
 * by the leading dot of a hidden file, because npm would exclude some hidden files from the package.
 *
 * @param templates paths relative to templates/
 * @param bases paths relative to bases/
 */
export function scaffold(answers: Answers, templates: Assets, bases: Assets, clientVersion: string): ScaffoldFile[] {
  const view = { ...answers, aks: answers.cluster === "aks", first: answers.environments[0], version, clientVersion };
  const files: (readonly [path: string, text: string])[] = [
    ...specs(answers),
    ...[...bases].map(([path, text]) => [`bases/${path}`, text] as const),
    ...[...templates].map(([path, text]) => fill(path, text, view)),
  ];
  return files.map(([path, text]) => ({ path, text, executable: text.startsWith("#!") }));
}

/** Returns the path and the text of a file that is created from a template. */
function fill(path: string, text: string, view: object): readonly [path: string, text: string] {
  const target = targetOf(path);
  return [target, path.endsWith(".hbs") ? handlebars.compile(text, { strict: true, noEscape: true })(view) : text];
}

const handlebars = Handlebars.create();
handlebars.registerHelper("shell", shellWord);
