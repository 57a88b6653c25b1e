import { imagePath, pulledAs, reference, registryHost } from "../catalog/image.ts";
import { buildModel } from "../components/build.ts";
import { hasErrors } from "../spec/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { compareText } from "../text.ts";
import { exitCode, UserError } from "../user-error.ts";
import { Repository } from "../workspace/repository.ts";
import { type CommonOptions, concrete, loadAll, printDiagnostics } from "./context.ts";

/** An image of an environment: what the cluster pulls, and where it comes from. */
interface Row {
  readonly environment: string;
  readonly component: string;
  readonly image: string;
  readonly source: string;
}

/** `meshops images [env…]`: every image that the environments run, or with `--mirror` the commands that copy them. */
export function images(names: readonly string[], options: CommonOptions & { readonly mirror: boolean }): number {
  const repo = new Repository(options.directory);
  const { loaded, diagnostics } = loadAll(repo, names);
  if (hasErrors(diagnostics)) {
    printDiagnostics(diagnostics, "text");
    return exitCode.problem;
  }
  const environments = concrete(loaded, names);
  if (options.mirror)
    process.stdout.write(lines(environments.flatMap((environment) => importCommands(environment, rowsOf(environment)))));
  else {
    const rows = environments.flatMap(rowsOf);
    process.stdout.write(
      options.output === "json" ? `${JSON.stringify(rows, null, 2)}\n` : lines(rows.map(({ image }) => image)),
    );
  }
  return exitCode.ok;
}

/** Images depend on the spec alone, so no certificates are needed to list them. */
const noIdentity = { trustAnchors: "", issuer: "", webhookCa: "" };

function rowsOf(environment: Environment): Row[] {
  const { components, mirror } = buildModel({ environment, identity: noIdentity });
  return components.flatMap((component) =>
    component.images
      .filter(({ runs }) => runs !== "install-job")
      .map((image) => ({
        environment: environment.metadata.name,
        component: component.name,
        image: pulledAs(reference(image), mirror),
        source: reference(image),
      })),
  );
}

/** One `az acr import` an image. `--force` makes a repeated run overwrite instead of fail. */
function importCommands({ metadata, spec: { azure } }: Environment, rows: readonly Row[]): string[] {
  if (azure?.registry === undefined)
    throw new UserError(
      exitCode.problem,
      `environment ${metadata.name} has no registry to mirror to`,
      "set spec.azure.registry.name",
    );
  const registry = azure.registry.name;
  // The client's image is built there (`az acr build`), not copied.
  const own = `${registryHost(registry)}/`;
  const subscription = azure.subscription === undefined ? "" : ` --subscription ${azure.subscription}`;
  return rows
    .filter(({ source }) => !source.startsWith(own))
    .map(
      ({ source }) => `az acr import${subscription} --name ${registry} --source ${source} --image ${imagePath(source)} --force`,
    );
}

function lines(rows: readonly string[]): string {
  return [...new Set(rows)]
    .sort(compareText)
    .map((row) => `${row}\n`)
    .join("");
}
