import type { Colors } from "picocolors/types.js";
import type { NodeState, StatusNode } from "../../cluster/status/node.ts";
import { type Mark, paintMark } from "../terminal/marks.ts";
import { wrap, wrapCommand } from "../terminal/wrap.ts";

const marks: Readonly<Record<NodeState, Mark>> = {
  ready: "ok",
  progressing: "progress",
  waiting: "waiting",
  failed: "failed",
  suspended: "suspended",
  missing: "absent",
};

/**
 * Returns the tree of objects as text. A mark before each object shows its state, so that the text is readable without
 * color. For workloads that are ready, the text contains only their number, and not their names.
 */
export function renderStatus(nodes: readonly StatusNode[], colors: Colors): string {
  return nodes.flatMap((node) => lines(node, 0, colors)).join("\n");
}

function lines(node: StatusNode, depth: number, colors: Colors): string[] {
  const { state, kind, name, detail, cause, children } = node;
  const label = depth === 0 && kind === "Kustomization" ? name : `${kind} ${name}`;
  const margin = "  ".repeat(depth);
  const shown = state === "ready" && depth === 0 && !["Namespace", "Pods"].includes(kind) ? summary(node) : (detail ?? "");
  const head = `${paintMark(marks[state], colors)} ${margin}${label.padEnd(44 - margin.length)} ${colors.dim(shown)}`.trimEnd();
  const indent = `     ${margin}`;
  // Omit the cause of an object if it only refers to child objects, because the following lines contain the causes of
  // these child objects.
  const shownCause =
    cause === null || cause.code === "health" || children.some(({ kind }) => kind === "Pod")
      ? []
      : [
          ...wrap(cause.reason, indent),
          ...(cause.code === "dependency" || cause.code === "progressing" ? [] : fixLines(cause.fix, indent)),
        ];
  const below = ["ready", "waiting"].includes(state) ? children.filter((child) => child.state !== "ready") : children;
  return [
    head,
    ...shownCause.map((line) => (line.trimStart().startsWith("fix:") ? colors.cyan(line) : line)),
    ...below.flatMap((child) => lines(child, depth + 1, colors)),
  ];
}

function summary({ detail, children }: StatusNode): string {
  if (children.length === 0) return detail ?? "";
  const release = children.find(({ kind }) => kind === "HelmRelease");
  const workloads = children.filter(({ kind }) => !["HelmRelease", "HelmRepository", "OCIRepository"].includes(kind));
  const count = workloads.length === 0 ? "" : `${workloads.length} workload${workloads.length === 1 ? "" : "s"}`;
  const meshed = workloads.some((workload) => workload.detail?.includes("meshed")) ? ", meshed" : "";
  const chart = release?.detail ?? "";
  return [chart.replace(/^\S+ /, ""), `${count}${meshed}`].filter(Boolean).join(", ");
}

function fixLines(fix: string, indent: string): string[] {
  return fix.startsWith("kubectl ") ? wrapCommand(`fix: ${fix}`, indent) : wrap(`fix: ${fix}`, indent);
}
