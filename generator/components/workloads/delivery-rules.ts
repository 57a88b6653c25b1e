import type { Environment, Workload } from "../../spec/environment.generated.ts";
import { basesFolder, environmentsFolder, fluxRootFolder, overlaysFolder } from "../../spec/layout.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { declaredPods } from "./entries.ts";
import { templateAnnotations } from "./proxy-patches.ts";

/** Rules about the delivery of `spec.workloads`. */
export const deliveryRules: readonly Rule[] = [
  {
    code: "workload-source",
    severity: "error",
    title: "The field `source` of a workload contains none of `chart`, `oci` and `path`, or more than one",
    why: "A workload comes from a chart repository, from an OCI registry, or from a folder of this repository. If several of the fields `chart`, `oci` and `path` are set, for example one in the base and one in the environment, meshops cannot determine which of these fields to use.",
    fix: "Set exactly one of `chart`, `oci` and `path`. To remove a field that the spec inherits, set it to `null`. If another tool delivers the workload, remove `source`.",
    check: sourceKinds,
  },
  {
    code: "workload-path",
    severity: "error",
    title: "The path of a workload is in a folder that meshops manages",
    why: "meshops reads and writes the folders environments, overlays, bases and flux. If these folders contained a workload's files, Flux would apply the files twice, or `generate` would overwrite the files.",
    fix: "Move the workload's files to a separate folder, such as apps/shop.",
    check: ownFolders,
  },
  {
    code: "workload-folder-shared",
    severity: "error",
    title: "Two workloads have the same folder and the same namespace",
    why: "Flux would apply each object in the folder twice. If you later remove one of the workloads, Flux deletes the objects, although the other workload still needs them.",
    fix: "Keep only one of the workloads, and describe all pods of the folder in the field `pods` of this workload. Or move the objects of one workload to a separate folder.",
    check: sharedFolders,
  },
  {
    code: "workload-field-unused",
    severity: "warning",
    title: "A field has no effect, because the workload does not set `source`",
    why: "Without `source`, another tool delivers the workload. meshops then writes only policies, and cannot set values, patch objects or suspend updates.",
    fix: "Remove the field, or add `source`.",
    check: unusedFields,
  },
  {
    code: "workload-ref-missing",
    severity: "error",
    title: "The spec does not specify the object that creates the pods",
    why: "meshops writes `inject` and `proxy` as annotations of the pod template. `workloadRef` specifies the object that contains this template. If an operator creates the pods, the workload contains no object with this template.",
    fix: "Add `workloadRef`. If an operator creates the pods, use `inject: inherited`, and enable injection in the namespace or in the operator's custom resource.",
    check: missingReferences,
  },
];

const kinds = ["chart", "oci", "path"] as const;

function* sourceKinds(environment: Environment): Iterable<RuleFinding> {
  for (const [key, { source }] of Object.entries(environment.spec.workloads)) {
    if (source === undefined) continue;
    const set = kinds.filter((kind) => source[kind] !== undefined);
    if (set.length === 1) continue;
    yield {
      paths:
        set.length === 0
          ? [spec("workloads", key, "source")]
          : set.slice(1).map((kind) => spec("workloads", key, "source", kind)),
      part: "key",
      message:
        set.length === 0
          ? `the field source of the workload ${key} contains none of the fields chart, oci and path`
          : `the field source of the workload ${key} contains more than one of the fields chart, oci and path: ${set.join(", ")}`,
      fix:
        set.length === 0
          ? `remove the field source, or add one of the fields ${kinds.join(", ")}`
          : `remove ${set.slice(1).join(" and ")}`,
    };
  }
}

function* ownFolders(environment: Environment): Iterable<RuleFinding> {
  const own = [environmentsFolder, overlaysFolder, basesFolder, fluxRootFolder];
  for (const [key, { source }] of Object.entries(environment.spec.workloads)) {
    const folder = own.find((each) => source?.path?.split("/")[0] === each);
    if (folder === undefined) continue;
    yield {
      paths: [spec("workloads", key, "source", "path")],
      message: `meshops uses the folder ${folder} for its own files, so a workload cannot use this folder`,
      fix: `move the files to apps/${key}, then set path: apps/${key}`,
    };
  }
}

function* sharedFolders(environment: Environment): Iterable<RuleFinding> {
  const seen = new Map<string, string>();
  for (const [key, { namespace, source }] of Object.entries(environment.spec.workloads)) {
    if (source?.path === undefined) continue;
    const place = `${namespace} ${source.path}`;
    const first = seen.get(place);
    seen.set(place, first ?? key);
    if (first === undefined) continue;
    const moved = source.path === `apps/${key}` ? first : key;
    yield {
      paths: [spec("workloads", moved, "source", "path")],
      message: `the workloads ${first} and ${key} have the same folder and the same namespace`,
      fix: `move the objects of ${moved} to apps/${moved}, then set path: apps/${moved}`,
    };
  }
}

function* unusedFields(environment: Environment): Iterable<RuleFinding> {
  for (const [key, workload] of Object.entries(environment.spec.workloads)) {
    if (workload.source !== undefined) continue;
    for (const field of fieldsWithValues(workload))
      yield {
        paths: [spec("workloads", key, field)],
        part: "key",
        message: `the field ${field} of the workload ${key} has no effect, because the workload does not set source`,
        fix: `remove the field ${field}, or add the field source`,
      };
  }
}

function fieldsWithValues({ values, valuesFrom, secrets, patches, timeout, suspend }: Workload): string[] {
  const set = {
    values: Object.keys(values).length > 0,
    valuesFrom: valuesFrom.length > 0,
    secrets: secrets.length > 0,
    patches: Object.keys(patches).length > 0,
    timeout: timeout !== undefined,
    suspend,
  };
  return Object.entries(set).flatMap(([field, isSet]) => (isSet ? [field] : []));
}

function* missingReferences(environment: Environment): Iterable<RuleFinding> {
  for (const { name, pods, set, at } of declaredPods(environment)) {
    const [workload = ""] = name.split("/");
    const patched = Object.keys(templateAnnotations(pods)).length > 0;
    if (!deliversWorkload(environment.spec.workloads[workload] ?? {}) || pods.workloadRef !== null || !patched) continue;
    yield {
      paths: [set.inject === "inherited" ? at("proxy") : at("inject"), at()],
      part: "key",
      message: `meshops cannot annotate the pods of ${name}, because workloadRef is missing`,
      fix: `set workloadRef: {kind: Deployment, name: ${name.replace("/", "-")}}, if this object contains the pod template`,
    };
  }
}
