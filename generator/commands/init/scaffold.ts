import Handlebars from "handlebars";
import { shellWord } from "../../system/shell.ts";
import { version } from "../../system/version.ts";
import { type Answers, clientTag } from "./answers.ts";
import { type Assets, targetOf } from "./assets.ts";
import { specs } from "./specs.ts";

/** A file of a new repository. */
export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** Files of the meshops package that `init` copies or renders. */
export interface Sources {
  /**
   * Templates, by path relative to templates/. `init` renders the templates whose path ends in `.hbs`, and copies the
   * others.
   */
  readonly templates: Assets;
  /** Files in bases/, by path relative to bases/. */
  readonly bases: Assets;
  /** Files of the test client, by path relative to clients/. */
  readonly clients: Assets;
}

/**
 * Returns the files of a new repository. If the name of a file or folder starts with a dot, the name of its template
 * starts with `dot-` instead, because npm would exclude some hidden files from the meshops package.
 */
export function scaffold(answers: Answers, { templates, bases, clients }: Sources, clientVersion: string): ScaffoldFile[] {
  const { client, cluster, environments } = answers;
  const view = {
    ...answers,
    aks: cluster === "aks",
    delivers: answers.database || !answers.existingLinkerd,
    // Whether `meshops verify` can run. It needs the image of the test client only if the environments have a database.
    verifies: client !== null || !answers.database,
    first: environments[0],
    version,
    vendored: vendoredPackage,
    clientVersion,
    clientImage: client?.image == null ? null : `${client.image}:${clientTag}`,
  };
  const files: (readonly [path: string, text: string])[] = [
    ...specs(answers),
    ...[...bases].map(([path, text]) => [`bases/${path}`, text] as const),
    ...(client === null ? [] : [...clients].map(([path, text]) => [`clients/${path}`, text] as const)),
    ...[...templates].map(([path, text]) => fill(path, text, view)),
  ];
  return files.map(([path, text]) => ({ path, text, executable: text.startsWith("#!") }));
}

/** Path of the meshops package in a new repository. */
export const vendoredPackage: string = `vendor/meshops-${version}.tgz`;

/** Returns the path and the text of a file that is created from a template. */
function fill(path: string, text: string, view: object): readonly [path: string, text: string] {
  const target = targetOf(path);
  return [target, path.endsWith(".hbs") ? handlebars.compile(text, { strict: true, noEscape: true })(view) : text];
}

const handlebars = Handlebars.create();
handlebars.registerHelper("shell", shellWord);
