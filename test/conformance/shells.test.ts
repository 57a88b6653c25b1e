import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { withProgram } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/* Tests command-line completion in real shells. The expected proposals include the environments of this repository. */
let env: Record<string, string>;

beforeAll(() => {
  const bin = scratchFolder("bin");
  writeTree(bin, { meshops: `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, "dist/cli.js")}' "$@"\n` });
  chmodSync(join(bin, "meshops"), 0o755);
  env = { PATH: `${bin}:${process.env["PATH"]}`, HOME: scratchFolder("home"), TERM: "dumb" };
});

/** Command lines up to the cursor, each with all words that the shell must propose. */
const cases: [line: string, words: string[]][] = [
  ["meshops gen", ["generate"]],
  ["meshops generate ", ["base", "dev", "production"]],
  ["meshops generate dev p", ["production"]],
  ["meshops identity rotate-", ["rotate-anchor", "rotate-issuer", "rotate-webhooks"]],
  ["meshops diff --output ", ["json", "markdown", "text"]],
  ["meshops diff --fr", ["--from"]],
  ["meshops help hel", ["helmfile", "help"]],
  ["meshops validate --linkerd edge-26", ["edge-26.8.3"]],
  ["meshops -C test/stories/diagnostics/client-image graph ", ["dev"]],
  ["meshops --directory=test/stories/diagnostics/client-image graph ", ["dev"]],
];

withProgram("bash", "completion in bash", () => {
  test.each(cases)("%s", async (line, words) => {
    // Splits the line as bash does: at spaces, and before and after `=`.
    const typed = line.split(/ |(?<==)|(?==)/);
    const script = `source <(meshops completion bash); COMP_WORDS=(${typed.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${typed.length - 1}; _meshops; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = { stdout: await run("bash", ["-c", script], { cwd: projectRoot, env }) };
    expect(stdout.split("\n").filter(Boolean)).toEqual(words);
  });
});

withProgram("bash", "completion in bash, after =", () => {
  test.each([
    ["meshops diff --output = m", "markdown"],
    ["meshops diff --output =", "json markdown text"],
  ])("%s", async (line, words) => {
    expect(await run("meshops", ["complete", "--", ...line.split(" ").slice(1)], { cwd: projectRoot, env })).toBe(
      words
        .split(" ")
        .map((word) => `${word}\t\n`)
        .join(""),
    );
  });

  test("proposes the names of environments, but not the names of other files", async () => {
    const root = scratchFolder("names");
    writeTree(root, { "environments/dev.yaml": "", "environments/$(touch x).yaml": "" });
    expect(await run("meshops", ["complete", "--", "generate", ""], { cwd: root, env })).toBe("dev\tenvironment\n");
  });
});

withProgram("fish", "completion in fish", () => {
  test("completes an option and its value in one word", async () => {
    const stdout = await run("fish", ["-c", "meshops completion fish | source; complete -C 'meshops diff --output=m'"], {
      cwd: projectRoot,
      env,
    });
    expect(stdout.split("\t")[0]?.trim()).toBe("--output=markdown");
  });

  test.each(cases)("%s", async (line, words) => {
    const stdout = await run("fish", ["-c", `meshops completion fish | source; complete -C '${line}'`], {
      cwd: projectRoot,
      env,
    });
    expect(
      stdout
        .split("\n")
        .filter(Boolean)
        .map((found) => found.split("\t")[0]),
    ).toEqual(words);
  });

  test("proposes files if the option expects a path", async () => {
    const stdout = await run("fish", ["-c", "meshops completion fish | source; complete -C 'meshops validate --manifests sch'"], {
      cwd: projectRoot,
      env,
    });
    expect(stdout).toContain("schema/");
  });
});

withProgram("zsh", "completion in zsh", () => {
  test("on a terminal, completes a single match; if there are several matches, lists them with descriptions", async () => {
    const shell = spawn("script", ["-qec", "zsh -f -i", "/dev/null"], { cwd: projectRoot, env: { ...process.env, ...env } });
    try {
      shell.stdin.write("PS1=; autoload -U compinit; compinit -u -D; source <(meshops completion zsh); echo REA''DY\n");
      await shows(shell, /READY/);
      shell.stdin.write("meshops generate d\t");
      await shows(shell, /meshops generate dev /);
      shell.stdin.write("\u0015meshops identity rotate-\t\t");
      await shows(shell, /rotate-issuer +-- create a new issuer/);
      shell.stdin.write("\u0015meshops diff --output m\t");
      await shows(shell, /--output markdown /);
    } finally {
      shell.kill();
    }
  }, 30_000);
});

/** Waits until the terminal has printed a text that matches the pattern. @throws after 15 seconds */
function shows(shell: ChildProcess, wanted: RegExp): Promise<void> {
  let seen = "";
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`the terminal shows ${JSON.stringify(seen)}, not ${wanted}`)), 15_000);
    const look = (text: string): void => {
      seen += text;
      if (!wanted.test(seen)) return;
      clearTimeout(late);
      shell.stdout?.off("data", look);
      done();
    };
    shell.stdout?.setEncoding("utf8").on("data", look);
  });
}
