import Handlebars from "handlebars";
import type { Options } from "./options.ts";
import type { Step, StepResult } from "./step.ts";

/** Number of steps with each status. */
export interface Totals {
  readonly all: number;
  readonly passed: number;
  readonly failed: number;
  readonly notRun: number;
}

export function totalsOf(results: readonly StepResult[]): Totals {
  const of = (status: StepResult["status"]): number => results.filter((result) => result.status === status).length;
  return { all: results.length, passed: of("passed"), failed: of("failed"), notRun: of("not run") };
}

/** Returns one line, such as `3 of 20 steps ran: 3 passed, 0 failed. 17 steps did not run`. */
export function summary(results: readonly StepResult[]): string {
  const { all, passed, failed, notRun } = totalsOf(results);
  return `${passed + failed} of ${all} steps ran: ${passed} passed, ${failed} failed. ${notRun} steps did not run`;
}

const markdownTemplate = Handlebars.compile(
  `{{summary}}.

# Acceptance run

| | |
|---|---|
| context | {{context}} |
| engine | {{engine}} |
| end | {{when}} |

| step | result | seconds |
|---|---|---|
{{#each rows}}
| {{id}}: {{title}} | {{status}} | {{seconds}} |
{{/each}}
{{#each rows}}

## {{id}}

{{title}}: **{{status}}**

{{#if message}}
\`\`\`text
{{message}}
\`\`\`
{{/if}}
{{#each measures}}
- {{this.[0]}}: {{this.[1]}}
{{/each}}
{{/each}}
`,
  { noEscape: true },
);

/** Returns the report in Markdown. The first line of the report is the text that `summary` returns. */
export function markdown(options: Options, steps: readonly Step[], results: readonly StepResult[], when: Date): string {
  const { context, engine } = options;
  const rows = rowsOf(steps, results);
  const text = markdownTemplate({ summary: summary(results), context, engine, when: when.toISOString(), rows });
  return text.replaceAll(/\n{3,}/g, "\n\n");
}

const junitTemplate = Handlebars.compile(
  `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="meshops acceptance {{context}}" tests="{{totals.all}}" failures="{{totals.failed}}" skipped="{{totals.notRun}}">
{{#each rows}}
    <testcase classname="{{../engine}}" name="{{id}}" time="{{seconds}}">
{{#if isFailed}}
      <failure message="{{title}}">{{message}}</failure>
{{/if}}
{{#if isNotRun}}
      <skipped message="{{message}}"/>
{{/if}}
      <system-out>{{#each measures}}{{this.[0]}}: {{this.[1]}}
{{/each}}</system-out>
    </testcase>
{{/each}}
  </testsuite>
</testsuites>
`,
);

/** Returns the report in JUnit's XML format. */
export function junit(options: Options, steps: readonly Step[], results: readonly StepResult[]): string {
  const { context, engine } = options;
  return junitTemplate({ context, engine, totals: totalsOf(results), rows: rowsOf(steps, results) });
}

function rowsOf(steps: readonly Step[], results: readonly StepResult[]): object[] {
  return results.map((result) => ({
    ...result,
    title: steps.find(({ id }) => id === result.id)?.title ?? "",
    seconds: result.seconds.toFixed(1),
    isFailed: result.status === "failed",
    isNotRun: result.status === "not run",
  }));
}
