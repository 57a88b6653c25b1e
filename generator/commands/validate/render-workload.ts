import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inline } from "../../bundle/emit/patches.ts";
import type { Patch } from "../../components/patch.ts";
import { isHook } from "../../kubernetes/manifest-set.ts";
import { type Manifest, parseManifests } from "../../kubernetes/read.ts";
import { toBundleYaml, toYaml } from "../../kubernetes/yaml.ts";
import type { Workload } from "../../spec/environment.generated.ts";
import { withTemporaryFolder } from "../../system/temporary-folder.ts";
import { runRenderer } from "../renderer.ts";

/** Folder and environment variables in which helm and kustomize run. */
interface Place {
  /** Root of the platform repository. */
  readonly root: string;
  /** Environment variables for helm and kustomize. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Returns the objects of a workload. helm renders the chart of the workload, or kustomize builds the folder. Then
 * kustomize applies the patches to the objects. If helm or kustomize fails, returns the error message as text. The
 * function does not connect to the cluster, so values from objects in the cluster do not affect the result. It does not
 * patch hooks, because Helm 3 does not pass hooks to post-renderers.
 *
 * @param patches the patches that the generated files contain for the workload
 * @throws UserError (missing) if helm or kustomize is not on the PATH
 */
export async function renderWorkload(
  place: Place,
  key: string,
  { source = {}, namespace, values }: Workload,
  patches: readonly Patch[],
): Promise<Manifest[] | string> {
  const objects =
    source.path === undefined
      ? await objectsFrom(place, key, "helm", templateArguments(key, namespace, source), toYaml([values]))
      : await objectsFrom(place, key, "kustomize", ["build", source.path]);
  return typeof objects === "string" || patches.length === 0 ? objects : patched(place, key, objects, patches);
}

/**
 * Returns the objects after kustomize has applied the patches. The function does not patch Secrets and hooks. It does
 * not write Secrets to the temporary folder, so that their values are never on disk.
 */
async function patched(
  place: Place,
  key: string,
  objects: readonly Manifest[],
  patches: readonly Patch[],
): Promise<Manifest[] | string> {
  const isPatched = (each: Manifest): boolean => each.kind !== "Secret" && !isHook(each);
  const result = await withTemporaryFolder("meshops-render", async (folder) => {
    const resources = toBundleYaml(objects.filter(isPatched).map(({ value }) => value as never));
    const kustomization = {
      resources: ["objects.yaml"],
      patches: patches.filter((patch) => !patchesSecret(patch)).map(inline),
    };
    await writeFile(join(folder, "objects.yaml"), resources);
    await writeFile(join(folder, "kustomization.yaml"), toYaml([kustomization]));
    return objectsFrom(place, key, "kustomize", ["build", folder]);
  });
  return typeof result === "string" ? result : [...result, ...objects.filter((each) => !isPatched(each))];
}

/**
 * Whether a patch is a strategic merge patch for a Secret. `patched` omits such patches, because kustomize fails if the
 * object of a patch is missing.
 */
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
  const rendered = await runRenderer(program, args, { cwd: root, env, input });
  if (rendered.failure !== null) return `${program}: ${rendered.failure}`;
  const { objects, diagnostics } = parseManifests(key, rendered.stdout);
  const unreadable = diagnostics.find(({ severity }) => severity === "error");
  return unreadable === undefined ? [...objects] : `${program}: ${unreadable.message}`;
}

/** Returns the arguments of `helm template`. With these arguments, helm reads the values from stdin. */
function templateArguments(key: string, namespace: string, { chart, oci }: NonNullable<Workload["source"]>): string[] {
  const name = chart?.releaseName ?? oci?.releaseName ?? key;
  const from = chart === undefined ? [oci?.url ?? ""] : [chart.name, "--repo", chart.repository];
  const version = chart?.version ?? oci?.version ?? "";
  return ["template", name, ...from, "--version", version, "--namespace", namespace, "--values", "-"];
}
