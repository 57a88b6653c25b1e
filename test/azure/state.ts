import { createHash, randomUUID } from "node:crypto";

/** IDs of the subscription, the tenant and the identities in the stand-in for Azure. */
export const account = {
  subscription: "11111111-1111-1111-1111-111111111111",
  tenant: "22222222-2222-2222-2222-222222222222",
  principal: "33333333-3333-3333-3333-333333333333",
  kubelet: "44444444-4444-4444-4444-444444444444",
} as const;

/** A resource, with the fields that Azure Resource Manager returns. */
export interface Resource {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly location?: string;
  readonly tags?: unknown;
  readonly sku?: unknown;
  properties: Record<string, unknown> & { provisioningState?: string };
}

/**
 * A long-running operation. At the end of the operation, the stand-in calls `finish`. If `error` is not null, the
 * stand-in then reports this error.
 */
export interface Operation {
  readonly finish: () => void;
  readonly error: { code: string; message: string } | null;
  polls: number;
}

/** The state of the stand-in for Azure. */
export class State {
  /** Resources, keyed by ID. The keys are in lower case, because IDs in Azure are not case-sensitive. */
  readonly resources: Map<string, Resource> = new Map();
  readonly providers: Map<string, "Registering" | "Registered"> = new Map();
  /** Digests of images. The keys have the form `<registry> <repository>:<tag>`. */
  readonly images: Map<string, string> = new Map();
  /** Credentials of image imports, as `<registry> <user> <password>`. */
  readonly logins: Set<string> = new Set();
  readonly operations: Map<string, Operation> = new Map();
  readonly uploads: Set<string> = new Set();

  get(id: string): Resource | undefined {
    return this.resources.get(id.toLowerCase());
  }

  put(resource: Resource): Resource {
    this.resources.set(resource.id.toLowerCase(), resource);
    return resource;
  }

  /** Removes a resource and all its child resources. */
  remove(id: string): void {
    const gone = id.toLowerCase();
    for (const key of this.resources.keys()) if (key === gone || key.startsWith(`${gone}/`)) this.resources.delete(key);
  }

  below(id: string): Resource[] {
    return [...this.resources].filter(([key]) => key.startsWith(`${id.toLowerCase()}/`)).map(([, resource]) => resource);
  }

  begin(finish: () => void, error: Operation["error"] = null): string {
    const id = randomUUID();
    this.operations.set(id, { finish, error, polls: 0 });
    return id;
  }

  /** Completes all operations that are in progress, even if no client has polled for the results. */
  settle(): void {
    for (const [id, { finish }] of this.operations) {
      finish();
      this.operations.delete(id);
    }
  }

  /** Returns an independent copy of this state. Call this method only if no operation is in progress. */
  copy(): State {
    const copy = new State();
    for (const [id, resource] of this.resources) copy.resources.set(id, structuredClone(resource));
    for (const [name, state] of this.providers) copy.providers.set(name, state);
    for (const [image, digest] of this.images) copy.images.set(image, digest);
    return copy;
  }

  /** Returns the state without times and random IDs, so that a test can compare the states after two runs. */
  summary(): unknown {
    const resources = [...this.resources.values()].map(({ id, type, location, tags, sku, properties }) => {
      const assignment = type.endsWith("/roleAssignments");
      const { provisioningState, principalId, roleDefinitionId, networkProfile, kubernetesVersion, agentPoolProfiles } =
        properties;
      const shown = { provisioningState, principalId, roleDefinitionId, networkProfile, kubernetesVersion, agentPoolProfiles };
      return { id: assignment ? id.replace(/[^/]*$/, "") : id, type, location, tags, sku, properties: shown };
    });
    return JSON.parse(
      JSON.stringify({
        resources: resources.sort((a, b) => (a.id < b.id ? -1 : 1)),
        providers: [...this.providers].sort(),
        images: [...this.images].sort(),
      }),
    ) as unknown;
  }
}

export function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
