import type { Colors } from "picocolors/types.js";
import type { FieldChange, Procedure, Step } from "../../components/change-rule.ts";
import { highestOf, type Risk, risks } from "../../components/risk-levels.ts";
import { accessKind } from "../../diff/access-kind.ts";
import type { AssessedChange } from "../../diff/diff.ts";
import { combineProcedures, separateCommits } from "../../diff/procedure.ts";
import { certificatesIn, fingerprint } from "../../identity/pem.ts";
import { groupBy } from "../../system/data.ts";
import { plural, printable } from "../../system/text.ts";
import { wrap } from "../terminal/wrap.ts";

const signs = { added: "+", removed: "-", changed: "~" } as const;

/** Maximum number of changed fields per object in the text output. The JSON output contains all changed fields. */
const shownFields = 12;

/** Returns the text output, in which the changes are grouped by environment. */
export function diffText(changes: readonly AssessedChange[], colors: Colors): string {
  return [...byEnvironment(changes)].map(([environment, own]) => `${section(environment, own, colors)}\n`).join("\n");
}

function section(environment: string, changes: readonly AssessedChange[], colors: Colors): string {
  const title = `${colors.bold(titleOf(environment))}  ${summary(changes)}`;
  const blocks = groups(changes).map((group) => {
    const [{ reason }] = group;
    const objects = heads(group).flatMap(({ sign, text, risk, fields }) => {
      const mark = { added: colors.green, removed: colors.red, changed: colors.yellow }[sign](signs[sign]);
      const more = fields.length - shownFields;
      return [
        `${mark} ${text.padEnd(52)} ${paint(risk, colors)(risk)}`,
        ...fields.slice(0, shownFields).map((field) => `    ${fieldText(field, colors)}`),
        ...(more > 0 ? [`    and ${plural(more, "field")} more`] : []),
      ];
    });
    const reasons = reason.split("\n").flatMap((each) => paragraph(each));
    return [...objects, colors.dim(reasons.join("\n"))].join("\n");
  });
  return [title, ...blocks, ...procedureLines(changes, colors)].join("\n");
}

/** Returns the procedures of a change. */
function proceduresOf({ risk, reason, steps, procedures = [{ risk, reason, steps }] }: AssessedChange): readonly Procedure[] {
  return procedures;
}

/**
 * Returns the lines with the steps for all changes of an environment. If the changes need separate commits, returns the
 * order of the commits instead.
 */
function procedureLines(changes: readonly AssessedChange[], colors: Colors): string[] {
  const combined = combineProcedures(changes.flatMap(proceduresOf));
  if (combined.kind === "one") return stepLines(titleOfSteps(changes), combined.steps, colors);
  return [
    ...paragraph(separateCommits.text),
    ...commitOrder(combined.procedures).flatMap((effect, index) => paragraph(`${index + 1}. ${effect}`, "   ")),
  ];
}

function titleOfSteps(changes: readonly AssessedChange[]): string {
  return `To make ${changes.filter(({ steps }) => steps.length > 0).length === 1 ? "this change" : "these changes"}`;
}

/**
 * Returns one text per commit, in the order in which the user must make the commits. Each text contains the risk and
 * the effect of its commit.
 */
function commitOrder(procedures: readonly Procedure[]): string[] {
  return [...new Set(procedures.map(({ risk, reason }) => `${risk}: ${reason.split(/[.;\n] ?/)[0]}`))];
}

/**
 * Returns the lines of an indented paragraph, without control characters.
 *
 * @param hanging additional indentation of all lines but the first
 */
function paragraph(text: string, hanging: string = ""): string[] {
  return wrap(printable(text), "    ", undefined, hanging);
}

function stepLines(what: string, steps: readonly Step[], colors: Colors): string[] {
  if (steps.length === 0) return [];
  const lines = steps.flatMap(({ text, command }, index) => [
    ...paragraph(`${index + 1}. ${text}`, "   "),
    ...(command === undefined ? [] : [colors.cyan(`         ${command}`)]),
  ]);
  return [`    ${what}${usesContext(steps)}:`, ...lines, ...(usesFlux(steps) ? paragraph(withHelmfile) : [])];
}

/**
 * Returns a note for the user if one of the steps contains a kubectl or helm command without a context. Otherwise,
 * returns an empty text.
 */
function usesContext(steps: readonly Step[]): string {
  const without = steps.some(({ command = "" }) => /\b(kubectl|helm) (?!.*--(kube-)?context )/.test(command));
  return without ? " (commands use the current kubectl context)" : "";
}

/** Note for users who install with helmfile. The steps are written for Flux. */
const withHelmfile =
  "With helmfile, run helmfile sync instead of the push, and skip the steps and commands for Kustomizations and HelmReleases (meshops help helmfile).";

/** Whether the steps contain a push, or a command for an object of Flux. */
function usesFlux(steps: readonly Step[]): boolean {
  return steps.some(({ phase, command = "" }) => phase === "push" || /\b(kustomization|helmrelease)\b/.test(command));
}

type Group = readonly [AssessedChange, ...AssessedChange[]];

/** Groups the changes that have the same risk, reason and steps. The groups are in the order of their first changes. */
function groups(changes: readonly AssessedChange[]): Group[] {
  const found = groupBy(changes, ({ risk, reason, steps }) => JSON.stringify([risk, reason, steps]));
  return [...found.values()] as unknown as Group[];
}

interface Head {
  readonly sign: AssessedChange["change"];
  readonly text: string;
  readonly risk: Risk;
  readonly fields: readonly FieldChange[];
}

/**
 * Maximum number of added objects of a group that the output lists individually. The same maximum applies to removed
 * objects. For more objects, the output contains only the number and the kinds of the objects. The JSON output contains
 * all objects.
 */
const shownObjects = 6;

const shownKinds = 4;

/**
 * Returns one line per object of a group. For more than `shownObjects` added objects, returns a single line with the
 * number of these objects instead. The same applies to removed objects.
 */
function heads(group: Group): Head[] {
  const [{ risk }] = group;
  const counted = (["added", "removed"] as const).filter(
    (sign) => group.filter(({ change }) => change === sign).length > shownObjects,
  );
  const counts = counted.map((sign): Head => {
    const kinds = groupBy(
      group.filter(({ change }) => change === sign),
      ({ kind }) => kind,
    );
    const byKind = [...kinds].sort(([, a], [, b]) => b.length - a.length).map(([kind, all]) => `${all.length} ${kind}`);
    const others = byKind.length > shownKinds ? [...byKind.slice(0, shownKinds), "…"] : byKind;
    const total = [...kinds.values()].reduce((sum, all) => sum + all.length, 0);
    return { sign, text: `${plural(total, "object")} (${others.join(", ")})`, risk, fields: [] };
  });
  const single = group.filter(({ change }) => change === "changed" || !counted.includes(change));
  return [...single.map((change) => ({ sign: change.change, text: nameOf(change), risk, fields: change.fields })), ...counts];
}

function paint(risk: Risk, colors: Colors): (text: string) => string {
  const weight = risks.indexOf(risk);
  return weight === 0 ? colors.dim : weight <= risks.indexOf("narrower-access") ? colors.yellow : colors.red;
}

/**
 * Returns the JSON output:
 * `[{environment,kind,namespace,name,change,risk,reason,steps:[{text,command}],fields:[{path,before,after}]}]`.
 * `command` is null if a step has no command. `before` is null if the field did not exist before the change. `after` is
 * null if the field does not exist after the change.
 */
export function diffJson(changes: readonly AssessedChange[]): string {
  const rows = changes.map(({ fields, steps, ...change }) => ({
    ...change,
    steps: steps.map(({ text, command = null }) => ({ text, command })),
    fields: fields.map(({ path, before = null, after = null }) => ({ path, before, after })),
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** Returns the Markdown output, for a comment on a pull request. */
export function diffMarkdown(changes: readonly AssessedChange[], from: string): string {
  if (changes.length === 0) return `meshops: no changes compared with ${code(from)}.\n`;
  const sections = [...byEnvironment(changes)].map(([environment, own]) => {
    const rows = groups(own).map((group) => {
      const [{ risk, reason }] = group;
      const objects = heads(group).map(({ sign, text }) => `${signs[sign]} ${cell(text)}`);
      return `| **${risk}** | ${objects.join("<br>")} | ${reason.split("\n").map(cell).join("<br>")} |`;
    });
    const combined = combineProcedures(own.flatMap(proceduresOf));
    const procedures =
      combined.kind === "separate"
        ? [
            `\n\n${separateCommits.text}\n\n${commitOrder(combined.procedures)
              .map((effect, index) => `${index + 1}. ${cell(effect)}`)
              .join("\n")}`,
          ]
        : combined.steps.length === 0
          ? []
          : [markdownProcedure(titleOfSteps(own), combined.steps)];
    const table = ["| risk | object | reason |", "|---|---|---|", ...rows].join("\n");
    const fields = own.flatMap((change) => change.fields.map((field) => `${nameOf(change)}\n  ${fieldText(field, null)}`));
    const fence = "`".repeat(Math.max(3, ...fields.flatMap((text) => [...text.matchAll(/`+/g)].map(([run]) => run.length + 1))));
    const details =
      fields.length === 0
        ? ""
        : `\n\n<details><summary>${plural(fields.length, "field")}</summary>\n\n${fence}text\n${fields.join("\n")}\n${fence}\n\n</details>`;
    return `#### ${cell(titleOf(environment))}: ${summary(own)}\n\n${table}${procedures.join("")}${details}`;
  });
  return `### meshops: ${summary(changes)} (compared with ${code(from)})\n\n${sections.join("\n\n")}\n`;
}

function markdownProcedure(what: string, steps: readonly Step[]): string {
  const note = usesFlux(steps) ? `\n\n${withHelmfile}` : "";
  return `\n\n${what}${usesContext(steps)}:\n\n${markdownSteps(steps)}${note}`;
}

function markdownSteps(steps: readonly Step[]): string {
  return steps
    .map(({ text, command }, index) => {
      const shell = command === undefined ? "" : `\n   \`\`\`sh\n   ${command}\n   \`\`\``;
      return `${index + 1}. ${cell(text)}${shell}`;
    })
    .join("\n");
}

/** Returns a text with the number of changes per risk, such as `3 objects change: 1 immutable-field, 2 harmless`. */
export function summary(all: readonly AssessedChange[]): string {
  const changes = all.filter(({ kind }) => kind !== accessKind);
  const access = all.filter(({ kind }) => kind === accessKind);
  const counts = [...risks].reverse().flatMap((risk) => {
    const count = changes.filter((change) => change.risk === risk).length;
    return count === 0 ? [] : [`${count} ${risk}`];
  });
  const verb = changes.length === 1 ? "changes" : "change";
  const objects =
    changes.length === 0 ? "no generated object changes" : `${plural(changes.length, "object")} ${verb}: ${counts.join(", ")}`;
  const directions = (["wider-access", "narrower-access"] as const).filter((risk) => access.some((each) => each.risk === risk));
  return directions.length === 0 ? objects : `${objects}; client access: ${directions.join(", ")}`;
}

/** Returns the highest risk of the changes. */
export function highestRisk(changes: readonly AssessedChange[]): Risk {
  return highestOf(changes.map(({ risk }) => risk));
}

function byEnvironment(changes: readonly AssessedChange[]): ReadonlyMap<string, readonly AssessedChange[]> {
  return groupBy(changes, ({ environment }) => environment);
}

function titleOf(environment: string): string {
  return environment === "" ? "all environments" : printable(environment);
}

function nameOf({ kind, namespace, name }: AssessedChange): string {
  return printable(`${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`.trim());
}

function fieldText({ path, before, after }: FieldChange, colors: Colors | null): string {
  const oldText = before === undefined ? null : valueText(before);
  const newText = after === undefined ? null : valueText(after);
  const name = colors === null ? printable(path) : colors.cyan(printable(path));
  if (oldText === null) return `${name}: + ${newText ?? ""}`;
  return newText === null ? `${name}: - ${oldText}` : `${name}: ${oldText} → ${newText}`;
}

/**
 * Returns a value as one line of text. Replaces each certificate with the first 12 digits of its fingerprint. Truncates
 * values with more than 100 characters.
 */
function valueText(value: unknown): string {
  const certificates = typeof value === "string" ? certificatesIn(value) : [];
  if (certificates.length > 0)
    return certificates.map((certificate) => `certificate ${fingerprint(certificate).slice(0, 12)}`).join(" + ");
  const text = typeof value === "string" && value !== "" ? value.replace(/\s+/g, " ") : JSON.stringify(value);
  const plain = printable(text).replace(/\b[0-9a-f]{64}\b/g, (hash) => hash.slice(0, 12));
  return plain.length > 100 ? `${plain.slice(0, 99)}…` : plain;
}

function cell(text: string): string {
  return text.replace(/[\\|<>*_`[\]]/g, "\\$&").replace(/\s+/g, " ");
}

function code(text: string): string {
  return `\`${text.replaceAll("`", "'")}\``;
}
