import { gunzipSync } from "node:zlib";
import type { KubernetesObject } from "../../../kubernetes/object.ts";
import { at, mapAt } from "../../../kubernetes/object-fields.ts";
import { parseManifests } from "../../../kubernetes/read.ts";
import type { ClusterReader } from "../../connection.ts";
import { listIn } from "../../reads.ts";

/** A revision of a Helm release, as stored in a Secret in the cluster. */
export interface StoredRelease {
  readonly name: string;
  readonly namespace: string;
  readonly revision: number;
  /** Status of the revision, for example `deployed`, `failed` or `pending-upgrade`. */
  readonly status: string;
  /** Name and version of the chart. */
  readonly chart: string;
  /** Objects that Helm applied, without the objects of Helm hooks. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * Reads the latest revision of every Helm release in the given namespaces. Helm stores one Secret per revision (helm,
 * pkg/storage/driver/secrets.go). The value of the key `release` is JSON that is compressed with gzip and encoded in
 * base64. The labels of the Secret contain the release's name, revision and status.
 *
 * @throws UserError if the user is not allowed to read Secrets
 */
export async function storedReleases(cluster: ClusterReader, namespaces: readonly string[]): Promise<StoredRelease[]> {
  const secrets = await listIn(cluster, namespaces, "v1", "Secret", "owner=helm");
  const newest = new Map<string, KubernetesObject>();
  for (const secret of secrets) {
    const id = `${secret.metadata.namespace}/${secret.metadata.labels?.["name"]}`;
    const known = newest.get(id);
    if (known === undefined || revisionOf(secret) > revisionOf(known)) newest.set(id, secret);
  }
  return [...newest.values()].flatMap((secret) => decodeRelease(secret) ?? []);
}

function revisionOf({ metadata }: KubernetesObject): number {
  return Number(metadata.labels?.["version"] ?? 0);
}

/** Decodes the Helm release in a Secret. Returns null if the Secret does not have the format of Helm's Secrets. */
function decodeRelease(secret: KubernetesObject): StoredRelease | null {
  const data = at(secret, "data", "release");
  if (typeof data !== "string") return null;
  try {
    const packed = Buffer.from(Buffer.from(data, "base64").toString(), "base64");
    const release: unknown = JSON.parse(gunzipSync(packed).toString());
    const chart = mapAt(release, "chart", "metadata");
    return {
      name: String(at(release, "name")),
      namespace: String(at(release, "namespace")),
      revision: Number(at(release, "version")),
      status: String(at(release, "info", "status")),
      chart: `${String(chart["name"])} ${String(chart["version"])}`,
      objects: parseManifests("manifest", String(at(release, "manifest") ?? "")).objects.map(
        ({ value }) => value as KubernetesObject,
      ),
    };
  } catch {
    return null;
  }
}
