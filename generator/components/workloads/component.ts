import { curlImage } from "../../catalog/addons.ts";
import { type Mirror, mirroredName, parseImage, writtenName } from "../../catalog/image.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isProtected, type PodSet } from "../../mesh/pod-set.ts";
import { policiesFor } from "../../mesh/policies.ts";
import type { Workload } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { fileNameOf } from "../../system/text.ts";
import type { Component, ComponentProvider, EncryptedFile, ModelContext } from "../component.ts";
import { policiesId, workloadId } from "../names.ts";
import { needOf } from "../overrides.ts";
import { workloadChanges } from "./change-rules.ts";
import { controlPlane } from "./control-plane.ts";
import { deliveryOf, namespacesOf } from "./delivery.ts";
import { podSetsOf } from "./pod-sets.ts";
import { workloadPatches } from "./proxy-patches.ts";
import { routesComponent } from "./routes.ts";
import { workloadRules } from "./rules.ts";

/**
 * Workloads of the user (`spec.workloads`). The policies and the pods of a workload are separate components, because
 * another tool can deliver the pods. If meshops starts to deliver the pods later, the policies stay in their own
 * component.
 */
export const workloads: ComponentProvider = {
  rules: workloadRules,
  changeRules: [workloadChanges],
  *components(context) {
    for (const [key, workload] of Object.entries(context.environment.spec.workloads)) {
      const sets = podSetsOf(context.environment, key);
      yield pods(key, workload, sets);
      if (sets.some(isProtected)) yield policies(key, workload, sets);
      const routes = routesComponent(key, context.environment);
      if (routes !== null) yield routes;
    }
  },
};

/**
 * Returns the component with the pods of a workload. If the workload has no `source`, another tool delivers the pods.
 */
function pods(key: string, workload: Workload, sets: readonly PodSet[]): Component {
  const { namespace } = workload;
  const delivered = deliversWorkload(workload);
  return {
    id: workloadId(key),
    group: key,
    // The policies must be applied before the pods. Otherwise, all clients can connect to the pods until the policies
    // are applied.
    needs: delivered ? [controlPlane, { component: policiesId(key) }] : [],
    build: (context) => ({
      namespace,
      namespaces: namespacesOf(workload, sets, context.environment),
      delivery: deliveryOf(key, workload),
      patches: delivered ? workloadPatches(workload, sets, context) : [],
      encryptedFiles: delivered ? encryptedFilesOf(workload, context) : [],
      pods: sets,
      // The probes of `meshops verify` run `curlImage`.
      images: [...workload.images.map(parseImage), ...(sets.some(isProtected) ? [curlImage] : [])],
      imageNames: delivered ? namesInMirror(workload, context.mirror) : {},
    }),
  };
}

/**
 * Returns the names of a workload's images in the registry that mirrors images. The keys are the image names in the
 * manifests of the workload.
 */
function namesInMirror({ images }: Workload, mirror: Mirror | null): Record<string, string> {
  return Object.fromEntries(
    mirror === null ? [] : images.map((image) => [writtenName(image), mirroredName(parseImage(image).name, mirror)]),
  );
}

function encryptedFilesOf({ secrets }: Workload, { encryptedFiles }: ModelContext): EncryptedFile[] {
  return secrets.map((path) => ({ name: fileNameOf(path), text: encryptedFiles.get(path) ?? "" }));
}

function policies(key: string, workload: Workload, sets: readonly PodSet[]): Component {
  const { namespace, dependsOn } = workload;
  return {
    id: policiesId(key),
    group: key,
    needs: [controlPlane, ...(deliversWorkload(workload) ? [] : dependsOn.map(needOf))],
    build: ({ linkerdRelease }: ModelContext) => {
      const built = sets.map((set) => policiesFor(set, linkerdRelease));
      return {
        namespace,
        delivery: { kind: "objects", helmfile: "release" },
        objects: {
          ...file(
            "network-policies",
            built.flatMap(({ network }) => network),
          ),
          ...file(
            "authorization",
            built.flatMap(({ mesh }) => mesh),
          ),
        },
        timeoutMinutes: 2,
      };
    },
  };
}

function file(name: string, objects: readonly KubernetesObject[]): Record<string, readonly KubernetesObject[]> {
  return objects.length === 0 ? {} : { [name]: objects };
}
