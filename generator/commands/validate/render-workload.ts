import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { inline } from "../../bundle/emit/patches.ts";
import { modelOf } from "../../components/build.ts";
import { workloadId } from "../../components/names.ts";
import type { Patch } from "../../components/patch.ts";
import { isHook } from "../../kubernetes/manifest-set.ts";
import { type Manifest, parseManifests } from "../../kubernetes/read.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";
import type { Environment, Workload } from "../../spec/environment.generated.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { runProgram } from "../../system/process.ts";

/** Programs, variables and folder that rendering uses. */
interface Place {
  /** Root of the platform repository. */
  readonly root: string;
  /** Environment variables of helm and kustomize. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns the objects of a workload: helm or kustomize renders the objects, and kustomize applies the patches
 * in the generated files. If a program reports an error, returns the error as text. The rendered objects do not use
 * values from objects in the cluster. Hooks are not patched, because Flux and helmfile do not patch hooks.
 *
 * @throws UserError (missing) if helm or kustomize is not on the PATH
 */
export async function renderWorkload(place: Place, environment: Environment, key: string): Promise<Manifest[] | string> {
  const workload = environment.spec.workloads[key];
  if (workload === undefined) return [];
  const { source = {}, namespace, values } = workload;
  const objects =
    source.path === undefined
      ? await objectsFrom(place, key, "helm", templateArguments(key, namespace, source), stringify(values))
      : await objectsFrom(place, key, "kustomize", ["build", source.path]);
  const component = modelOf(environment).components.find(({ id }) => id === workloadId(key));
  if (typeof objects === "string" || component === undefined || component.patches.length === 0) return objects;
  return patched(place, key, objects, component.patches);
}

/** Applies patches to objects. Secrets are left out of the temporary folder, so that no key is written to the disk. */
async function patched(
  place: Place,
  key: string,
  objects: readonly Manifest[],
  patches: readonly Patch[],
): Promise<Manifest[] | string> {
  const isPatched = (each: Manifest): boolean => each.kind !== "Secret" && !isHook(each);
  const folder = await mkdtemp(join(tmpdir(), "meshops-render-"));
  try {
    const resources = toBundleYaml(objects.filter(isPatched).map(({ value }) => value as never));
    const kustomization = {
      resources: ["objects.yaml"],
      patches: patches.filter((patch) => !patchesSecret(patch)).map(inline),
    };
    await writeFile(join(folder, "objects.yaml"), resources);
    await writeFile(join(folder, "kustomization.yaml"), stringify(kustomization));
    const result = await objectsFrom(place, key, "kustomize", ["build", folder]);
    return typeof result === "string" ? result : [...result, ...objects.filter((each) => !isPatched(each))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a patch changes only a Secret. Kustomize reports an error if the patched object is missing. */
function patchesSecret({ target, patch }: Patch): boolean {
  return target === undefined && "kind" in patch && patch.kind === "Secret";
}

async function objectsFrom(
  { root, env }: Place,
  key: string,
  program: "helm" | "kustomize",
  args: readonly string[],
  input = "",
): Promise<Manifest[] | string> {
  const { stdout, stderr, code, absent } = await runProgram(program, args, { cwd: root, env, input });
  if (absent)
    throw new UserError(
      exitCode.missing,
      `${program} is not on the PATH`,
      "run meshops doctor, which shows how to install the program",
    );
  if (code !== 0) return `${program}: ${stderr.trim() || `exit status ${code}`}`;
  const { objects, diagnostics } = parseManifests(key, stdout);
  const unreadable = diagnostics.find(({ severity }) => severity === "error");
  return unreadable === undefined ? [...objects] : `${program}: ${unreadable.message}`;
}

/** Arguments of `helm template`. The values are read from stdin. */
function templateArguments(key: string, namespace: string, { chart, oci }: NonNullable<Workload["source"]>): string[] {
  const name = chart?.releaseName ?? oci?.releaseName ?? key;
  const from = chart === undefined ? [oci?.url ?? ""] : [chart.name, "--repo", chart.repository];
  const version = chart?.version ?? oci?.version ?? "";
  return ["template", name, ...from, "--version", version, "--namespace", namespace, "--values", "-"];
}
