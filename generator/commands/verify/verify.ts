import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { placementOf } from "../../bundle/emit/placement.ts";
import { curlImage } from "../../catalog/addons.ts";
import { mirroredName, reference } from "../../catalog/image.ts";
import { connect } from "../../cluster/connection.ts";
import { chosen, noImage, type Test, targetOf, testsOf } from "../../cluster/verify/tests.ts";
import { verify } from "../../cluster/verify/verify.ts";
import { modelOf } from "../../components/build.ts";
import type { Model } from "../../components/model.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { type ConnectionFlags, connectionOf, soleEnvironment } from "../kubeconfig.ts";
import { type CommonOptions, loadOne, repositoryIn } from "../load.ts";
import { html, junit, reportOf, resultLine, summaryLine } from "./render-tests.ts";

export interface VerifyFlags extends Omit<CommonOptions, "output">, ConnectionFlags {
  readonly output: "text" | "json" | "junit";
  readonly fluxNamespace?: string;
  readonly only?: string;
  readonly baseline: boolean;
  readonly write: boolean;
  readonly keepProbes: boolean;
  readonly probeTimeout: number;
  readonly image?: string;
  readonly report?: string;
}

/**
 * `meshops verify [env]`: tests the health of the mesh, the access to the services, and the traffic that tap reports.
 * Exits with 1 if a test failed or is undecided.
 */
export async function runVerify(names: readonly string[], flags: VerifyFlags, io: Io): Promise<number> {
  const repository = repositoryIn(io, flags.directory);
  const environment = loadOne(io, repository, names[0] ?? soleEnvironment(repository));
  const model = modelOf(environment);
  const only = testsIn(flags.only, testsOf(model));
  const image = flags.image ?? environment.spec.verify.image ?? probeImageOf(model);
  if (image === null && flags.only !== undefined) refuseProbes(model, only);
  const cluster = await connect(connectionOf(io, environment, flags));
  const { baseline, write, keepProbes: keep, probeTimeout: seconds, fluxNamespace } = flags;
  const abort = new AbortController();
  const stop = (): void => {
    io.stderr.write(keep ? "stopping\n" : "stopping: deleting the test objects in the cluster\n");
    abort.abort();
  };
  const noLongerStop = io.onSignals(["SIGINT", "SIGTERM"], stop);
  const live = flags.output === "text" ? io.stdout : io.stderr;
  const { colors } = live;
  try {
    const results = await verify(cluster, model, {
      ...{ image, only, baseline, write, keep, seconds },
      curlImage: mirroredName(reference(curlImage), model.mirror),
      placement: placementOf(environment, fluxNamespace),
      signal: abort.signal,
      onResult: (result) => live.write(resultLine(result, colors)),
      onStep: (step) => io.stderr.write(`${step}\n`),
    });
    const report = reportOf(environment.metadata.name, results);
    if (flags.output === "json") io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    if (flags.output === "junit") io.stdout.write(junit(report));
    if (flags.report !== undefined)
      writeReport(resolve(io.cwd, flags.report), await html(report, cluster.context, io.now().toISOString(), targetOf(model)));
    live.write(summaryLine(report, colors));
    return report.passed ? exitCode.ok : exitCode.problem;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    io.stderr.write("stopped\n");
    return exitCode.interrupted;
  } finally {
    noLongerStop();
  }
}

function testsIn(words: string | undefined, tests: readonly Test[]): ReadonlySet<string> {
  if (words === undefined) return new Set(tests.map(({ id }) => id));
  const found = chosen(
    words
      .split(",")
      .map((word) => word.trim())
      .filter(Boolean),
    tests,
  );
  if (found !== null && found.size > 0) return found;
  throw new UserError(
    exitCode.usage,
    `--only ${words} does not match any test`,
    `use one or more of ${tests.map(({ id }) => id).join(", ")}`,
  );
}

/**
 * Returns the image that a component provides for the probe pods. This image contains the tools that the probe pods
 * need. Returns null if no component provides such an image.
 */
function probeImageOf({ components }: Model): string | null {
  const image = components.find(({ probeImage }) => probeImage !== null)?.probeImage ?? null;
  return image === null ? null : `${image.name}:${image.tag}`;
}

/**
 * Throws an error if one of the selected tests needs a probe pod. The caller calls this function if no image for the
 * probe pods is known.
 *
 * @throws UserError (usage) if a selected test needs a probe pod
 */
function refuseProbes(model: Model, only: ReadonlySet<string>): void {
  const refused = testsOf(model).filter(({ id, needsProbe }) => needsProbe && only.has(id));
  if (refused.length === 0) return;
  throw new UserError(exitCode.usage, `${refused.map(({ id }) => id).join(", ")} cannot run: ${noImage.seen}`, noImage.fix);
}

function writeReport(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UserError(exitCode.missing, `cannot write the report ${path}: ${(error as Error).message}`);
  }
}
