import type { V1Namespace, V1ServiceAccount } from "@kubernetes/client-node";
import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";
import { probeLabel } from "./probe.ts";
import { verifyName } from "./probes.ts";

/** The objects that `meshops verify` creates in the cluster and deletes at the end. */
export class TestResources {
  readonly #cluster: Cluster;
  readonly #run: string;
  readonly #created: KubernetesObject[] = [];

  constructor(cluster: Cluster, run: string) {
    this.#cluster = cluster;
    this.#run = run;
  }

  /** The error if the namespace for unmeshed probes could not be created; otherwise null. */
  trouble: string | null = null;

  /**
   * If `needed` is true, creates the namespace for unmeshed probes. Pods in this namespace are never meshed, so the
   * namespace can require the level `restricted` of the Pod Security Standards.
   */
  async prepare(needed: boolean): Promise<void> {
    if (!needed) return;
    const labels = { [probeLabel]: this.#run, "pod-security.kubernetes.io/enforce": "restricted" };
    const annotations = { [injectKey]: "disabled" };
    const name = verifyName(this.#run);
    this.trouble = await this.#attempt(
      { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } } satisfies V1Namespace,
      // Kubernetes creates the service account `default` shortly after the namespace, and rejects pods until this
      // service account exists.
      account("default", name),
    );
  }

  /** Creates a service account that no policy lists. @returns the error if the creation failed; otherwise null */
  unlistedAccountIn(namespace: string): Promise<string | null> {
    return this.#attempt(account(verifyName(this.#run), namespace));
  }

  /** Records a pod before the caller creates the pod, so that `clear` deletes the pod. */
  pod(name: string, namespace: string): void {
    this.#created.push({ apiVersion: "v1", kind: "Pod", metadata: { name: `${name}-${this.#run}`, namespace } });
  }

  /**
   * Deletes the recorded objects in reverse order. An object is recorded only if this run of verify creates the object.
   *
   * @returns the objects that could not be deleted, each with its error
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
   * Creates objects. Returns the error if an object cannot be created; otherwise null. The tests that need the objects
   * report this error, and the other tests continue.
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
