import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { diagnosticAtPath } from "../../diagnostics/source.ts";
import { groupOf, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { workloadOf } from "../../kubernetes/workload.ts";
import { groupBy } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import type { ManifestFiles } from "../manifest-files.ts";

/**
 * Objects whose content the rules do not read, although these objects can change which clients can connect to pods, or
 * whether pods are injected.
 */
export interface NotChecked {
  /** Short description of the objects, such as `the values of 2 HelmReleases`. */
  readonly what: string;
  readonly objects: readonly Manifest[];
}

/** API groups whose policies the rules do not read. */
const policyGroups = ["cilium.io", "projectcalico.org", "crd.projectcalico.org", "policy.networking.k8s.io"];

/** Returns the objects whose content the rules do not read, grouped by kind. */
export function notChecked(objects: readonly Manifest[]): NotChecked[] {
  const valued = objects.filter(
    (object) => object.kind === "HelmRelease" && (specOf(object)["values"] ?? specOf(object)["valuesFrom"]) !== undefined,
  );
  const others = objects.filter(
    (object) =>
      (policyGroups.includes(groupOf(object.apiVersion)) && object.kind.endsWith("Policy")) ||
      // The rules check the pod template of a Rollout.
      (groupOf(object.apiVersion) === "argoproj.io" && workloadOf(object) === null),
  );
  return [
    ...(valued.length === 0 ? [] : [{ what: `the values of ${plural(valued.length, "HelmRelease")}`, objects: valued }]),
    ...[...groupBy(others, ({ kind }) => kind)].map(([kind, own]) => ({
      what: plural(own.length, kind, kind.replace(/y$/, "ies").replace(/([^s])$/, "$1s")),
      objects: own,
    })),
  ];
}

/**
 * Returns one silenced finding per object whose content the rules do not read. The text output of `validate` does not
 * contain these findings. The other output formats contain them.
 */
export function notCheckedFindings(found: readonly NotChecked[]): Diagnostic[] {
  return found.flatMap(({ objects }) =>
    objects.map((object): Diagnostic => {
      const values = object.kind === "HelmRelease";
      const message = values
        ? "the values of this HelmRelease were not checked, because its chart was not rendered"
        : `objects of kind ${object.kind} are not checked`;
      const fix = values ? "render the chart with helm template, and check the output" : null;
      const silenced = "no rule checks this content";
      const statement = { code: "not-checked", severity: "warning", message, fix, expected: null, silenced } as const;
      return diagnosticAtPath(object.source, [...object.at, "kind"], "value", statement);
    }),
  );
}

/**
 * Returns descriptions of the folders that `readManifestFiles` skipped: one for chart templates, and one for hidden
 * folders. Each description has a silenced finding. The position of the finding is the first of these folders.
 */
export function skippedFolders({ templates, hidden }: ManifestFiles): { what: string; finding: Diagnostic }[] {
  const of = ([first]: readonly string[], what: string, message: string, fix: string) =>
    first === undefined ? [] : [{ what, finding: skippedFolder(first, message, fix) }];
  return [
    ...of(
      templates,
      `the templates of ${plural(templates.length, "chart")}`,
      `the templates of ${plural(templates.length, "chart")} were not checked`,
      "render the chart with helm template, and check the output",
    ),
    ...of(
      hidden,
      plural(hidden.length, "hidden folder"),
      `the files in ${plural(hidden.length, "hidden folder")} were not checked`,
      "run meshops validate --manifests for each hidden folder",
    ),
  ];
}

function skippedFolder(file: string, message: string, fix: string): Diagnostic {
  const silenced = "no rule checks this content";
  const place = { file, line: 1, column: 1, excerpt: null };
  return { ...place, code: "not-checked", severity: "warning", message, fix, expected: null, silenced: silenced };
}
