import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { blocksIn } from "../support/docs.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

const spec = readFileSync(join(projectRoot, "environments/dev.yaml"), "utf8");
const [mesh = "", web = ""] = ["mesh.yaml", "web.yaml"].map((file) => blocksIn("README.md").get(`file: ${file}`));

/**
 * Files for each transcript in the README. The test writes these files into a copy of the sample repository, and then
 * runs the command of the transcript.
 */
const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  change: { "environments/dev.yaml": spec.replace("  secrets:", "  dgraph: {alpha: {replicas: 6}}\n  secrets:") },
  typo: { "environments/dev.yaml": spec.replace("mirrorImages: true", "mirorImages: true") },
  inject: { "mesh.yaml": mesh, "web.yaml": web },
};

describe("the README's transcripts match the output", () => {
  const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
  const transcripts = [...readme.matchAll(/<!-- transcript: (\w+) -->\n```console\n([\s\S]*?)```/g)].map(
    ([, name, text]) => [name ?? "", text ?? ""] as const,
  );

  test("the test finds all transcripts", () => expect(transcripts.map(([name]) => name)).toEqual(Object.keys(files)));

  test.each(transcripts)("%s", async (name, text) => {
    const root = scratchFolder("readme");
    for (const path of ["environments", "bases", "clients", "overlays", "flux", "helmfile.yaml", ".meshops"])
      cpSync(join(projectRoot, path), join(root, path), { recursive: true });
    writeTree(root, files[name] ?? {});
    const [command = "", ...expected] = text.split("\n");
    const script = command.replace("$ npx meshops", `NO_COLOR=1 node "${projectRoot}dist/cli.js" 2>&1`);
    const output = await run("sh", ["-c", `${script}; :`], { cwd: root });
    expect(output.trimEnd()).toBe(expected.join("\n").trimEnd());
  });
});

test("the README's diagram is the output of `meshops graph`", async () => {
  const { stdout } = await meshops(projectRoot, ["graph", "dev", "--show", "traffic"]);
  const [diagram = ""] = /```mermaid\n[\s\S]*?```\n/.exec(stdout) ?? [];
  expect(diagram).not.toBe("");
  expect(readFileSync(join(projectRoot, "README.md"), "utf8").includes(diagram), `README.md should hold\n${diagram}`).toBe(true);
});
