import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import type { Api } from "./api.ts";

const exec = promisify(execFile);
/** Kind, name and namespace of the Flux source whose status the stand-in sets. */
export interface Source {
  readonly kind: "GitRepository" | "OCIRepository";
  readonly name: string;
  readonly namespace: string;
}

const fluxSystem: Source = { kind: "GitRepository", name: "flux-system", namespace: "flux-system" };

/**
 * A stand-in for Flux's source-controller, which is not available in the tests. The stand-in packs a commit of a real
 * Git repository (`git archive`), and serves the archive on loopback. It sets the status of the source object in the
 * form that Flux's API defines. If the source is an OCIRepository, the archive contains the files that
 * `flux push artifact` would push.
 */
export class GitSource {
  readonly #api: Api;
  readonly #repository: string;
  readonly #source: Source;
  readonly #archives: Map<string, Buffer> = new Map();
  readonly #server: Server;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(api: Api, repository: string, source: Source = fluxSystem) {
    this.#api = api;
    this.#source = source;
    this.#repository = repository;
    this.#server = createServer((request, response) => {
      const archive = this.#archives.get(request.url ?? "");
      response.writeHead(archive === undefined ? 404 : 200).end(archive);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Starts to wait for the source object. As soon as this object exists, publishes the newest commit. */
  follow(): void {
    this.#timer = setInterval(() => void this.#adopt().catch(() => {}), 500);
  }

  /** From now on, publishes each new commit within about a second. A user of the cluster then needs no `git push`. */
  followCommits(): void {
    let published = "";
    setInterval(() => {
      const look = this.#git("rev-parse", "HEAD").then(async (head) => {
        if (head.toString() === published) return;
        await this.publish();
        published = head.toString();
      });
      look.catch(() => {}); // the Git repository or the source object does not exist yet
    }, 1000).unref();
  }

  async #adopt(): Promise<void> {
    const source = await this.#api.get(this.#path());
    if (source !== null && source["status"]?.artifact === undefined) await this.publish();
  }

  /** Commits all changes in the Git repository. If there are no changes, creates an empty commit. */
  async commit(message: string): Promise<void> {
    await this.#git("add", "--all");
    await this.#git(
      "-c",
      "user.name=harness",
      "-c",
      "user.email=harness@localhost",
      "commit",
      "--quiet",
      "--allow-empty",
      "--message",
      message,
    );
  }

  /**
   * Commits all changes, and publishes the commit. Tests call this method instead of `git push`. Returns the revision.
   */
  async push(message: string): Promise<string> {
    await this.commit(message);
    return this.publish();
  }

  /** Serves the newest commit, and writes its revision to the status of the source. Returns the revision. */
  async publish(): Promise<string> {
    const commit = (await this.#git("rev-parse", "HEAD")).toString().trim();
    const archive = await this.#git("archive", "--format=tar.gz", "HEAD");
    const { kind, name, namespace } = this.#source;
    const path = `/${kind.toLowerCase()}/${namespace}/${name}/${commit}.tar.gz`;
    const digest = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
    this.#archives.set(path, archive);
    const revision = kind === "GitRepository" ? `main@sha1:${commit}` : `main@${digest}`;
    const source = await this.#api.get(this.#path());
    const generation = source?.metadata.generation ?? 1;
    const at = now();
    await this.#api.applyStatus(
      {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind,
        metadata: { name, namespace },
        status: {
          observedGeneration: generation,
          conditions: [ready(`stored artifact for revision '${revision}'`, generation)],
          artifact: {
            url: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`,
            path: path.slice(1),
            revision,
            digest,
            size: archive.length,
            lastUpdateTime: at,
          },
        },
      },
      "source-controller",
    );
    return revision;
  }

  #path(): string {
    const { kind, name, namespace } = this.#source;
    const plural = kind === "GitRepository" ? "gitrepositories" : "ocirepositories";
    return `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/${plural}/${name}`;
  }

  async #git(...args: string[]): Promise<Buffer> {
    // All commands run in the top folder of the Git repository, because `git archive` packs only the current folder.
    const { stdout: top } = await exec("git", ["rev-parse", "--show-toplevel"], { cwd: this.#repository });
    return (await exec("git", args, { cwd: top.trim(), encoding: "buffer", maxBuffer: 1 << 28 })).stdout;
  }
}

/** Returns a condition of type `Ready` with status `True`. */
export function ready(message: string, observedGeneration: number, reason: string = "Succeeded"): object {
  return { type: "Ready", status: "True", reason, message, observedGeneration, lastTransitionTime: now() };
}

/** Returns the current time in RFC 3339 without fractions, as Kubernetes writes times. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
