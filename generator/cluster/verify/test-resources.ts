import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
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

  /** The probes' own namespace. Its pods are never meshed, so Kubernetes may hold them to the level restricted. */
  async namespace(): Promise<void> {
    const labels = { [probeLabel]: this.#run, "pod-security.kubernetes.io/enforce": "restricted" };
    const annotations = { [injectKey]: "disabled" };
    await this.#make({ apiVersion: "v1", kind: "Namespace", metadata: { name: verifyName(this.#run), labels, annotations } });
    // Kubernetes makes it a moment later; pods that come before are refused.
    await this.#make(account("default", verifyName(this.#run)));
  }

  /** A service account that is on nobody's list. */
  async strangerIn(namespace: string): Promise<void> {
    await this.#make(account(verifyName(this.#run), namespace));
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

  async #make(object: KubernetesObject): Promise<void> {
    if (await this.#cluster.create(object)) this.#made.push(object);
  }
}

function account(name: string, namespace: string): KubernetesObject {
  return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace }, automountServiceAccountToken: false };
}
