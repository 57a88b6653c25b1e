import { asKubectl, readAs } from "../../kubernetes/documents.ts";
import { objectsIn } from "../../kubernetes/read.ts";
import type { Edit } from "../../kubernetes/splice.ts";
import type { ObjectFinding } from "../../lint/manifests.ts";
import { valueSource } from "../../spec/value-source.ts";
import { folderOf } from "../../system/text.ts";
import type { Addition, Note } from "../change.ts";
import { readInjection } from "../config.ts";
import { injectDocuments } from "../transform.ts";
import { type Answer, answer } from "./output.ts";
import { placeOf } from "./place.ts";
import { placed, type ResourceList } from "./resource-list.ts";
import { about, fieldPath, type Result, resultOf } from "./result.ts";

/**
 * Runs as a KRM transformer: applies the MeshInjection in `functionConfig` to the items of the list. Parses the values
 * of the items in the same way as kubectl.
 */
export function injectList(list: ResourceList): Answer {
  const { injection, diagnostics } = readInjection(valueSource(list.functionConfig, "functionConfig"));
  if (injection === null)
    return answer(
      list,
      diagnostics.map((diagnostic) => resultOf(diagnostic, list.functionConfig)),
    );
  const indexes = new Map<string, number>();
  const { document, text } = list;
  readAs(document, asKubectl);
  const manifests = { text, documents: [document], objects: objectsIn(document, "stdin", text) };
  const {
    text: injectedText,
    parsed,
    selected,
    notes,
    findings,
  } = injectDocuments(manifests, injection, (addition) => added(addition, indexes));
  const [injected = document] = parsed().documents;
  return answer({ ...list, text: injectedText, document: injected }, [
    ...(selected === 0
      ? [{ message: "the MeshInjection applies to no workload in the input, so nothing is injected", severity: "info" } as const]
      : []),
    ...notes.map(noteResult),
    ...findings.map(findingResult),
  ]);
}

/**
 * Returns the edit that appends a policy to the items of the list. The path annotation of the policy contains the path
 * of the file `<workload>-mesh.yaml` in the folder of the workload.
 *
 * @param indexes number of policies that were already added, by path
 */
function added({ object, workload }: Addition, indexes: Map<string, number>): Edit {
  const folder = folderOf(placeOf(workload.value)?.path ?? "");
  const path = `${folder === "" ? "" : `${folder}/`}${workload.name}-mesh.yaml`;
  const index = indexes.get(path) ?? 0;
  indexes.set(path, index + 1);
  const annotations = { ...object.metadata.annotations, ...placed(path, index) };
  return { op: "append", path: ["items"], value: { ...object, metadata: { ...object.metadata, annotations } } };
}

function noteResult({ manifest, path, severity, message }: Note): Result {
  return { message, severity, ...about(manifest.value), field: { path: fieldPath(path) } };
}

/**
 * Converts a finding to a result with the severity warning. An error also becomes a warning, because the user might be
 * unable to change the objects. If the finding is silenced, the severity of the result is info.
 */
function findingResult({ manifest, path, statement: { code, message, fix, silenced } }: ObjectFinding): Result {
  return {
    message: fix === null ? message : `${message}; fix: ${fix}`,
    severity: silenced === undefined ? "warning" : "info",
    ...about(manifest.value),
    field: { path: fieldPath(path) },
    tags: { code },
  };
}
