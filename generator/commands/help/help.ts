import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { programFolder } from "../../system/program-folder.ts";
import { capital } from "../../system/text.ts";
import type { Io } from "../io.ts";
import { plainText } from "../terminal/plain-text.ts";

const docs = new URL("../docs/", programFolder);

/**
 * `meshops help [topic…]`: prints the usage of a command, the page of a topic, or the explanation of a finding code.
 */
export function help(program: CommandUnknownOpts): (words: readonly string[], io: Io) => number {
  return (words, io) => {
    const [first, ...others] = words;
    if (first === undefined) {
      io.stdout.write(
        `${program.helpInformation()}\nTopics: ${topics().join(", ")},\nand the code of each finding, such as network-policy-proxy-port\n`,
      );
      return exitCode.ok;
    }
    const command = commandAt(program, words);
    const page = others.length === 0 ? pageOf(first) : null;
    if (command === null && page === null)
      throw new UserError(
        exitCode.usage,
        `no help for "${words.join(" ")}"`,
        didYouMean(first, [
          ...topics(),
          ...rules(),
          ...findings().map(({ code }) => code),
          ...program.commands.map((known) => known.name()),
        ]) ?? "run meshops help",
      );
    const usage = command === null ? "" : command.helpInformation();
    io.stdout.write([usage, page === null ? "" : plainText(page, io.stdout.colors)].filter(Boolean).join("\n"));
    return exitCode.ok;
  };
}

/** Returns the names of the topics. Each page in docs/ is a topic. The pages in docs/rules/ are not topics. */
export function topics(): string[] {
  return pagesIn(docs);
}

function rules(): string[] {
  return pagesIn(new URL("rules/", docs)).filter((name) => name !== "README");
}

function pagesIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .map((file) => basename(file, ".md"))
    .sort();
}

function pageOf(topic: string): string | null {
  const path =
    topic === "rules"
      ? "rules/README.md"
      : topics().includes(topic)
        ? `${topic}.md`
        : rules().includes(topic)
          ? `rules/${topic}.md`
          : null;
  return path === null ? findingOf(topic) : readFileSync(new URL(path, docs), "utf8");
}

/**
 * Returns the explanation of a finding code as Markdown. The explanation is from the table in docs/findings.md, which
 * contains the codes that have no page in docs/rules/. Returns null if the table does not contain the code.
 */
function findingOf(code: string): string | null {
  const found = findings().find((row) => row.code === code);
  return found === undefined ? null : `# ${code}\n\n${found.meaning}.\n\n**How to fix.** ${found.fix}.\n`;
}

function findings(): { code: string; meaning: string; fix: string }[] {
  const rows = readFileSync(new URL("findings.md", docs), "utf8").matchAll(/^\| `([a-z-]+)` \| (.*) \| (.*) \|$/gm);
  return [...rows].map(([, code = "", meaning = "", fix = ""]) => ({ code, meaning: capital(meaning), fix: capital(fix) }));
}

function commandAt(program: CommandUnknownOpts, words: readonly string[]): CommandUnknownOpts | null {
  let command = program;
  for (const word of words) {
    const sub = command.commands.find((known) => known.name() === word);
    if (sub === undefined) return null;
    command = sub;
  }
  return command;
}
