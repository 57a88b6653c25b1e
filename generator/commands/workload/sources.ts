import { stringify } from "yaml";
import type { Repository } from "../../bundle/repository.ts";
import { connect } from "../../cluster/connection.ts";
import { type Manifest, parseManifests } from "../../kubernetes/read.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { runProgram } from "../../system/process.ts";
import { type ConnectionFlags, connectionOf } from "../cluster-context.ts";
import { loadOne } from "../context.ts";
import type { Io } from "../io.ts";
import { readManifestFiles } from "../manifest-files.ts";

/** Where `workload add` reads the manifests of a service. */
export interface Sources {
  readonly manifests?: string | undefined;
  readonly path?: string | undefined;
  readonly chart?: string | undefined;
  readonly fromCluster?: string | undefined;
}

/** @throws UserError if no source is set, if a program is missing or fails, or if the manifests are not valid */
export async function manifestsFrom(
  name: string,
  { manifests, path, chart, fromCluster, ...options }: Sources & ConnectionFlags & { readonly namespace?: string | undefined },
  repository: Repository,
  environment: string,
  io: Io,
): Promise<Manifest[]> {
  if (manifests !== undefined) return readManifestFiles(io, manifests).flatMap(({ file, text }) => parsed(file, text));
  if (path !== undefined) return parsed(path, await output("kustomize", ["build", path], io));
  if (chart !== undefined)
    return parsed(chart, await output("helm", templateArguments(name, chart, options.namespace ?? name), io));
  if (fromCluster === undefined)
    throw new UserError(
      exitCode.usage,
      "the source of the manifests is missing",
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

/** Arguments of `helm template` for a reference such as `https://host/charts/shop@1.2.3`. */
function templateArguments(name: string, reference: string, namespace: string): string[] {
  const [, source, version] = /^(.*?)(?:@([^@/]+))?$/.exec(reference) ?? [];
  const base = ["template", name, "--namespace", namespace, ...(version === undefined ? [] : ["--version", version])];
  const [, repository, chart] = /^(https?:\/\/.*)\/([^/]+)$/.exec(source ?? "") ?? [];
  return repository === undefined || chart === undefined ? [...base, source ?? ""] : [...base, chart, "--repo", repository];
}

async function output(program: string, args: readonly string[], { cwd, env }: Io): Promise<string> {
  const { stdout, stderr, code, absent } = await runProgram(program, args, { cwd, env });
  if (absent)
    throw new UserError(exitCode.missing, `${program} is not on the PATH`, "run meshops doctor, which shows how to install it");
  if (code === 0) return stdout;
  throw new UserError(exitCode.problem, `${program} failed: ${stderr.trim() || `exit status ${code}`}`);
}

/** Kinds of objects that describe a service, with their API versions. */
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
  return parsed(
    `namespace ${namespace}`,
    lists
      .flat()
      .map((object) => stringify(object))
      .join("---\n"),
  );
}
