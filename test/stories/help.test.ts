import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandUnknownOpts as Command } from "@commander-js/extra-typings";
import { describe, expect, test } from "vitest";
import { help, topics } from "../../generator/commands/help/help.ts";
import { withCurrentNames } from "../../generator/commands/old-names.ts";
import { createProgram } from "../../generator/commands/program.ts";
import { manifestRules } from "../../generator/lint/manifests.ts";
import { specRules } from "../../generator/lint/specs.ts";
import { meshops, testIo } from "../support/cli.ts";
import { projectRoot } from "../support/tools.ts";

/* Tests `meshops help`, which prints the docs. Also tests that the docs contain only existing commands and options. */
const pages = ["README.md", "bench/README.md", "generator/commands/init/templates/README.md.hbs", ...docs()];

function docs(): string[] {
  return readdirSync(join(projectRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`);
}

/** Returns the Markdown text of the docs page about a topic or a rule. */
function pageText(topic: string): string {
  const path = topic === "rules" ? "rules/README.md" : topics().includes(topic) ? `${topic}.md` : `rules/${topic}.md`;
  return readFileSync(join(projectRoot, "docs", path), "utf8");
}

const program = createProgram(testIo(projectRoot).io, () => {});

describe("meshops help", () => {
  test("lists commands and topics", async () => {
    const { code, stdout } = await meshops(projectRoot, ["help"]);
    expect(code).toBe(0);
    for (const topic of topics()) expect(stdout).toContain(topic);
    for (const command of visible(program)) expect(stdout).toContain(`\n  ${command.name()} `);
  });

  test.each([...new Set(["rules", ...topics(), ...[...specRules, ...manifestRules].map(({ code }) => code)])])(
    "prints the page of %s",
    (topic) => {
      const { io, out } = testIo(projectRoot);
      expect(help(program)([topic], io)).toBe(0);
      const shown = out.stdout;
      // The title of the page about a rule is the code of the rule.
      const [, title] = /^# (.*)$/m.exec(pageText(topic)) ?? [];
      // If a topic has the name of a command, the usage of the command is above the title.
      expect(`\n${shown}`).toContain(`\n${title}\n`);
      if (!topics().includes(topic) && topic !== "rules") expect(title).toBe(topic);
    },
  );

  test("explains every code of findings", () => {
    const union =
      /type DiagnosticCode =([^;]*);/.exec(readFileSync(join(projectRoot, "generator/diagnostics/diagnostic.ts"), "utf8"))?.[1] ??
      "";
    const codes = [...union.matchAll(/"([a-z0-9-]+)"/g)].map(([, code = ""]) => code);
    expect(codes.length).toBeGreaterThan(60);
    const { io } = testIo(projectRoot);
    const unexplained = codes.filter((code) => {
      try {
        return help(program)([code], io) !== 0;
      } catch {
        return true;
      }
    });
    expect(unexplained).toEqual([]);
  });

  test.each([
    [["network-policy-proxy-port"], 0, /^network-policy-proxy-port\n/],
    [["unknown-key"], 0, /^unknown-key\n\nThe schema does not define a key with this name/],
    [["access"], 0, /^Usage: meshops access [\s\S]*\nAccess to Dgraph\n/],
    [["identity", "rotate-anchor"], 0, /^Usage: meshops identity rotate-anchor/],
    // `diff` is a command and a topic. Therefore the usage of the command is printed before the page.
    [["diff"], 0, /^Usage: meshops diff[\s\S]*\n\n[A-Z].*\n\n/],
  ])("%j", async (words, code, shown) => {
    const finished = await meshops(projectRoot, ["help", ...words]);
    expect(finished).toMatchObject({ code, stderr: "" });
    expect(finished.stdout).toMatch(shown);
  });

  test("the help of every command fits in 80 columns, and does not print `default: false`", () => {
    const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
    const texts = all(program).map((command) => command.helpInformation());
    expect(texts.length).toBeGreaterThan(25);
    for (const text of texts) {
      expect(text).not.toContain("default: false");
      for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  test("the help of every topic is plain text, and fits in 80 columns except for lines of code", async () => {
    for (const topic of [...topics(), "rules", "network-policy-proxy-port"]) {
      const { stdout } = await meshops(projectRoot, ["help", topic]);
      for (const line of stdout.split("\n")) {
        const isCode = pageText(topic).includes(`\n${line.slice(2)}`);
        if (!isCode) expect(line.length, `${topic}: ${line}`).toBeLessThanOrEqual(80);
        expect(line, topic).not.toMatch(/^\||^#+ |^```|\]\(/);
      }
    }
  });

  test("a usage error of a command refers to the help of this command", async () => {
    expect((await meshops(projectRoot, ["identity", "init"])).stderr).toContain("fix: run meshops identity init --help");
    expect((await meshops(projectRoot, ["generate", "--chek"])).stderr).toContain("fix: run meshops generate --help");
    expect((await meshops(projectRoot, ["--chek"])).stderr).toContain("fix: run meshops --help");
  });

  test("for an unknown topic, suggests a topic with a similar name", async () => {
    const finished = await meshops(projectRoot, ["help", "idenity"]);
    expect(finished).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining('did you mean "identity"?') });
  });
});

describe("old names", () => {
  test.each([
    [
      ["identity", "export", "dev", "--age-key"],
      ["identity", "age-key", "dev"],
    ],
    [
      ["-C", "x", "identity", "rotate-anchor", "dev", "--force"],
      ["-C", "x", "identity", "rotate-anchor", "dev", "--pods-restarted"],
    ],
    [
      ["graph", "dev", "-fsvg"],
      ["graph", "dev", "-o", "svg"],
    ],
    [
      ["graph", "dev", "--format=html"],
      ["graph", "dev", "--output", "html"],
    ],
    [
      ["verify", "--keep", "--timeout", "9", "-n", "flux"],
      ["verify", "--keep-probes", "--probe-timeout", "9", "--flux-namespace", "flux"],
    ],
    [
      ["status", "--timeout", "9"],
      ["status", "--timeout", "9"],
    ],
    [
      ["profile", "--namespace", "x"],
      ["profile", "--namespace", "x"],
    ],
    [
      ["identity", "init", "dev", "--force"],
      ["identity", "init", "dev", "--force"],
    ],
    [
      ["graph", "--", "--format"],
      ["graph", "--", "--format"],
    ],
  ])("%j is converted to %j", (argv, current) => {
    const found = withCurrentNames(argv);
    expect(found.argv).toEqual(current);
    expect(found.notes.length > 0).toBe(argv.join() !== current.join());
    expect(withCurrentNames(current)).toEqual({ argv: current, notes: [] });
  });

  test("an old name is accepted, and meshops prints the new name to stderr", async () => {
    const finished = await meshops(projectRoot, ["graph", "dev", "--format", "svg"]);
    expect(finished).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^<svg /),
      stderr: "--format was renamed to --output. The old name still works, but meshops 0.3 will not accept it\n",
    });
  });
});

describe("the docs", () => {
  const lines = pages.flatMap((page) =>
    commandLines(readFileSync(join(projectRoot, page), "utf8")).map((line) => ({ page, line })),
  );

  test("contain command lines", () => {
    expect(lines.length).toBeGreaterThan(60);
  });

  test("contain only commands, subcommands and options that exist", () => {
    const wrong = lines.flatMap(({ page, line }) => unknownIn(line).map((word) => `${page}: ${word} in "${line}"`));
    expect(wrong).toEqual([]);
  });

  test("mention every command", () => {
    const named = new Set(lines.map(({ line }) => line.split(" ")[0]));
    expect(
      visible(program)
        .map((command) => command.name())
        .filter((name) => !named.has(name)),
    ).toEqual([]);
  });

  test("link only to files that exist", () => {
    for (const page of pages.filter((path) => path.endsWith(".md"))) {
      const text = readFileSync(join(projectRoot, page), "utf8");
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
        expect(
          () => readFileSync(join(projectRoot, page, "..", target.replace(/\/$/, "/README.md"))),
          `${page}: ${target}`,
        ).not.toThrow(/ENOENT/);
    }
  });
});

function visible(command: Command): Command[] {
  return command.commands.filter((sub) => sub.name() !== "complete");
}

/**
 * Returns the arguments of each `meshops` command in the code of a Markdown text. The arguments end at a comment, at a
 * pipe or at the end of the line. In a code block that contains findings, the word `meshops` starts a command only
 * after the word `run`. For example, the sentence "meshops generates this value" is not a command.
 */
function commandLines(text: string): string[] {
  const fences = text.replace(/^```(?!sh|console|text)\w+\n.*?^```$/gms, "");
  const code = [...fences.matchAll(/^```\w*\n(.*?)^```|`([^`\n]+)`/gms)].map(([, block, inline]) => block ?? inline ?? "");
  return code
    .flatMap(
      (part) => (/^\S+:\d+:\d+ (?:error|warning) /m.test(part) ? part.match(/(?<=run )meshops .*/g) : part.split("\n")) ?? [],
    )
    .flatMap((line) => [...line.matchAll(/(?:^|[\s(;&|])(?:npx (?:--no )?|\$ npx )?meshops ([a-z][^#|;&)]*)/g)])
    .map(([, rest = ""]) => rest.replace(/[…\s]+$/, ""));
}

/**
 * Returns the arguments that look like a subcommand or an option of meshops, but do not exist. Ignores placeholders
 * such as `<env>`, and ignores values.
 */
function unknownIn(line: string): string[] {
  let command = program as Command;
  const wrong: string[] = [];
  for (const [index, word] of line.split(/\s+/).entries()) {
    const sub = command.commands.find((known) => known.name() === word);
    if (word.startsWith("-")) {
      const all = [...command.options, ...program.options].flatMap(({ short, long }) => [short, long]);
      if (![...all, "--help", "--version"].includes(word.split("=")[0] ?? "") && word !== "--" && word !== "-") wrong.push(word);
    } else if (sub !== undefined) command = sub;
    else if (index === 0 || (command.commands.length > 0 && /^[a-z-]+$/.test(word))) wrong.push(word);
  }
  return wrong;
}
