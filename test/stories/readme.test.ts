import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/** What each transcript in the README changes in the sample spec before its commands run. */
const edits: Readonly<Record<string, readonly [file: string, from: string, to: string]>> = {
  typo: ["environments/dev.yaml", "mirrorImages: true", "mirorImages: true"],
  change: ["environments/dev.yaml", "  secrets:", "  dgraph: {alpha: {replicas: 6}}\n  secrets:"],
};

describe("the README's transcripts are what happens", () => {
  const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
  const transcripts = [...readme.matchAll(/<!-- transcript: (\w+) -->\n```console\n([\s\S]*?)```/g)].map(
    ([, name, text]) => [name ?? "", text ?? ""] as const,
  );

  test("there are some", () => expect(transcripts.map(([name]) => name)).toEqual(Object.keys(edits)));

  test.each(transcripts)("%s", async (name, text) => {
    const root = scratchFolder("readme");
    for (const path of ["environments", "bases", "overlays", "flux", "helmfile.yaml", ".meshops"])
      cpSync(join(projectRoot, path), join(root, path), { recursive: true });
    const [file, from, to] = edits[name] ?? ["", "", ""];
    const before = readFileSync(join(root, file), "utf8");
    expect(before).toContain(from);
    writeFileSync(join(root, file), before.replace(from, to));
    const [command = "", ...expected] = text.split("\n");
    const args = command.replace("$ npx meshops ", "");
    const output = await run("sh", ["-c", `NO_COLOR=1 node "${projectRoot}dist/cli.js" ${args} 2>&1; :`], { cwd: root });
    expect(output.trimEnd()).toBe(expected.join("\n").trimEnd());
  });
});
