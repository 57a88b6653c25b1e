import { isAbsolute, relative, resolve } from "node:path";
import type { Repository } from "../../bundle/repository.ts";
import { connect } from "../../cluster/connection.ts";
import type { WorkloadSource } from "../../inject/describe/describe.ts";
import { type Manifest, parseManifests } from "../../kubernetes/read.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { type ConnectionFlags, connectionOf } from "../kubeconfig.ts";
import { loadOne } from "../load.ts";
import { readManifestFiles } from "../manifest-files.ts";
import { runRenderer } from "../renderer.ts";

/** Options of `workload add` that specify the source of the manifests. Only one of these options can be set. */
export interface Sources {
  readonly manifests?: string | undefined;
  readonly path?: string | undefined;
  readonly chart?: string | undefined;
  readonly fromCluster?: string | undefined;
}

/**
 * Returns the value for the field `source` of a workload that meshops will install. Returns null if neither `--path`
 * nor `--chart` is set, because another tool then installs the workload.
 *
 * @throws UserError (usage) if the reference of the chart contains no version or is not a URL, or if the folder is not
 * below the root of the repository
 */
export function sourceOf({ path, chart }: Sources, repository: Repository, io: Io): WorkloadSource | null {
  if (path !== undefined) return { path: folderIn(repository, path, io) };
  if (chart === undefined) return null;
  const { source, version } = partsOf(chart);
  if (version === undefined)
    throw new UserError(exitCode.usage, `the chart ${chart} has no version`, `add the version, such as ${chart}@1.2.3`);
  if (source.startsWith("oci://")) return { oci: { url: source, version } };
  const { repository: url, name } = chartIn(source);
  if (url !== null) return { chart: { repository: url, name, version } };
  throw new UserError(
    exitCode.usage,
    `Flux cannot read the chart ${source}`,
    "use the URL of the chart's repository or registry; if another tool installs the service, add --no-source",
  );
}

function folderIn({ root }: Repository, path: string, { cwd }: Io): string {
  const folder = relative(root, resolve(cwd, path)).replaceAll("\\", "/");
  if (folder !== "" && !folder.startsWith("..") && !isAbsolute(folder)) return folder;
  throw new UserError(
    exitCode.usage,
    `the folder ${path} is not below the root of the repository`,
    "move the folder into the repository; if another tool installs the service, add --no-source",
  );
}

/**
 * Returns the manifests of a service. One of the options specifies the source of the manifests.
 *
 * @throws UserError if none of the options is set, if helm or kustomize is missing or fails, or if the manifests are
 * not valid
 */
export async function manifestsFrom(
  name: string,
  { manifests, path, chart, fromCluster, ...options }: Sources & ConnectionFlags & { readonly namespace?: string | undefined },
  repository: Repository,
  environment: string,
  io: Io,
): Promise<Manifest[]> {
  if (manifests !== undefined) return readManifestFiles(io, manifests).files.flatMap(({ file, text }) => parsed(file, text));
  if (path !== undefined) return parsed(path, await output("kustomize", ["build", path], io));
  if (chart !== undefined)
    return parsed(chart, await output("helm", templateArguments(name, chart, options.namespace ?? name), io));
  if (fromCluster === undefined)
    throw new UserError(
      exitCode.usage,
      "no source of the manifests was specified",
      "set one of --manifests, --path, --chart and --from-cluster",
    );
  return fromNamespace(fromCluster, options, repository, environment, io);
}

function parsed(file: string, text: string): Manifest[] {
  const { objects, diagnostics } = parseManifests(file, text);
  const first = diagnostics.find(({ severity }) => severity === "error");
  if (first !== undefined)
    throw new UserError(
      exitCode.problem,
      `${file}:${first.line}:${first.column}: ${first.message}`,
      first.fix ?? "correct the manifests",
    );
  return [...objects];
}

/** Returns the arguments of `helm template` for the reference of a chart, such as `https://host/charts/shop@1.2.3`. */
function templateArguments(name: string, reference: string, namespace: string): string[] {
  const { source, version } = partsOf(reference);
  const base = ["template", name, "--namespace", namespace, ...(version === undefined ? [] : ["--version", version])];
  const { repository, name: chart } = chartIn(source);
  return repository === null ? [...base, source] : [...base, chart, "--repo", repository];
}

/**
 * Splits the reference of a chart, `<source>@<version>`, into its parts. The version is undefined if the reference
 * contains no version.
 */
function partsOf(reference: string): { source: string; version: string | undefined } {
  const [, source = "", version] = /^(.*?)(?:@([^@/]+))?$/.exec(reference) ?? [];
  return { source, version };
}

/**
 * Splits a chart URL, `https://host/path/name`, into the URL of the repository and the name of the chart. For other
 * sources, such as `oci://`, the repository is null and the name is the whole source.
 */
function chartIn(source: string): { repository: string | null; name: string } {
  const [, repository = null, name = source] = /^(https?:\/\/.*)\/([^/]+)$/.exec(source) ?? [];
  return { repository, name };
}

async function output(program: "helm" | "kustomize", args: readonly string[], { cwd, env }: Io): Promise<string> {
  const rendered = await runRenderer(program, args, { cwd, env });
  if (rendered.failure === null) return rendered.stdout;
  throw new UserError(exitCode.problem, `${program} failed: ${rendered.failure}`);
}

/** API versions and kinds of the objects that `--from-cluster` reads. */
const kinds = [
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["apps/v1", "DaemonSet"],
  ["batch/v1", "CronJob"],
  ["v1", "Service"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
] as const;

async function fromNamespace(
  namespace: string,
  options: ConnectionFlags,
  repository: Repository,
  environment: string,
  io: Io,
): Promise<Manifest[]> {
  const cluster = await connect(connectionOf(io, loadOne(io, repository, environment), options));
  const lists = await Promise.all(
    kinds.map(async ([apiVersion, kind]) =>
      (await cluster.list(apiVersion, kind, namespace)).map((object) => ({ ...object, apiVersion, kind })),
    ),
  );
  return parsed(`namespace ${namespace}`, toYaml(lists.flat()));
}
