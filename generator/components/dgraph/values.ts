import type { JsonMap } from "../../kubernetes/object.ts";
import { injectionAnnotations } from "../../mesh/injection.ts";
import type { Context } from "../component.ts";
import { revisionAnnotation } from "../pod-template.ts";
import { mergeValues } from "../values.ts";

/** Values of the dgraph chart. */
export function dgraphValues(context: Context): JsonMap {
  const { environment, dgraphChart, mirror } = context;
  const { alpha, zero, replicationFactor } = environment.spec.dgraph;
  const { clusterDomain } = environment.spec.linkerd;
  return mergeValues(
    {
      alpha: {
        replicaCount: alpha.replicas,
        persistence: persistence(alpha),
        // The superflag exists from Dgraph v21.03, the oldest here (dgraph, "Whitelisting Admin Operations").
        ...(alpha.whitelist.length === 0 ? {} : { extraFlags: `--security whitelist=${alpha.whitelist.join(",")}` }),
      },
      zero: { replicaCount: zero.replicas, shardReplicaCount: replicationFactor, persistence: persistence(zero) },
    },
    dgraphChart.traits.podAnnotations === "value"
      ? {
          alpha: { extraAnnotations: podAnnotations("alpha", context) },
          zero: { extraAnnotations: podAnnotations("zero", context) },
        }
      : {},
    clusterDomain === "cluster.local" ? {} : { global: { domain: clusterDomain } },
    mirror === null ? {} : { image: { registry: mirror } },
  );
}

/** Annotations of a role's pod templates. */
export function podAnnotations(
  role: "alpha" | "zero",
  { environment, identityRevision }: Context,
): Readonly<Record<string, string>> {
  return { ...injectionAnnotations(role, environment.spec.dgraph.internalPorts), ...revisionAnnotation(identityRevision) };
}

function persistence({ storage, storageClass }: { readonly storage: string; readonly storageClass?: string }): JsonMap {
  return { size: storage, ...(storageClass === undefined ? {} : { storageClass }) };
}
