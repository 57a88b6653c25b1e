import type { V1Namespace, V1ServiceAccount } from "@kubernetes/client-node";
import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";
import { probeLabel } from "./probe.ts";
import { verifyName } from "./probes.ts";

/** What verify has made in the cluster, to be taken away again. */
export class TestResources {
  readonly #cluster: Cluster;
  readonly #run: string;
  readonly #made: KubernetesObject[] = [];

  constructor(cluster: Cluster, run: string) {
    this.#cluster = cluster;
    this.#run = run;
  }

  /** Why the probes' own namespace could not be created; null if it was. */
  trouble: string | null = null;

  /** Creates the probes' own namespace, if it is needed. Its pods are never meshed, so Kubernetes may hold them to the level restricted. */
  async prepare(needed: boolean): Promise<void> {
    if (!needed) return;
    const labels = { [probeLabel]: this.#run, "pod-security.kubernetes.io/enforce": "restricted" };
    const annotations = { [injectKey]: "disabled" };
    const name = verifyName(this.#run);
    this.trouble = await this.#attempt(
      { apiVersion: "v1", kind: "Namespace", metadata: { name, labels, annotations } } satisfies V1Namespace,
      // Kubernetes creates it a moment later; pods that are created before are refused.
      account("default", name),
    );
  }

  /** Creates a service account that no policy lists. @returns why it could not be created; null if it was */
  unlistedAccountIn(namespace: string): Promise<string | null> {
    return this.#attempt(account(verifyName(this.#run), namespace));
  }

  /** Notes pods that are about to be made. */
  pod(name: string, namespace: string): void {
    this.#made.push({ apiVersion: "v1", kind: "Pod", metadata: { name: `${name}-${this.#run}`, namespace } });
  }

  /** Takes away all of it, the last first; what others made stays. @returns what could not be, in words */
  async clear(): Promise<string[]> {
    const left: string[] = [];
    for (const { apiVersion, kind, metadata } of this.#made.splice(0).reverse())
      await this.#cluster
        .remove(apiVersion, kind, metadata.name, metadata.namespace)
        .catch((error: unknown) => left.push(`${kind} ${metadata.name}: ${(error as Error).message}`));
    return left;
  }

  /** Creates objects. A right that is missing is reported by the tests that need them, and does not end the others. */
  async #attempt(...objects: readonly KubernetesObject[]): Promise<string | null> {
    try {
      for (const object of objects) await this.#make(object);
      return null;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  async #make(object: KubernetesObject): Promise<void> {
    if (await this.#cluster.create(object)) this.#made.push(object);
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
