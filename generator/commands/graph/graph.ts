import type { Model } from "../../components/model.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { repositoryIn } from "../load.ts";
import { renderEnvironments } from "../render-environments.ts";
import { compare, type Graph } from "./model.ts";
import { orderOf } from "./order.ts";
import { trafficOf } from "./traffic.ts";

interface GraphOptions {
  readonly directory: string;
  readonly output: "mermaid" | "svg" | "html";
  readonly show?: keyof typeof subjects;
}

const subjects: Readonly<Record<"order" | "traffic", (model: Model) => Graph>> = { order: orderOf, traffic: trafficOf };

/**
 * `meshops graph <env> [other]`: draws the startup order of an environment's components, and the clients that can
 * connect to its pods. If the user specifies two environments, draws the graphs of both and marks the differences.
 */
export async function graph(names: readonly string[], { directory, output, show }: GraphOptions, io: Io): Promise<number> {
  const [first, second] = names;
  if (first === second)
    throw new UserError(
      exitCode.usage,
      "both arguments specify the same environment",
      "specify one environment, or two different environments",
    );
  const rendered = renderEnvironments(io, repositoryIn(io, directory), names);
  if (rendered === null) return exitCode.problem;
  const models = names.flatMap((name) => rendered.find(({ model }) => model.environment.metadata.name === name)?.model ?? []);
  const wanted = show === undefined ? Object.values(subjects) : [subjects[show]];
  const groups = wanted.map((subject) => withDifferences(models.map(subject)));
  io.stdout.write(await draw(groups, names, output));
  return exitCode.ok;
}

/** Adds marks to two graphs, at the nodes and edges that differ. Returns a single graph unchanged. */
function withDifferences(graphs: readonly Graph[]): readonly Graph[] {
  const [a, b] = graphs;
  return a === undefined || b === undefined ? graphs : compare(a, b);
}

async function draw(
  groups: readonly (readonly Graph[])[],
  names: readonly string[],
  format: GraphOptions["output"],
): Promise<string> {
  const title = names.join(" and ");
  switch (format) {
    case "mermaid":
      return (await import("./mermaid.ts")).toMermaid(groups.flat());
    case "svg":
      return (await import("./svg.ts")).toSvg(groups.flat(), title);
    case "html":
      return (await import("./page.ts")).toPage(groups, names);
  }
}
