/** Chart values that meshops generates for Dgraph. */
export const assessedPaths: readonly string[] = [
  "global.domain",
  "image.registry",
  "image.pullSecrets",
  ...["alpha", "zero"].flatMap((role) =>
    [
      "replicaCount",
      "shardReplicaCount",
      "extraFlags",
      "extraAnnotations",
      "persistence.size",
      "persistence.storageClass",
      "antiAffinity",
    ].map((name) => `${role}.${name}`),
  ),
];
