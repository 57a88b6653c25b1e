import { request } from "node:https";
import type { KubernetesObject as ClientObject, CoreV1Api, KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { kubernetesClient } from "./client.ts";

/** An object with the fields to be merged; an annotation that is null is removed. */
type MergePatch = Omit<KubernetesObject, "metadata"> & {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: JsonMap };
};

/** What verify does in a cluster beside reading. */
export interface ClusterActions {
  /** Makes an object; one that is there already stays as it is, and false is returned. */
  create(object: KubernetesObject): Promise<boolean>;
  /** Deletes an object; one that is not there is fine. */
  remove(apiVersion: string, kind: string, name: string, namespace?: string): Promise<void>;
  /** Merges fields into an object (RFC 7386). */
  merge(patch: MergePatch): Promise<void>;
  /** Log of a container. @param tail number of lines from its end; all if left out */
  logs(namespace: string, pod: string, container: string, tail?: number): Promise<string>;
  /**
   * Posts to a path and hands on what streams back, until the signal aborts; then it ends without an error.
   *
   * @throws Refused where the server answers with an error
   */
  stream(path: string, body: Uint8Array, onData: (chunk: Buffer) => void, signal: AbortSignal): Promise<void>;
}

/** An error that the API server, or what is behind it, answered a stream with. */
export class Refused extends Error {
  readonly status: number;
  /** Whether `body` is framed and of the tap API's own making: header `linkerd-error`. */
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
        throw notDone(error, `create ${object.kind} ${object.metadata.name}`);
      }
    },
    remove: async (apiVersion, kind, name, namespace = "") => {
      try {
        await objects.delete({ apiVersion, kind, metadata: { name, namespace } });
      } catch (error) {
        if (codeOf(error) !== 404) throw notDone(error, `delete ${kind} ${name}`);
      }
    },
    merge: async (object) => {
      const { PatchStrategy } = await kubernetesClient();
      try {
        const target = object as unknown as ClientObject;
        await objects.patch(target, undefined, undefined, "meshops", undefined, PatchStrategy.MergePatch);
      } catch (error) {
        throw notDone(error, `change ${object.kind} ${object.metadata.name}`);
      }
    },
    logs: async (namespace, name, container, tail) => {
      try {
        const lines = tail === undefined ? {} : { tailLines: tail };
        return await core.readNamespacedPodLog({ namespace, name, container, ...lines });
      } catch (error) {
        throw notDone(error, `read the log of pod ${name}`);
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
          response.on("error", () => {}); // ended by us, or by the server: what has come stays
          if (status === 200 && !framed) {
            response.on("data", onData);
            response.on("close", resolve);
            return;
          }
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => reject(new Refused(status, framed, Buffer.concat(chunks))));
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

/** The API server's own words: it says who may not do what, or which webhook refused. */
function notDone(error: unknown, what: string): UserError {
  const { body, message, name } = error as { body?: unknown; message?: string; name?: string };
  const reason =
    name === "AbortError" || name === "TimeoutError" ? "no answer in time" : String(messageOf(body) ?? message).split("\n")[0];
  const fix = codeOf(error) === 403 ? "ask for a role that may; docs/verify.md lists what verify does" : null;
  return new UserError(exitCode.missing, `cannot ${what}: ${reason}`, fix);
}

/** The message of a Status object that a server answered with. */
export function messageOf(body: unknown): string | undefined {
  try {
    const { message } = (typeof body === "string" ? JSON.parse(body) : body) as { message?: unknown };
    return typeof message === "string" && message !== "" ? message : undefined;
  } catch {
    return undefined;
  }
}
