import type { Measure, Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";

/**
 * Installs everything for the first time. Before the installation starts, a pod without a proxy starts to call all
 * ports of Dgraph. The step fails if one of these calls is answered.
 */
export const firstSync: Step = {
  id: "first-sync",
  title: "install everything, while a pod without a proxy tries to connect to Dgraph",
  after: ["identity"],
  missing: ({ record }) => record.linkerdImages,
  async run(story) {
    const { load, options } = story;
    await load.start("probe", story.dgraphAddresses);
    const began = Date.now();
    if (options.engine === "flux") await story.meshops("bootstrap", environmentName, "--run", "--context", options.context);
    await story.sync("the first commit");
    const ready = Math.round((Date.now() - began) / 1000);
    const { tries, answered } = await load.probed();
    await load.stop("probe");
    const measures: Measure[] = [
      ["everything ready", `${ready} s`],
      ["tries of the pod without a proxy", String(tries)],
    ];
    const open = Object.entries(answered).map(([address, count]) => `${address} answered ${count} times`);
    if (open.length > 0) throw new Error(`Dgraph answered a pod without a proxy: ${open.join("; ")}`);
    return measures;
  },
};

interface VerifyReport {
  readonly tests: readonly { id: string; title: string; status: string; seen: string; cause: string | null }[];
}

/** Status and cause of each test of `meshops verify`, keyed by the id of the test. */
export type Verified = Readonly<Record<string, { readonly status: string; readonly cause: string }>>;

/** Runs `meshops verify`, and returns the results of all tests. Does not throw if a test fails. */
export async function verified(story: Story, ...args: readonly string[]): Promise<Verified> {
  const { tests } = await story.report<VerifyReport>("verify", ...args);
  return Object.fromEntries(tests.map(({ id, status, seen, cause }) => [id, { status, cause: cause ?? seen }]));
}

/** Runs `meshops verify`. Returns the ids of the passed and skipped tests. @throws if a test fails or is undecided */
export async function expectVerified(story: Story, ...args: readonly string[]): Promise<readonly Measure[]> {
  const tests = Object.entries(await verified(story, ...args));
  const bad = tests.filter(([, { status }]) => status === "failed" || status === "undecided");
  if (bad.length > 0) throw new Error(bad.map(([id, { status, cause }]) => `${id} ${status}: ${cause}`).join("\n"));
  const ids = (wanted: string): string => tests.flatMap(([id, { status }]) => (status === wanted ? [id] : [])).join(" ");
  return [
    ["verify: passed", ids("passed")],
    ["verify: skipped", ids("skipped")],
  ];
}

/**
 * A step whose tests start probes needs `--client-image`. Returns the reason why the step cannot run if this option is
 * missing; otherwise null.
 */
export function withoutClientImage({ options }: Story): string | null {
  return options.clientImage === null ? "the probes of meshops verify need an image: set --client-image" : null;
}

export const verify: Step = {
  id: "verify",
  title: "meshops verify --baseline --write",
  after: ["first-sync"],
  missing: withoutClientImage,
  // `--baseline` adds the test T0. T0 suspends a Kustomization of Flux, and then removes the policies. With helmfile,
  // no Kustomization exists, so T0 cannot run.
  run: (story) => expectVerified(story, ...(story.options.engine === "flux" ? ["--baseline"] : []), "--write"),
};
