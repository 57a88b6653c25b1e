import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Bundle } from "../../bundle/bundle.ts";
import { type ComponentModel, isDelivered, type Model } from "../../components/model.ts";
import { encryptedFiles } from "../../identity/read-identity.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { overlayFolder } from "../../spec/layout.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { runProgram } from "../../system/process.ts";
import { withTemporaryFolder } from "../../system/temporary-folder.ts";

/**
 * Builds the components of an environment with the program kustomize. The input consists of the bundle, the bases and
 * the encrypted files in the repository, and the folders of the workloads. Returns YAML in which each object has the
 * annotation `config.kubernetes.io/origin`. Encrypted Secrets remain encrypted. The order of the objects in the YAML is
 * not the order in which Flux applies the components.
 *
 * @param env environment variables for kustomize
 * @throws UserError if kustomize is not installed (missing) or fails (problem)
 */
export async function buildBundle(
  root: string,
  bundle: Bundle,
  { environment, components }: Model,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const { name } = environment.metadata;
  return withTemporaryFolder("meshops-build", async (folder) => {
    const put = (path: string, text: string): void => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    };
    for (const [path, text] of bundle) put(path, text);
    cpSync(join(root, "bases"), join(folder, "bases"), { recursive: true, dereference: true });
    for (const path of encryptedFiles(root, name)) cpSync(join(root, path), join(folder, path));
    const delivered = components.filter(isDelivered);
    for (const top of foldersOf(delivered)) symlinkSync(join(root, top), join(folder, top));
    const resources = delivered.map(({ id }) => overlayFolder(name, id));
    put("kustomization.yaml", toYaml([{ resources, buildMetadata: ["originAnnotations"], sortOptions: { order: "fifo" } }]));
    return kustomize(folder, env);
  });
}

/**
 * Returns the top-level folders of the repository that contain the folders of workloads. `buildBundle` creates a
 * symbolic link to each of these folders in the build folder. kustomize resolves a link before it reads the folder.
 * Therefore, a kustomization.yaml in the folder of a workload can refer to files outside of its own folder.
 */
function foldersOf(components: readonly ComponentModel[]): string[] {
  const paths = components.flatMap(({ delivery }) => (delivery.kind === "folder" ? [delivery.path] : []));
  return [...new Set(paths.map((path) => path.split("/")[0] ?? ""))];
}

/**
 * Runs `kustomize build` for a folder and returns its output. If kustomize is not installed, runs `kubectl kustomize`.
 */
async function kustomize(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<string> {
  for (const [program, ...args] of [
    ["kustomize", "build"],
    ["kubectl", "kustomize"],
  ] as const) {
    const { stdout, stderr, code, absent } = await runProgram(program, [...args, folder], { env });
    if (absent) continue;
    if (code === 0) return stdout;
    const reason = stderr.trim() === "" ? `exit status ${code}` : stderr.trim();
    throw new UserError(exitCode.problem, `${program} cannot build the bundle: ${reason.replaceAll(`${folder}/`, "")}`);
  }
  throw new UserError(
    exitCode.missing,
    "neither kustomize nor kubectl is on the PATH",
    "run meshops doctor, which shows how to install kustomize and kubectl",
  );
}
