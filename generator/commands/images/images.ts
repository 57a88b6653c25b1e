import { type EnvironmentImage, imagesOf, mirroredCopies, mirrorImports } from "../../components/mirrored-images.ts";
import { hasErrors } from "../../diagnostics/diagnostic.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { compareText } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { type CommonOptions, loadAll, printDiagnostics, repositoryIn, selectConcrete } from "../load.ts";

/**
 * `meshops images [env…]`: prints the container images that the environments use. With `--mirror`, prints the commands
 * that copy the images to the registry of each environment.
 */
export function images(names: readonly string[], options: CommonOptions & { readonly mirror: boolean }, io: Io): number {
  const repo = repositoryIn(io, options.directory);
  const { loaded, diagnostics } = loadAll(repo, names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(io.stderr, diagnostics);
    return exitCode.problem;
  }
  const environments = selectConcrete(loaded, names);
  if (options.mirror) io.stdout.write(lines(environments.flatMap(importCommands)));
  else {
    const rows = environments.flatMap(rowsOf);
    const targets = rows.map(({ target }) => target);
    io.stdout.write(options.output === "json" ? `${JSON.stringify(rows, null, 2)}\n` : lines(targets));
  }
  return exitCode.ok;
}

function rowsOf(environment: Environment): ({ environment: string } & EnvironmentImage)[] {
  return imagesOf(environment).map((image) => ({ environment: environment.metadata.name, ...image }));
}

/**
 * For each image, returns a command that copies the image to the environment's registry. The command is `az acr import`
 * for the Azure registry (`spec.azure.registry`), and `skopeo copy` if `spec.registry.images` is `mirror`. With
 * `--force`, az overwrites images that the registry already contains. With `--all`, skopeo copies the images of all
 * platforms.
 *
 * @throws UserError (problem) if the spec specifies no registry for mirrored images
 */
function importCommands(environment: Environment): string[] {
  const { azure, registry } = environment.spec;
  if (registry?.images === "mirror")
    return mirroredCopies(environment).map(([source, target]) => `skopeo copy --all docker://${source} docker://${target}`);
  if (azure?.registry === undefined)
    throw new UserError(
      exitCode.problem,
      `environment ${environment.metadata.name} has no registry for mirrored images`,
      "set spec.azure.registry.name, or set spec.registry.host and spec.registry.images: mirror",
    );
  const { name } = azure.registry;
  const subscription = azure.subscription === undefined ? "" : ` --subscription ${azure.subscription}`;
  return mirrorImports(name, environment).map(
    ({ source, image }) => `az acr import${subscription} --name ${name} --source ${source} --image ${image} --force`,
  );
}

function lines(rows: readonly string[]): string {
  return [...new Set(rows)]
    .sort(compareText)
    .map((row) => `${row}\n`)
    .join("");
}
