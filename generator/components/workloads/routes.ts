import type { KubernetesObject } from "../../kubernetes/object.ts";
import { grpcRoutes } from "../../mesh/grpc-route.ts";
import { portKey } from "../../mesh/pod-set.ts";
import type { ServiceName } from "../../mesh/service.ts";
import { profileRoutes, serviceProfile } from "../../mesh/service-profile.ts";
import type { Environment, PodSet as Pods, Routes } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import type { Component, ModelContext } from "../component.ts";
import { routesId, workloadId } from "../names.ts";
import { controlPlane } from "./control-plane.ts";
import { routedSets } from "./entries.ts";

/**
 * Returns the component with a workload's routes; null if no set of pods has routes. The component has one file for
 * each set of pods with routes. The file contains the GRPCRoutes or the ServiceProfile of this set. The routes and the
 * pods are separate components, because another tool can deliver the pods.
 */
export function routesComponent(key: string, { spec: { workloads } }: Environment): Component | null {
  const workload = workloads[key];
  if (workload === undefined || routedSets(workload).length === 0) return null;
  return {
    id: routesId(key),
    group: key,
    // The control plane runs the webhook that validates ServiceProfiles.
    needs: [controlPlane, ...(deliversWorkload(workload) ? [{ component: workloadId(key) }] : [])],
    build: (context) => ({
      namespace: workload.namespace,
      delivery: { kind: "objects", helmfile: "release" },
      objects: Object.fromEntries(
        routedSets(workload).map(({ key: set, routes, pods }) => [
          set,
          objectsOf(routes, servicePort(routes, pods), workload.namespace, context),
        ]),
      ),
      timeoutMinutes: 2,
    }),
  };
}

function objectsOf(
  routes: Routes,
  port: number,
  namespace: string,
  { environment, grpcServices }: ModelContext,
): KubernetesObject[] {
  const service: ServiceName = { name: routes.service, namespace, clusterDomain: environment.spec.linkerd.clusterDomain };
  const methods = profileRoutes(grpcServices.get(routes.proto) ?? [], routes.methods);
  return routes.kind === "GRPCRoute" ? grpcRoutes(service, port, methods) : [serviceProfile(service, methods)];
}

/** Number of the Service's port; 0 if the spec does not declare the port. A rule reports the missing port. */
function servicePort({ port }: Routes, { ports }: Pods): number {
  const found = ports[portKey(port, ports) ?? ""];
  return found?.servicePort ?? found?.port ?? 0;
}
