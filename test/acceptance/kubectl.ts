import { run } from "../support/tools.ts";
import type { ClusterObject } from "./record.ts";

/** Runs kubectl. The context is always the value of the option `--context`, never kubectl's current context. */
export class Kubectl {
  readonly #flags: readonly string[];
  readonly #program: string;

  /** @param program path of kubectl; default: the kubectl on the PATH */
  constructor(
    { context, kubeconfig }: { readonly context: string; readonly kubeconfig: string | null },
    program: string = "kubectl",
  ) {
    this.#program = program;
    this.#flags = ["--context", context, ...(kubeconfig === null ? [] : ["--kubeconfig", kubeconfig])];
  }

  /** Returns stdout. @throws if kubectl fails; the message contains what kubectl printed */
  run(args: readonly string[], input?: string): Promise<string> {
    return run(this.#program, [...this.#flags, ...args], input === undefined ? {} : { input });
  }

  /** @returns null if the object does not exist @throws if the cluster does not serve the kind */
  async get(kind: string, name: string, namespace?: string): Promise<ClusterObject | null> {
    const text = await this.run(["get", kind, name, ...inNamespace(namespace), "--ignore-not-found", "--output", "json"]);
    return text.trim() === "" ? null : (JSON.parse(text) as ClusterObject);
  }

  /** @returns objects in all namespaces; an empty list if the cluster does not serve the kind */
  async list(kind: string, selector?: string): Promise<ClusterObject[]> {
    const flags = ["--all-namespaces", "--output", "json", ...(selector === undefined ? [] : ["--selector", selector])];
    try {
      return (JSON.parse(await this.run(["get", kind, ...flags])) as { items: ClusterObject[] }).items;
    } catch (error) {
      if (/doesn't have a resource type/.test((error as Error).message)) return [];
      throw error;
    }
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
    await this.run(["apply", "--server-side", "--force-conflicts", "--field-manager", "meshops-acceptance", "-f", "-"], list);
  }

  /**
   * Replaces an object, or creates the object if it does not exist. Removes metadata such as `uid` and
   * `resourceVersion` first, because the API server sets these fields.
   */
  async restore(object: ClusterObject): Promise<void> {
    const { resourceVersion: _, uid: __, creationTimestamp: ___, managedFields: ____, ...metadata } = object.metadata;
    const text = JSON.stringify({ ...object, metadata });
    const found = await this.get(kindOf(object), object.metadata.name, object.metadata.namespace);
    await this.run([found === null ? "create" : "replace", "-f", "-"], text);
  }

  async delete(kind: string, name: string, namespace?: string): Promise<void> {
    await this.run(["delete", kind, name, ...inNamespace(namespace), "--ignore-not-found", "--wait=false"]);
  }
}

/** Returns the kind with API version and group, in kubectl's format, such as `Server.v1beta3.policy.linkerd.io`. */
export function kindOf({ apiVersion, kind }: ClusterObject): string {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? kind : `${kind}.${version}.${group}`;
}

function inNamespace(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : ["--namespace", namespace];
}
