import type { KubernetesObject as ClientObject } from "@kubernetes/client-node";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { duration } from "../system/text.ts";
import { actionsOn, type ClusterActions, messageOf } from "./actions.ts";
import { kubernetesClient } from "./client.ts";

/**
 * Read access to a cluster. `get` returns null if the object or its kind does not exist. `list` returns an empty list
 * if the kind does not exist.
 */
export interface ClusterReader {
  /** Name of the context, for display. */
  readonly context: string;
  /** @param labels a label selector in the syntax of `kubectl --selector` */
  list(apiVersion: string, kind: string, namespace?: string, labels?: string): Promise<KubernetesObject[]>;
  get(apiVersion: string, kind: string, name: string, namespace?: string): Promise<KubernetesObject | null>;
}

/** Read and write access to a cluster. */
export interface Cluster extends ClusterReader, ClusterActions {}

export interface ConnectionOptions {
  /**
   * Path of a kubeconfig. If null, meshops uses the file that kubectl would use: `KUBECONFIG`, or else
   * `~/.kube/config`.
   */
  readonly kubeconfig: string | null;
  /** Name of a context. If null, meshops uses the current context. */
  readonly context: string | null;
}

/** Timeout of a request in milliseconds. With this timeout, meshops reports an unreachable cluster within 10 s. */
const requestTimeoutMs = 7_000;

/**
 * Loads the Kubernetes client and connects to the cluster of a kubeconfig.
 *
 * @throws UserError (missing) if no kubeconfig exists, or if the kubeconfig does not contain the context. The methods
 *   of the result throw UserError (missing) if the cluster cannot be reached or a permission is missing.
 */
export async function connect({ kubeconfig, context }: ConnectionOptions): Promise<Cluster> {
  const { CoreV1Api, KubeConfig, KubernetesObjectApi } = await kubernetesClient();
  class ConfigWithTimeout extends KubeConfig {
    override async applySecurityAuthentication(
      request: Parameters<typeof KubeConfig.prototype.applySecurityAuthentication>[0],
    ): Promise<void> {
      request.setSignal(AbortSignal.timeout(requestTimeoutMs));
      await super.applySecurityAuthentication(request);
    }
  }
  const config = new ConfigWithTimeout();
  try {
    if (kubeconfig === null) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    // Report only the first line, because the other lines may quote a token from the file.
    const [first] = (error as Error).message.split("\n");
    // The client throws a TypeError if the file is empty or is not a map.
    throw new UserError(
      exitCode.missing,
      `cannot read the kubeconfig: ${error instanceof TypeError ? "the file is not a kubeconfig" : first}`,
      "specify a readable kubeconfig with --kubeconfig",
    );
  }
  // If the Kubernetes client finds no kubeconfig, it uses a built-in context and server. The following condition
  // recognizes these two values.
  if (config.getCurrentContext() === "loaded-context" && config.getCurrentCluster()?.server === "http://localhost:8080")
    throw new UserError(
      exitCode.missing,
      "no kubeconfig found",
      "to create a kubeconfig, run meshops bootstrap or az aks get-credentials; to use an existing kubeconfig, specify it with --kubeconfig",
    );
  if (context !== null) choose(config, context);
  const name = config.getCurrentContext();
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw new UserError(
      exitCode.missing,
      "the current context of the kubeconfig does not specify a cluster",
      "specify another context with --context",
    );
  const objects = KubernetesObjectApi.makeApiClient(config);
  const readOr = async <T>(what: string, read: () => Promise<T>, missing: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      if ((error as { code?: number }).code === 404 || /Unrecognized API version and kind/.test(String(error))) return missing;
      throw readFailed(error as Error, what, server);
    }
  };
  return {
    ...actionsOn(config, objects, config.makeApiClient(CoreV1Api)),
    context: name,
    list: (apiVersion, kind, namespace, labels) =>
      readOr(`list ${kind}s${namespace === undefined ? "" : ` in ${namespace}`}`, async () => {
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
      readOr(
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

/** Adds apiVersion and kind to an item of a list. The API server omits both fields in the items of a list. */
function withType(object: ClientObject, apiVersion: string, kind: string): KubernetesObject {
  return { ...object, apiVersion, kind } as unknown as KubernetesObject;
}

function choose(config: { getContexts(): { name: string }[]; setCurrentContext(name: string): void }, context: string): void {
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context))
    throw new UserError(
      exitCode.missing,
      `the kubeconfig has no context "${context}"${known.length === 0 ? "" : `; its contexts are ${known.join(", ")}`}`,
      "to add the context, run meshops bootstrap or az aks get-credentials; to use another context, specify it with --context",
    );
  config.setCurrentContext(context);
}

/** Returns an error with the reason why a read failed, and with a fix. */
function readFailed(error: Error & { code?: number | string; body?: unknown }, what: string, server: string): UserError {
  if (error instanceof UserError) return error;
  if (error.code === 401)
    return new UserError(
      exitCode.missing,
      `${server} rejects the request, because your credentials are missing or expired`,
      "get new credentials, for example with az aks get-credentials",
    );
  if (error.code === 403) return new Forbidden(what, server);
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return new UserError(
      exitCode.missing,
      `${server} cannot be reached: no answer within ${duration(requestTimeoutMs)}`,
      reachable,
    );
  // Remove the client's prefix, so that the message begins with the cause.
  const text = `${messageOf(error.body) ?? error.message}`.replace(/^Failed to fetch resource metadata for [^:]+: /, "");
  const reason = text.split("\n").find((line) => line.trim() !== "") ?? "no reason given";
  const plugin = /spawn (\S+) ENOENT/.exec(reason)?.[1];
  if (plugin !== undefined)
    return new UserError(
      exitCode.missing,
      `the kubeconfig needs the program ${plugin} to get credentials, but this program is not on the PATH`,
      `install ${plugin}, or use a kubeconfig that does not need this program`,
    );
  return new UserError(exitCode.missing, `${server} cannot be reached: ${reason}`, reachable);
}

const reachable = "check that the cluster is running; run kubectl config get-contexts to check the context";

class Forbidden extends UserError {
  constructor(what: string, server: string) {
    super(
      exitCode.missing,
      `you are not allowed to ${what} on ${server}`,
      "ask a cluster administrator for roles that allow you to read objects, such as the ClusterRole view and Flux's view roles",
    );
  }
}

/** Whether a read failed because a permission is missing. */
function isForbidden(error: unknown): boolean {
  return error instanceof Forbidden;
}

/** Returns the result of a read request. Returns null if the user does not have the permission for the request. */
export async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch((error: unknown) => (isForbidden(error) ? null : Promise.reject(error)));
}
