import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { withTools } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { pathWith } from "../support/scaffold-readme.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

const workflows = join(projectRoot, ".github/workflows");

withTools(["actionlint"], "the workflows of this repository", () => {
  test.each(["ci.yml", "acceptance.yml"])("%s passes actionlint", async (name) => {
    const text = readFileSync(join(workflows, name), "utf8");
    // actionlint does not know the inputs of the newest versions of these actions. The older versions that actionlint
    // knows have the same inputs.
    const known = text
      .replace(/(actions\/(?:checkout|setup-node))@v7/g, "$1@v6")
      .replace(/(actions\/upload-artifact)@v7/g, "$1@v5");
    for (const input of [text, known]) await run(tool("actionlint"), ["-no-color", "-"], { cwd: projectRoot, input });
  });
});

/*
 * Runs the shell scripts of acceptance.yml. Stand-ins replace the programs that need a network or a container engine.
 * Each stand-in records its arguments. The test does not show that GitHub accepts and runs the workflow.
 */
test.each([
  ["known", "", "edge-25.10.7", "edge-26.8.3"],
  ["upstream", "", "edge-26.8.3", "edge-27.1.1"],
  ["upstream", "edge-26.1.1", "edge-25.10.7", "edge-26.1.1"],
])("the scripts of acceptance.yml, with matrix value %s and release input %j", async (linkerd, input, from, to) => {
  const { jobs } = parse(readFileSync(join(workflows, "acceptance.yml"), "utf8")) as {
    jobs: { acceptance: { steps: { name?: string; run?: string }[] } };
  };
  const folder = scratchFolder("workflow");
  mkdirSync(join(folder, "temp"));
  writeFileSync(join(folder, "env"), "");
  const record = (answer = ""): string => `echo "$(basename "$0") $*" >>"${folder}/calls"\n${answer}`;
  const path = pathWith({
    npm: record(),
    kind: record(),
    kubectl: record("echo pods"),
    gh: record("echo edge-27.1.1"),
    docker: record('if [ "$1" = network ]; then echo "fc00:f853:ccd:e793::1 172.18.0.1 "; fi'),
  });
  for (const { run: script } of jobs.acceptance.steps) {
    if (script === undefined) continue;
    const variables = readFileSync(join(folder, "env"), "utf8").trim().split("\n").filter(Boolean);
    const env = Object.fromEntries(variables.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
    const github = { GITHUB_ENV: join(folder, "env"), RUNNER_TEMP: join(folder, "temp"), LINKERD: linkerd, INPUT_RELEASE: input };
    await run("bash", ["-eo", "pipefail", "-c", script], { cwd: projectRoot, env: { ...env, ...github, PATH: path } });
  }
  const calls = readFileSync(join(folder, "calls"), "utf8").trim().split("\n");
  expect(calls.find((line) => line.startsWith("npm run acceptance"))).toBe(
    `npm run acceptance -- --context kind-acceptance --serve-git 172.18.0.1:8418 --client-image registry.local/pydgraph-client --release ${from} --upgrade-to ${to} --folder ${folder}/temp/acceptance`,
  );
  expect(calls.filter((line) => line.startsWith("kind "))).toEqual([
    "kind create cluster --name acceptance --wait 5m",
    "kind load docker-image registry.local/pydgraph-client:1.0.0 --name acceptance",
  ]);
  expect(readFileSync(join(folder, "temp/acceptance/pods.txt"), "utf8")).toBe("pods\n");
});
