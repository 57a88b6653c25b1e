/**
 * `npm run acceptance -- --context NAME`: runs all steps of the acceptance run on a real cluster. `--help` lists the
 * options. CONTRIBUTING.md describes the prerequisites.
 */
import { rmSync, writeFileSync } from "node:fs";
import { serveRepository } from "./git-server.ts";
import { loadNamespace } from "./load/load.ts";
import { type Options, optionsOf, UsageError, usage } from "./options.ts";
import { junit, markdown, summary, totalsOf } from "./report.ts";
import { runSteps } from "./runner.ts";
import { removeEnvironment } from "./steps/teardown.ts";
import { steps } from "./steps.ts";
import { hasPlatform, Story } from "./story.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    process.stdout.write(usage);
    return 0;
  }
  let options: Options;
  try {
    options = optionsOf(argv);
    const unknown = options.only.find((id) => !steps.some((step) => step.id === id));
    if (unknown !== undefined)
      throw new UsageError(`no step has the id ${unknown}; the steps are ${steps.map(({ id }) => id).join(", ")}`);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`acceptance: ${error.message}\nrun npm run acceptance -- --help for the options\n`);
    return 2;
  }
  const story = new Story(options);
  const server =
    options.serveGit === null || story.localRemote === null ? null : await serveRepository(story.localRemote, options.serveGit);
  try {
    return await (options.cleanUp ? cleanUp(story) : run(story));
  } finally {
    server?.close();
    server?.closeAllConnections();
  }
}

async function run(story: Story): Promise<number> {
  const { options } = story;
  let interrupted = false;
  process.on("SIGINT", () => {
    if (interrupted) process.exit(130); // the user has pressed Ctrl-C a second time
    interrupted = true;
    print(
      "interrupted: the run stops when the current step has ended and its fault is reverted; to stop immediately, press Ctrl-C again",
    );
  });
  await story.restorePlanted();
  const results = await runSteps(story, steps, print, () => interrupted);
  writeFileSync(options.report, markdown(options, steps, results, new Date()));
  writeFileSync(options.junit, junit(options, steps, results));
  const { failed, notRun } = totalsOf(results);
  print(`\n${summary(results)}\nreports: ${options.report} ${options.junit}`);
  if (notRun + failed > 0) print("run the same command again to resume, or add --clean-up to remove what the run created");
  return failed > 0 ? 1 : notRun > 0 ? 4 : 0;
}

/** Removes everything that an interrupted run created in the cluster. Also removes the folder of this run. */
async function cleanUp(story: Story): Promise<number> {
  const isTornDown = story.record.result("teardown")?.status === "passed";
  if (hasPlatform(story) && story.record.result("first-sync") !== undefined && !isTornDown) {
    await story.restorePlanted();
    await removeEnvironment(story);
  }
  await story.kubectl.run(["delete", "namespace", loadNamespace, "--ignore-not-found"]);
  rmSync(story.options.folder, { recursive: true, force: true });
  print("removed the environment, the namespace of the load client, and the folder of the run");
  return 0;
}
