import { type Assessment, type ChangedObject, type ChangeSet, type Step, sharedPush } from "../../components/change-rule.ts";
import { suspendFirst } from "../../components/flux-commands.ts";
import { at } from "../../kubernetes/object-fields.ts";

/**
 * Risks of changes of these fields in `spec.gitops`: `namePrefix`, `namespace`, `path`, `sourceRef` and
 * `serviceAccountName`. These fields determine the name, namespace, path, source and service account of Kustomizations.
 */
export function* placementRisks(changed: ChangedObject, { environment, objects }: ChangeSet): Iterable<Assessment> {
  if (changed.change === "changed" && changed.fields.some(({ path }) => path === "spec.serviceAccountName"))
    yield otherAccount(changed, environment);
  if (changed.kind !== "Kustomization") return;
  const successor = successorOf(changed, objects);
  if (successor !== undefined) yield renamed(changed.namespace, successor.namespace, environment, objects);
  if (changed.change !== "changed") return;
  if (platformFolder(changed.before) !== platformFolder(changed.after)) yield movedFolder(environment);
  if (changed.fields.some(({ path }) => path.startsWith("spec.sourceRef"))) yield otherSource(changed, environment);
}

/** Returns the first part of a Kustomization's path: the folder of the platform repository, with a slash at the end. */
function platformFolder(kustomization: ChangedObject["before"]): string {
  return String(at(kustomization, "spec", "path")).replace(/overlays\/.*$/, "");
}

/**
 * Returns the added Kustomization that applies the overlay of a removed Kustomization; undefined if no added
 * Kustomization applies this overlay.
 */
export function successorOf(
  { kind: own, change: removal, before }: ChangedObject,
  objects: readonly ChangedObject[],
): ChangedObject | undefined {
  if (own !== "Kustomization" || removal !== "removed") return undefined;
  return objects.find(({ kind, change, after }) => kind === "Kustomization" && change === "added" && appliesSame(before, after));
}

/**
 * Whether two Kustomizations apply the overlay of the same component, or the same folder. The paths of the two
 * Kustomizations can contain different environment names, and different folders of the platform repository.
 */
function appliesSame(before: ChangedObject["before"], after: ChangedObject["after"]): boolean {
  const [old, next] = [overlayOf(before), overlayOf(after)];
  return old === null || next === null ? at(before, "spec", "path") === at(after, "spec", "path") : old === next;
}

/**
 * Returns the name of the overlay that a Kustomization applies. This name is the id of the component. Returns null if
 * the Kustomization applies no overlay.
 */
export function overlayOf(kustomization: ChangedObject["before"]): string | null {
  return /overlays\/[^/]+\/(.+)$/.exec(String(at(kustomization, "spec", "path")))?.[1] ?? null;
}

/**
 * Assesses Kustomizations with a new name or namespace. If a Kustomization is deleted and not suspended,
 * kustomize-controller deletes the objects in its inventory (kustomize-controller,
 * internal/controller/kustomization_controller.go, `finalize`).
 */
function renamed(namespace: string, next: string, environment: string, objects: readonly ChangedObject[]): Assessment {
  const old = objects.filter((each) => each.namespace === namespace && successorOf(each, objects) !== undefined);
  const moved = old.some((each) => platformFolder(each.before) !== platformFolder(successorOf(each, objects)?.after ?? {}));
  const inNewNamespace: Step[] =
    next === namespace
      ? []
      : [
          { phase: "before", text: `Create namespace ${next} if it does not exist.` },
          { phase: "before", text: `Store the age key in namespace ${next}.`, command: `meshops bootstrap ${environment} --run` },
        ];
  return {
    risk: "data-loss",
    reason:
      "the Kustomization of the component gets another name or namespace. When the root Kustomization deletes the old Kustomizations, Flux also deletes the objects that the old Kustomizations applied, including the policies and the control plane. The Kustomizations with the new names or namespaces then create these objects again",
    steps: [
      ...inNewNamespace,
      suspendFirst("the old Kustomizations", old),
      ...(moved ? moveFolder(environment) : []),
      sharedPush,
      ...(moved ? [pathOfRoot(environment)] : []),
      {
        text: "Wait until the new Kustomizations are ready. They take over the objects of the old Kustomizations.",
        command: `meshops status ${environment} --watch`,
      },
    ],
  };
}

function otherAccount({ after }: ChangedObject, environment: string): Assessment {
  const account = at(after, "spec", "serviceAccountName");
  if (account === undefined)
    return {
      risk: "stalled-rollout",
      reason:
        "after this change, Flux applies the objects with the rights of its controllers. If the multi-tenancy lockdown of Flux is enabled, Flux uses the service account named default instead. This service account does not have the required rights, so Flux changes nothing",
    };
  return {
    risk: "stalled-rollout",
    reason: `after this change, Flux applies the objects with the rights of the service account ${String(account)}. If the service account does not exist or lacks a right, Flux changes nothing`,
    prerequisites: [
      {
        phase: "before",
        text: "Before you push, check the service account with the following command. If the service account is missing, the command prints the commands that create the service account.",
        command: `meshops bootstrap ${environment} --run`,
      },
    ],
    steps: [
      sharedPush,
      { text: "Wait until Flux has applied the commit.", command: `meshops status ${environment} --watch`, phase: "last" },
    ],
  };
}

function movedFolder(environment: string): Assessment {
  return {
    risk: "stalled-rollout",
    reason:
      "after this change, Flux reads the files of the environment from another folder of the Git repository. If the root Kustomization still applies the old folder, Flux reports that the folder is missing, and changes nothing",
    steps: [...moveFolder(environment), sharedPush, pathOfRoot(environment)],
  };
}

function moveFolder(environment: string): Step[] {
  return [
    {
      text: "If you have not done so, move the folder of the platform repository. If the spec contains gitops.root, also change spec.path of the Kustomization that gitops.root specifies, in the same commit.",
    },
    {
      text: `If flux bootstrap git created the file flux/${environment}/flux-system/gotk-sync.yaml, change spec.path of the Kustomization in this file in the same commit. Otherwise, Flux sets the path of the root Kustomization back to the old folder.`,
    },
  ];
}

function pathOfRoot(environment: string): Step {
  return {
    text: "If the spec does not contain gitops.root, change the path of the root Kustomization.",
    command: `MESHOPS_TAKE_OVER=yes meshops bootstrap ${environment} --run`,
  };
}

function otherSource({ after }: ChangedObject, environment: string): Assessment {
  const { kind, name, namespace } = at(after, "spec", "sourceRef") as { kind: string; name: string; namespace?: string };
  const place = namespace === undefined ? "" : ` in namespace ${namespace}`;
  return {
    risk: "stalled-rollout",
    reason: `after this change, Flux reads the files of the environment from ${kind} ${name}${place}. Until this object exists and contains the files, Flux changes nothing`,
    prerequisites: [{ phase: "before", text: `Before you push, check that ${kind} ${name}${place} is ready.` }],
    steps: [{ text: "Wait until Flux has applied the new revision.", command: `meshops status ${environment} --watch` }],
  };
}
