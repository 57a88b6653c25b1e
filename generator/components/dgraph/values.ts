import { type DgraphRole, dgraphChart } from "../../catalog/dgraph.ts";
import { registryIn } from "../../catalog/image.ts";
import { injectKey, portKeys } from "../../catalog/well-known.ts";
import type { JsonMap, StringMap } from "../../kubernetes/object.ts";
import type { ModelContext } from "../component.ts";
import { mirrorField, pullSecretsOf } from "../mirror.ts";
import { type OwnedValue, owned, ownedPaths } from "../owned.ts";
import { given } from "../pod-settings.ts";
import { revisionAnnotation } from "../pod-template.ts";
import { mergeValues } from "../values.ts";
import { podSettingsOf } from "./availability.ts";
import { injectionAnnotations } from "./injection.ts";

/** Values of the dgraph chart. */
export function dgraphValues(context: ModelContext): JsonMap {
  const { dgraph, linkerd } = context.environment.spec;
  const { alpha, zero, replicationFactor } = dgraph;
  const pullSecrets = pullSecretsOf(context.environment, dgraph.imagePullSecrets);
  return mergeValues(
    {
      alpha: {
        ...scheduling(context, "alpha"),
        replicaCount: alpha.replicas,
        persistence: persistence(alpha),
        // Dgraph has the superflag `--security` since v21.03, the oldest supported version (dgraph, "Whitelisting Admin
        // Operations").
        ...(alpha.whitelist.length === 0 ? {} : { extraFlags: `--security whitelist=${alpha.whitelist.join(",")}` }),
      },
      zero: {
        ...scheduling(context, "zero"),
        replicaCount: zero.replicas,
        shardReplicaCount: replicationFactor,
        persistence: persistence(zero),
      },
    },
    injection(context),
    linkerd.clusterDomain === "cluster.local" ? {} : { global: { domain: linkerd.clusterDomain } },
    pullSecrets === undefined ? {} : { image: { pullSecrets: [...pullSecrets] } },
    images(context),
  );
}

/**
 * Chart values that configure how the pods of a role run. Omits the value `soft` of `antiAffinity`, because `soft` is
 * the default of the chart.
 */
function scheduling({ environment }: ModelContext, role: DgraphRole): JsonMap {
  const { resources, nodeSelector, tolerations } = podSettingsOf(environment, role);
  const { antiAffinity } = environment.spec.dgraph[role];
  return given({ resources, nodeSelector, tolerations, antiAffinity: antiAffinity === "soft" ? undefined : antiAffinity });
}

/**
 * Returns the chart values that overrides must not replace: the values for injection, mirrored images, names, the
 * service account, the version of Dgraph, and persistent volumes.
 */
export function ownedDgraphValues(context: ModelContext): OwnedValue[] {
  return [
    ...owned(injection(context), "dgraph.internalPorts"),
    ...owned(images(context), mirrorField(context.environment)),
    ...(["alpha", "zero"] as const).flatMap((role) =>
      [injectKey, portKeys.opaque, portKeys.skipInbound, portKeys.skipOutbound].map((key) => ({
        path: [role, "extraAnnotations", key],
        field: "dgraph.internalPorts",
      })),
    ),
    // The policies and the patches contain the names of the pods and of their service account.
    ...ownedPaths(["fullnameOverride", "nameOverride"], "dgraph.release"),
    ...ownedPaths(["serviceAccount.create", "serviceAccount.name"], "dgraph.clients"),
    // The version of Dgraph determines whether Dgraph can read the files on the volumes.
    ...ownedPaths(["image.tag"], "dgraph.chart"),
    ...ownedPaths(["alpha.persistence.enabled"], "dgraph.alpha.storage"),
    ...ownedPaths(["zero.persistence.enabled"], "dgraph.zero.storage"),
  ];
}

/**
 * Returns the chart values that set pod annotations. Returns an empty map if the chart has no value for pod
 * annotations. In this case, `dgraphPatches` adds the annotations.
 */
function injection(context: ModelContext): JsonMap {
  if (dgraphChart(context.environment.spec.dgraph.chart).traits.podAnnotations === "patch") return {};
  return {
    alpha: { extraAnnotations: podAnnotations("alpha", context) },
    zero: { extraAnnotations: podAnnotations("zero", context) },
  };
}

function images({ mirror }: ModelContext): JsonMap {
  return mirror === null ? {} : { image: { registry: registryIn(mirror, "docker.io") } };
}

/** Annotations of a role's pod templates. */
export function podAnnotations(role: "alpha" | "zero", { environment, identity }: ModelContext): StringMap {
  return { ...injectionAnnotations(role, environment.spec.dgraph.internalPorts), ...revisionAnnotation(identity.revision()) };
}

function persistence({ storage, storageClass }: { readonly storage: string; readonly storageClass?: string }): JsonMap {
  return { size: storage, ...(storageClass === undefined ? {} : { storageClass }) };
}
