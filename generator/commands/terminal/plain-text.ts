import type { Colors } from "picocolors/types.js";
import { columns, wrap } from "./wrap.ts";

/**
 * Converts a page of the docs from Markdown to text for a terminal. Lines have at most 80 columns, but lines of code
 * are not wrapped. Each row of a table becomes a paragraph. The paragraph starts with the first cell. Each other cell
 * is on a separate line, after the heading of its column.
 */
export function plainText(markdown: string, colors: Colors): string {
  const blocks = blocksOf(markdown.replace(/^<!--.*-->\n/gm, ""));
  return `${blocks.map((block) => blockText(block, colors)).join("\n\n")}\n`;
}

/**
 * Splits a page into blocks: headings, tables, fenced code blocks, and other text. Removes the empty lines between
 * blocks, but keeps the empty lines in a fenced code block.
 */
function blocksOf(markdown: string): string[] {
  const blocks: string[][] = [[]];
  let fenced = false;
  for (const line of markdown.split("\n")) {
    const alone =
      !fenced && (line.trim() === "" || /^(#|```|\|)/.test(line) !== /^(#|```|\|)/.test(blocks.at(-1)?.at(-1) ?? line));
    if (alone) blocks.push([]);
    if (line.startsWith("```")) fenced = !fenced;
    if (fenced || line.trim() !== "") blocks.at(-1)?.push(line);
  }
  return blocks.map((lines) => lines.join("\n")).filter((block) => block !== "");
}

function blockText(block: string, colors: Colors): string {
  if (block.startsWith("```")) return block.split("\n").slice(1, -1).flatMap(codeLines).join("\n");
  if (block.startsWith("|")) return tableText(block, colors);
  const lines = block.split("\n");
  // Join the lines of a paragraph. Each heading and each list item starts a new paragraph.
  const starts = lines.flatMap((line, index) => (index === 0 || /^(#+ |\s*([-*]|[0-9]+\.) )/.test(line) ? [index] : []));
  return starts.flatMap((start, index) => paragraph(lines.slice(start, starts[index + 1]).join(" "), colors)).join("\n");
}

/**
 * Indents a line of code. If the line is too long and ends with a comment, moves this comment to separate lines before
 * the code.
 */
function codeLines(line: string): string[] {
  const indent = "  ";
  const [, code = "", comment = ""] = /^(.*\S)\s+# (.*)$/.exec(line) ?? [];
  if (indent.length + line.length <= columns || code === "") return [`${indent}${line}`.trimEnd()];
  return [...wrap(comment, `${indent}# `, columns, ""), `${indent}${code}`];
}

function paragraph(text: string, colors: Colors): string[] {
  if (text.startsWith("#")) return [colors.bold(inline(text.replace(/^#+ /, "")))];
  const [, indent = "", bullet = "", rest = text] = /^(\s*)((?:[-*]|[0-9]+\.) )?(.*)$/s.exec(text) ?? [];
  return wrap(`${bullet}${inline(rest.replaceAll(/\s+/g, " "))}`, indent, undefined, " ".repeat(bullet.length)).map((line) =>
    highlighted(line, colors),
  );
}

function tableText(block: string, colors: Colors): string {
  const [head = [], , ...rows] = block.split("\n").map(cellsOf);
  const lines = rows.map(([first = "", ...others]) => [
    ...wrap(inline(first), "", undefined, "  "),
    ...others.flatMap((cell, index) => {
      const heading = head[index + 1] ?? "";
      return cell === "" ? [] : wrap(inline(heading === "" ? cell : `${heading}: ${cell}`), "    ");
    }),
  ]);
  return lines.map((row) => row.map((line) => highlighted(line, colors)).join("\n")).join("\n");
}

function cellsOf(row: string): string[] {
  return row
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/**
 * Removes the Markdown syntax of links, bold text and line breaks. The text keeps the URL of a link if the URL starts
 * with `http:` or `https:`.
 */
function inline(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\((https?:[^)]*)\)/g, "$1 ($2)")
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/\*\*([^*]+)\*\*/g, "$1")
    .replaceAll("<br>", " ");
}

function highlighted(line: string, { cyan }: Colors): string {
  return line.replaceAll(/`([^`]+)`/g, (_, code: string) => cyan(code));
}
