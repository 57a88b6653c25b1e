import type { V1Namespace, V1ServiceAccount } from "@kubernetes/client-node";
import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";
import { probeLabel } from "./probe.ts";
import { verifyName } from "./probes.ts";

/** The objects that verify creates in the cluster and removes at the end. */
export class TestResources {
  readonly #cluster: Cluster;
  readonly #run: string;
  readonly #created: KubernetesObject[] = [];

  constructor(cluster: Cluster, run: string) {
    this.#cluster = cluster;
    this.#run = run;
  }

  /** Why the probes' own namespace could not be created; null if it was. */
  trouble: string | null = null;

  /**
   * Creates the probes' own namespace if it is needed. Its pods are never meshed, so they can conform to the Pod
   * Security level restricted.
   */
  async prepare(needed: boolean): Promise<void> {
    if (!needed) return;
    const labels = { [probeLabel]: this.#run, "pod-security.kubernetes.io/enforce": "restricted" };
    const annotations = { [injectKey]: "disabled" };
    const name = verifyName(this.#run);
    this.trouble = await this.#attempt(
      { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } } satisfies V1Namespace,
      // Kubernetes creates this account shortly after the namespace and rejects pods that are created before it.
      account("default", name),
    );
  }

  /** Creates a service account that no policy lists. @returns why it could not be created; null if it was */
  unlistedAccountIn(namespace: string): Promise<string | null> {
    return this.#attempt(account(verifyName(this.#run), namespace));
  }

  /** Records a pod that is about to be created. */
  pod(name: string, namespace: string): void {
    this.#created.push({ apiVersion: "v1", kind: "Pod", metadata: { name: `${name}-${this.#run}`, namespace } });
  }

  /**
   * Removes all recorded objects in reverse order. Objects that already existed are not removed.
   *
   * @returns the objects that could not be removed, with the error
   */
  async clear(): Promise<string[]> {
    const left: string[] = [];
    for (const { apiVersion, kind, metadata } of this.#created.splice(0).reverse())
      await this.#cluster
        .remove(apiVersion, kind, metadata.name, metadata.namespace)
        .catch((error: unknown) => left.push(`${kind} ${metadata.name}: ${(error as Error).message}`));
    return left;
  }

  /**
   * Creates objects. Returns the error if this fails, so that the tests that need the objects report it and the other
   * tests continue.
   */
  async #attempt(...objects: readonly KubernetesObject[]): Promise<string | null> {
    try {
      for (const object of objects) await this.#create(object);
      return null;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  async #create(object: KubernetesObject): Promise<void> {
    if (await this.#cluster.create(object)) this.#created.push(object);
  }
}

function account(name: string, namespace: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, namespace },
    automountServiceAccountToken: false,
  } satisfies V1ServiceAccount;
}
