import { dgraphPorts } from "../../catalog/dgraph.ts";
import { dgraphName } from "../../mesh/dgraph.ts";
import { opaque } from "../../mesh/injection.ts";
import type { KubernetesObject } from "../../model.ts";
import type { Context } from "../component.ts";
import { annotatePods } from "../pod-template.ts";
import { podAnnotations } from "./values.ts";

/**
 * Patches on what the dgraph chart renders: the pod templates' annotations where the chart has no value for them,
 * and the opaque ports of the Services, the headless ones included, for which no chart has a value.
 */
export function dgraphPatches(context: Context): KubernetesObject[] {
  const { environment, dgraphChart } = context;
  const { namespace, internalPorts } = environment.spec.dgraph;
  const named = (name: string): { name: string; namespace?: string } => ({
    name: dgraphName(environment, name),
    // A patch finds its object by name and namespace: it must name one only where the chart does.
    ...(dgraphChart.traits.rendersNamespace ? { namespace } : {}),
  });
  const pods = (["alpha", "zero"] as const).map((role) =>
    annotatePods("StatefulSet", named(role), podAnnotations(role, context)),
  );
  const services = internalServices.map(
    ({ name, role }): KubernetesObject => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...named(name), annotations: opaque(dgraphPorts[role].internal) },
    }),
  );
  return [...(dgraphChart.traits.podAnnotations === "patch" ? pods : []), ...(internalPorts === "opaque" ? services : [])];
}

/** Services that expose an internal port (rendered charts, the same in all versions). */
const internalServices = [
  { name: "alpha-headless", role: "alpha" },
  { name: "zero", role: "zero" },
  { name: "zero-headless", role: "zero" },
] as const;
