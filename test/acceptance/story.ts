import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { dgraphName } from "../../generator/components/dgraph/names.ts";
import type { Environment } from "../../generator/spec/environment.generated.ts";
import { mergeDeep } from "../../generator/system/merge.ts";
import { environmentIn } from "../cluster/harness/platform.ts";
import { until } from "../cluster/harness/processes.ts";
import { run } from "../support/tools.ts";
import { Kubectl, kindOf } from "./kubectl.ts";
import { Load } from "./load/load.ts";
import type { Options } from "./options.ts";
import { type ClusterObject, RunRecord } from "./record.ts";

/** Name of the environment in the platform repository of the run. */
export const environmentName = "lab";

/** Runs commands as a user does, in the platform repository and on the cluster of the run. */
export class Story {
  readonly options: Options;
  readonly record: RunRecord;
  readonly kubectl: Kubectl;
  readonly load: Load;
  /** Folder of the platform repository. */
  readonly root: string;
  /** Additional environment variables of all commands. */
  readonly env: Readonly<Record<string, string>>;

  constructor(options: Options) {
    mkdirSync(options.folder, { recursive: true });
    this.options = options;
    this.record = new RunRecord(options.folder);
    this.kubectl = new Kubectl(options);
    this.load = new Load(this.kubectl, options.nodeImage);
    this.root = join(options.folder, "platform");
    this.env = environmentVariables(options);
  }

  /** Path of a local bare repository that receives all pushes; null if pushes go to the URL of `--git-url`. */
  get localRemote(): string | null {
    return localRemote(this.options);
  }

  get environment(): Environment {
    return environmentIn(this.root, environmentName);
  }

  run(command: string, args: readonly string[]): Promise<string> {
    return run(command, args, { cwd: this.root, env: this.env });
  }

  /** Runs the meshops that is installed in the platform repository. Returns stdout. @throws if the command fails */
  meshops(...args: readonly string[]): Promise<string> {
    return this.run(join(this.root, "node_modules/.bin/meshops"), args);
  }

  /** Runs a command of meshops on the cluster, and returns its JSON output. @throws if the exit code is not 0 or 1 */
  async report<T>(command: string, ...args: readonly string[]): Promise<T> {
    const all = [command, environmentName, ...this.clusterFlags, "--output", "json", ...args];
    const program = join(this.root, "node_modules/.bin/meshops");
    const text = await this.run("sh", ["-c", '"$0" "$@" || [ $? -eq 1 ]', program, ...all]);
    return JSON.parse(text) as T;
  }

  get clusterFlags(): readonly string[] {
    const { context, kubeconfig } = this.options;
    return ["--context", context, ...(kubeconfig === null ? [] : ["--kubeconfig", kubeconfig])];
  }

  /**
   * Merges fields into the spec of the environment. If a field already exists, the new value replaces the old value.
   */
  changeSpec(change: object): void {
    const file = join(this.root, `environments/${environmentName}.yaml`);
    const document = parse(readFileSync(file, "utf8")) as { spec: Record<string, unknown> };
    writeFileSync(file, stringify({ ...document, spec: mergeDeep(document.spec, change as Record<string, unknown>) }));
  }

  /** Merges fields into the spec of the environment, and runs `meshops generate`. */
  async edit(change: object): Promise<void> {
    this.changeSpec(change);
    await this.meshops("generate", environmentName);
  }

  /** Commits and pushes all files. Waits until the engine has applied the commit, and all objects are ready. */
  async sync(message: string): Promise<void> {
    await this.push(message);
    if (this.options.engine === "helmfile") await this.run("helmfile", ["-e", environmentName, "sync"]);
    else await this.#fetched();
    await this.ready();
  }

  async push(message: string): Promise<void> {
    await this.run("git", ["add", "--all"]);
    if ((await this.run("git", ["status", "--porcelain"])) !== "") await this.run("git", ["commit", "--quiet", "-m", message]);
    await this.run("git", ["push", "--quiet", "origin", "HEAD:main"]);
  }

  /** Waits until `meshops status` reports that everything is ready. */
  async ready(): Promise<void> {
    const engine = ["--engine", this.options.engine];
    await this.meshops("status", environmentName, ...this.clusterFlags, ...engine, "--watch", "--timeout", "1800");
  }

  /** Requests a reconciliation of Flux's GitRepository, and waits until Flux has fetched the newest commit. */
  async #fetched(): Promise<void> {
    const commit = (await this.run("git", ["rev-parse", "HEAD"])).trim();
    const source = "gitrepositories.source.toolkit.fluxcd.io";
    const now = `reconcile.fluxcd.io/requestedAt=${new Date().toISOString()}`;
    await this.kubectl.run(["annotate", source, "flux-system", "--namespace", "flux-system", "--overwrite", now]);
    await until(
      `Flux has fetched commit ${commit}`,
      async () => {
        const found = await this.kubectl.get(source, "flux-system", "flux-system");
        return JSON.stringify(found?.["status"] ?? {}).includes(commit);
      },
      300,
    );
  }

  /**
   * Changes or deletes objects, runs an action, and restores the objects. Suspends Flux's Kustomizations during the
   * action, because otherwise Flux would restore the objects during the action. Stores the original objects in the
   * record of the run. If this run is killed, the next run restores the objects from the record. The record contains
   * only the names of Secrets, not their data. To restore Secrets, the next run deletes them, and the engine creates
   * them again from Git.
   *
   * @param changes the changed objects, in the order of `objects`; null if an object must be deleted
   */
  async planted<T>(
    objects: readonly ClusterObject[],
    changes: readonly (ClusterObject | null)[],
    action: () => Promise<T>,
  ): Promise<T> {
    await this.#suspend(true);
    this.record.planted = objects.map((object) => (object.kind === "Secret" ? nameOnly(object) : object));
    try {
      for (const [index, object] of objects.entries()) {
        const changed = changes[index] ?? null;
        if (changed === null) await this.kubectl.delete(kindOf(object), object.metadata.name, object.metadata.namespace);
        else await this.kubectl.restore(changed);
      }
      return await action();
    } finally {
      await this.#restore(objects);
    }
  }

  /** Restores the objects that an earlier run changed, if that run was killed before it restored them. */
  async restorePlanted(): Promise<void> {
    const { planted } = this.record;
    if (planted.length === 0) return;
    for (const { kind, metadata } of planted)
      if (kind === "Secret") await this.kubectl.delete("secret", metadata.name, metadata.namespace);
    await this.#restore(planted.filter(({ kind }) => kind !== "Secret"));
    await this.sync("restore");
  }

  async #restore(objects: readonly ClusterObject[]): Promise<void> {
    for (const object of objects) await this.kubectl.restore(object);
    this.record.planted = [];
    await this.#suspend(false);
  }

  /**
   * Suspends or resumes the two Kustomizations that apply the objects which faults change. Does nothing with helmfile.
   */
  async #suspend(suspend: boolean): Promise<void> {
    if (this.options.engine !== "flux") return;
    const patch = JSON.stringify({ spec: { suspend } });
    for (const name of ["identity", "dgraph-policy"]) {
      const kind = "kustomizations.kustomize.toolkit.fluxcd.io";
      await this.kubectl.run(["patch", kind, name, "--namespace", "flux-system", "--type", "merge", "--patch", patch]);
    }
  }

  /** Addresses `host:port` of all ports of Dgraph's pods. The host is the DNS name of the pod. */
  get dgraphAddresses(): readonly string[] {
    const { environment } = this;
    const { namespace, alpha, zero } = environment.spec.dgraph;
    const { clusterDomain } = environment.spec.linkerd;
    return [...podAddresses("alpha", alpha.replicas, [8080, 9080, 7080]), ...podAddresses("zero", zero.replicas, [5080, 6080])];
    function podAddresses(role: "alpha" | "zero", replicas: number, ports: readonly number[]): string[] {
      const name = dgraphName(environment, role);
      return Array.from(
        { length: replicas },
        (_, index) => `${name}-${index}.${name}-headless.${namespace}.svc.${clusterDomain}`,
      ).flatMap((host) => ports.map((port) => `${host}:${port}`));
    }
  }
}

/**
 * Environment variables for all commands: the path of the age keys, the name of the committer, the kubeconfig, and the
 * Git setting that redirects pushes to the local repository.
 */
function environmentVariables(options: Options): Record<string, string> {
  const remote = localRemote(options);
  return {
    NO_COLOR: "1",
    SOPS_AGE_KEY_FILE: join(options.folder, "keys.txt"),
    GIT_AUTHOR_NAME: "acceptance",
    GIT_AUTHOR_EMAIL: "acceptance@example.org",
    GIT_COMMITTER_NAME: "acceptance",
    GIT_COMMITTER_EMAIL: "acceptance@example.org",
    ...(options.kubeconfig === null ? {} : { KUBECONFIG: options.kubeconfig }),
    ...(remote === null
      ? {}
      : { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: `url.${remote}.pushInsteadOf`, GIT_CONFIG_VALUE_0: options.gitUrl }),
  };
}

/**
 * Returns the value of `Story.localRemote`. Pushes go to a local repository if the engine is helmfile, or if
 * `--serve-git` is set. In these cases, returns the path of this repository. Otherwise, returns null.
 */
function localRemote({ engine, serveGit, folder }: Options): string | null {
  return engine === "helmfile" || serveGit !== null ? join(folder, "platform.git") : null;
}

function nameOnly({ apiVersion, kind, metadata: { name, namespace } }: ClusterObject): ClusterObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

/** Whether the run has created its platform repository. */
export function hasPlatform({ root }: Story): boolean {
  return existsSync(join(root, `environments/${environmentName}.yaml`));
}
