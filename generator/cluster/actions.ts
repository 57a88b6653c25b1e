import { request } from "node:https";
import type { KubernetesObject as ClientObject, CoreV1Api, KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { kubernetesClient } from "./client.ts";

/** Fields to change in an object. If the value of an annotation is null, the API server removes the annotation. */
type MergePatch = Omit<KubernetesObject, "metadata"> & {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: JsonMap };
};

/** Operations on a cluster, except requests that read objects. */
export interface ClusterActions {
  /** Creates an object. If the object already exists, returns false and does not change the existing object. */
  create(object: KubernetesObject): Promise<boolean>;
  /** Deletes an object if it exists. */
  remove(apiVersion: string, kind: string, name: string, namespace?: string): Promise<void>;
  /** Changes only those fields of an object that are in the patch (JSON Merge Patch, RFC 7386). */
  merge(patch: MergePatch): Promise<void>;
  /** Returns the log of a container. @param tail number of lines from the end; default: all */
  logs(namespace: string, pod: string, container: string, tail?: number): Promise<string>;
  /**
   * Sends a GET request to a port of a pod through the API server, and returns the response. Requires the permission
   * `get` on `pods/proxy`. Returns null if the request fails.
   */
  fetchFromPod(namespace: string, pod: string, port: number, path: string): Promise<string | null>;
  /**
   * Sends a POST request and passes each part of the response to `onData`. If the signal aborts, the promise resolves
   * without an error.
   *
   * @throws StreamError if the server sends an error response
   */
  stream(path: string, body: Uint8Array, onData: (chunk: Buffer) => void, signal: AbortSignal): Promise<void>;
}

/** An error response of the API server, or of an aggregated API, to a request of `stream`. */
export class StreamError extends Error {
  readonly status: number;
  /**
   * Whether `body` is an error message in the frame format of the tap API. The response then has the header
   * `linkerd-error`.
   */
  readonly framed: boolean;
  readonly body: Buffer;

  constructor(status: number, framed: boolean, body: Buffer) {
    super(`status ${status}`);
    this.status = status;
    this.framed = framed;
    this.body = body;
  }
}

export function actionsOn(config: KubeConfig, objects: KubernetesObjectApi, core: CoreV1Api): ClusterActions {
  return {
    create: async (object) => {
      try {
        await objects.create(object as unknown as ClientObject);
        return true;
      } catch (error) {
        if (codeOf(error) === 409) return false;
        throw requestFailed(error, `create ${object.kind} ${object.metadata.name}`);
      }
    },
    remove: async (apiVersion, kind, name, namespace = "") => {
      try {
        await objects.delete({ apiVersion, kind, metadata: { name, namespace } });
      } catch (error) {
        if (codeOf(error) !== 404) throw requestFailed(error, `delete ${kind} ${name}`);
      }
    },
    merge: async (object) => {
      const { PatchStrategy } = await kubernetesClient();
      try {
        const target = object as unknown as ClientObject;
        await objects.patch(target, undefined, undefined, "meshops", undefined, PatchStrategy.MergePatch);
      } catch (error) {
        throw requestFailed(error, `change ${object.kind} ${object.metadata.name}`);
      }
    },
    logs: async (namespace, name, container, tail) => {
      try {
        const lines = tail === undefined ? {} : { tailLines: tail };
        return await core.readNamespacedPodLog({ namespace, name, container, ...lines });
      } catch (error) {
        throw requestFailed(error, `read the log of pod ${name}`);
      }
    },
    fetchFromPod: async (namespace, pod, port, path) => {
      try {
        return String(await core.connectGetNamespacedPodProxyWithPath({ namespace, name: `${pod}:${port}`, path }));
      } catch {
        return null;
      }
    },
    stream: async (path, body, onData, signal) => {
      const url = new URL(path, config.getCurrentCluster()?.server);
      const options = { method: "POST", headers: { "content-type": "application/octet-stream" }, signal };
      await config.applyToHTTPSOptions(options);
      return new Promise((resolve, reject) => {
        const call = request(url, options, (response) => {
          const status = response.statusCode ?? 0;
          const framed = response.headers["linkerd-error"] !== undefined;
          response.on("error", () => {}); // meshops or the server ended the stream; received data is kept
          if (status === 200 && !framed) {
            response.on("data", onData);
            response.on("close", resolve);
            return;
          }
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => reject(new StreamError(status, framed, Buffer.concat(chunks))));
        });
        call.on("error", (error) => (signal.aborted ? resolve() : reject(error)));
        call.end(body);
      });
    },
  };
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/**
 * Returns an error with the API server's message, which contains the missing permission or the name of the webhook that
 * denied the request.
 */
function requestFailed(error: unknown, what: string): UserError {
  const { body, message, name } = error as { body?: unknown; message?: string; name?: string };
  const reason =
    name === "AbortError" || name === "TimeoutError"
      ? "the API server did not answer within the time limit"
      : String(messageOf(body) ?? message).split("\n")[0];
  const fix = codeOf(error) === 403 ? "ask a cluster administrator for a role that allows this request" : null;
  return new UserError(exitCode.missing, `cannot ${what}: ${reason}`, fix);
}

/**
 * Returns the message of the Status object in the body of a response. Returns undefined if the body contains no
 * message.
 */
export function messageOf(body: unknown): string | undefined {
  try {
    const { message } = (typeof body === "string" ? JSON.parse(body) : body) as { message?: unknown };
    return typeof message === "string" && message !== "" ? message : undefined;
  } catch {
    return undefined;
  }
}
