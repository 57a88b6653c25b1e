import type { Document } from "yaml";
import { append } from "../../kubernetes/edit.ts";
import type { Judged } from "../../lint/manifests.ts";
import { sourceOf } from "../../spec/value-source.ts";
import { folderOf } from "../../system/text.ts";
import type { Addition, Note } from "../change.ts";
import { readInjection } from "../config.ts";
import { transform } from "../transform.ts";
import { type Answer, answer } from "./output.ts";
import { placeOf } from "./place.ts";
import { placed, type ResourceList } from "./resource-list.ts";
import { about, fieldPath, type Result, resultOf } from "./result.ts";

/** The transformer: injects the items that pass by, by a MeshInjection. */
export function injectList(list: ResourceList): Answer {
  const { injection, diagnostics } = readInjection(sourceOf(list.functionConfig, "functionConfig"));
  if (injection === null)
    return answer(
      list.text,
      diagnostics.map((diagnostic) => resultOf(diagnostic, list.functionConfig)),
    );
  const indexes = new Map<string, number>();
  const result = transform(list.text, injection, ([document], addition) => add(document, addition, indexes));
  const results = [
    ...result.diagnostics.map((diagnostic) => resultOf(diagnostic, null)),
    ...(result.selected === 0 ? [{ message: "no workload was selected: nothing is injected", severity: "info" } as const] : []),
    ...result.notes.map(noteResult),
    ...result.judged.map(judgedResult),
  ];
  return answer(result.text, results);
}

/** Policies stand in a file beside that of the workload. */
function add(document: Document | undefined, { object, beside }: Addition, indexes: Map<string, number>): void {
  if (document === undefined) return;
  const folder = folderOf(placeOf(beside.value)?.path ?? "");
  const path = `${folder === "" ? "" : `${folder}/`}${beside.name}-mesh.yaml`;
  const index = indexes.get(path) ?? 0;
  indexes.set(path, index + 1);
  append(document, ["items"], {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...placed(path, index) } },
  });
}

function noteResult({ manifest, path, severity, message }: Note): Result {
  return { message, severity, ...about(manifest.value), field: { path: fieldPath(path) } };
}

/** A rule's word is a warning here: the objects are somebody's, and passing by. */
function judgedResult({ manifest, path, statement: { code, message, fix, silenced } }: Judged): Result {
  return {
    message: fix === null ? message : `${message}; fix: ${fix}`,
    severity: silenced === undefined ? "warning" : "info",
    ...about(manifest.value),
    field: { path: fieldPath(path) },
    tags: { code },
  };
}
