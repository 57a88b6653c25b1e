import type { Colors } from "picocolors/types.js";
import { allPassed, type TestResult } from "../../cluster/verify/result.ts";
import type { AccessTarget } from "../../components/check.ts";
import type { CheckStatus } from "../../components/check-result.ts";
import { fillTemplate } from "../../system/html.ts";
import { programFolder } from "../../system/program-folder.ts";
import { toSvg } from "../graph/svg.ts";
import { type Mark, markText, paintMark } from "../terminal/marks.ts";
import { accessGraph } from "./picture.ts";

/** Result of one run of `meshops verify`. */
export interface VerifyReport {
  readonly environment: string;
  readonly passed: boolean;
  readonly tests: readonly TestResult[];
}

export function reportOf(environment: string, tests: readonly TestResult[]): VerifyReport {
  return { environment, passed: allPassed(tests), tests };
}

const marks: Readonly<Record<CheckStatus, Mark>> = { passed: "ok", failed: "failed", skipped: "waiting", undecided: "open" };

/**
 * Returns the result of a test as text. If the test failed or is undecided, the next lines contain the reasons, the fixes
 * and the evidence.
 */
export function resultLine(result: TestResult, colors: Colors): string {
  const { id, title, status, seen, problems, evidence, notes, durationMs } = result;
  const time = durationMs >= 1000 ? ` ${(durationMs / 1000).toFixed(1)} s` : "";
  const head = `${paintMark(marks[status], colors)} ${id.padEnd(3)} ${title.padEnd(50)} ${colors.dim(`${seen}${time}`)}`;
  const remarks = notes.map((note) => `       note: ${note}`);
  if (status === "passed" || status === "skipped") return [head, ...remarks, ""].join("\n");
  return [
    head,
    ...problems.flatMap(({ reason, fix }) => [
      ...(reason === undefined ? [] : [`       reason: ${reason}`]),
      ...(fix === undefined ? [] : [`       fix: ${fix}`]),
    ]),
    ...evidence.map((line) => colors.dim(`       ${line}`)),
    ...remarks,
    "",
  ].join("\n");
}

export function summaryLine({ environment, passed, tests }: VerifyReport, colors: Colors): string {
  const count = (status: CheckStatus): number => tests.filter((test) => test.status === status).length;
  const counts = (["passed", "failed", "undecided", "skipped"] as const).map((status) => `${count(status)} ${status}`).join(", ");
  return `${passed ? colors.green(environment) : colors.red(environment)}: ${counts}\n`;
}

/** Returns the results as JUnit XML for CI systems. In the XML, an undecided test is an error. */
export function junit(report: VerifyReport): string {
  const of = (status: CheckStatus): number => report.tests.filter((test) => test.status === status).length;
  const cases = report.tests.map((test) => ({ ...test, seconds: (test.durationMs / 1000).toFixed(3), [test.status]: true }));
  return rendered("junit.xml", {
    environment: report.environment,
    cases,
    failed: of("failed"),
    undecided: of("undecided"),
    skipped: of("skipped"),
  });
}

/**
 * Returns an HTML page with the access graph, the results and the evidence. The page needs no other files.
 *
 * @param target pods to which the clients of the access tests connect, or null if the environment has no such pods
 * @param when time of the run, in RFC 3339 format
 */
export async function html(report: VerifyReport, context: string, when: string, target: AccessTarget | null): Promise<string> {
  const graph = target === null ? null : accessGraph(report.tests, target);
  const rows = report.tests.map((test) => ({
    ...test,
    mark: markText(marks[test.status]),
    seconds: (test.durationMs / 1000).toFixed(1),
  }));
  return rendered("report.html", {
    ...report,
    rows,
    context,
    when,
    picture: graph === null ? "" : await toSvg([graph], graph.title),
  });
}

function rendered(name: string, view: object): string {
  return fillTemplate(new URL(`commands/verify/templates/${name}`, programFolder), view);
}
