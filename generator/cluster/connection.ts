import type { KubernetesObject as ClientObject } from "@kubernetes/client-node";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { actionsOn, type ClusterActions, messageOf } from "./actions.ts";
import { kubernetesClient } from "./client.ts";

/** Reads of a cluster. What does not exist, kinds included, is empty. */
export interface ClusterReader {
  /** Name of the context, for people. */
  readonly context: string;
  /** @param labels a label selector, as kubectl's `--selector` takes it */
  list(apiVersion: string, kind: string, namespace?: string, labels?: string): Promise<KubernetesObject[]>;
  get(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubernetesObject | null>;
}

/** A cluster that is read and acted upon. */
export interface Cluster extends ClusterReader, ClusterActions {}

export interface ConnectionOptions {
  /** Path of a kubeconfig; null takes `KUBECONFIG` or `~/.kube/config`, as kubectl does. */
  readonly kubeconfig: string | null;
  /** Context; null takes the current one. */
  readonly context: string | null;
}

/** Time that one request may take (milliseconds), so that a cluster that does not answer is told within 10 s. */
const patience = 7_000;

/**
 * A connection to a cluster, by a kubeconfig. The Kubernetes client is loaded here, by those that need it.
 *
 * @throws UserError (missing) without a kubeconfig or the context; reads throw it where the cluster or the right is missing
 */
export async function connect({ kubeconfig, context }: ConnectionOptions): Promise<Cluster> {
  const { CoreV1Api, KubeConfig, KubernetesObjectApi } = await kubernetesClient();
  class PatientConfig extends KubeConfig {
    override async applySecurityAuthentication(
      request: Parameters<typeof KubeConfig.prototype.applySecurityAuthentication>[0],
    ): Promise<void> {
      request.setSignal(AbortSignal.timeout(patience));
      await super.applySecurityAuthentication(request);
    }
  }
  const config = new PatientConfig();
  try {
    if (kubeconfig === null) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    // The first line alone: what follows may be an excerpt of the file, with a token in it.
    const [first] = (error as Error).message.split("\n");
    throw new UserError(exitCode.missing, `cannot read the kubeconfig: ${first}`, "name one with --kubeconfig");
  }
  // What the client invents where there is no kubeconfig at all.
  if (config.getCurrentContext() === "loaded-context" && config.getCurrentCluster()?.server === "http://localhost:8080")
    throw new UserError(
      exitCode.missing,
      "there is no kubeconfig",
      "meshops bootstrap writes one, az aks get-credentials too; or name one with --kubeconfig",
    );
  if (context !== null) choose(config, context);
  const name = config.getCurrentContext();
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw new UserError(exitCode.missing, "the kubeconfig names no cluster", "name a context with --context");
  const objects = KubernetesObjectApi.makeApiClient(config);
  const told = async <T>(what: string, read: () => Promise<T>, missing: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if ((error as { code?: number }).code === 404 || /Unrecognized API version and kind/.test(String(error))) return missing;
      throw unreadable(error as Error, what, server);
    }
  };
  return {
    ...actionsOn(config, objects, config.makeApiClient(CoreV1Api)),
    context: name,
    list: (apiVersion, kind, namespace, labels) =>
      told(`list ${kind}s${namespace === undefined ? "" : ` in ${namespace}`}`, async () => {
        const { items } = await objects.list<ClientObject>(
          apiVersion,
          kind,
          namespace,
          undefined,
          undefined,
          undefined,
          undefined,
          labels,
        );
        return items.map((item) => withType(item, apiVersion, kind));
      }, []),
    get: (apiVersion, kind, object, namespace = "") =>
      told(
        `read ${kind} ${object}`,
        async () =>
          withType(
            await objects.read<ClientObject & { metadata: { name: string; namespace: string } }>({
              apiVersion,
              kind,
              metadata: { name: object, namespace },
            }),
            apiVersion,
            kind,
          ),
        null,
      ),
  };
}

/** Items of a list come without apiVersion and kind. */
function withType(object: ClientObject, apiVersion: string, kind: string): KubernetesObject {
  return { ...object, apiVersion, kind } as unknown as KubernetesObject;
}

function choose(config: { getContexts(): { name: string }[]; setCurrentContext(name: string): void }, context: string): void {
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context))
    throw new UserError(
      exitCode.missing,
      `the kubeconfig has no context "${context}"${known.length === 0 ? "" : `; it has ${known.join(", ")}`}`,
      "meshops bootstrap writes one, az aks get-credentials too; or name another with --context",
    );
  config.setCurrentContext(context);
}

/** What kept a read from being answered, told with what helps. */
function unreadable(error: Error & { code?: number | string; body?: unknown }, what: string, server: string): UserError {
  if (error instanceof UserError) return error;
  if (error.code === 401)
    return new UserError(
      exitCode.missing,
      `${server} does not know you: your credentials are missing or too old`,
      "get new ones, such as by az aks get-credentials",
    );
  if (error.code === 403) return new Forbidden(what, server);
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return new UserError(exitCode.missing, `${server} cannot be reached: no answer within ${patience / 1000} s`, reachable);
  // The client tells of its own step first; what it ran into comes after that.
  const text = `${messageOf(error.body) ?? error.message}`.replace(/^Failed to fetch resource metadata for [^:]+: /, "");
  const reason = text.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
  const plugin = /spawn (\S+) ENOENT/.exec(reason)?.[1];
  if (plugin !== undefined)
    return new UserError(
      exitCode.missing,
      `the kubeconfig gets its credentials from ${plugin}, which is not on the PATH`,
      "install it, or get a kubeconfig without it",
    );
  return new UserError(exitCode.missing, `${server} cannot be reached: ${reason}`, reachable);
}

const reachable = "is the cluster running, and is it the right context? kubectl config get-contexts";

class Forbidden extends UserError {
  constructor(what: string, server: string) {
    super(
      exitCode.missing,
      `you have no right to ${what} on ${server}`,
      "ask for a role that may read, such as the ClusterRole view, and Flux's view roles",
    );
  }
}

/** Whether a read failed for want of a right. */
function isForbidden(error: unknown): boolean {
  return error instanceof Forbidden;
}

/** A read, or null if the right to it is missing. */
export async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch((error: unknown) => (isForbidden(error) ? null : Promise.reject(error)));
}
