import { dgraphName } from "../../../generator/components/dgraph/names.ts";
import type { Measure } from "../step.ts";
import type { Story } from "../story.ts";

/**
 * Runs an action while the load client calls Alpha's Service. Returns the number of failed calls, and the first 50
 * failed calls.
 *
 * @param action function that receives a function `restart`, and calls `restart` when the load client needs a new proxy
 * @throws NotRun if the load client does not run
 */
export async function underLoad(
  story: Story,
  action: (restart: () => Promise<void>) => Promise<void>,
): Promise<readonly Measure[]> {
  const { dgraph, linkerd } = story.environment.spec;
  const host = `${dgraphName(story.environment, "alpha")}.${dgraph.namespace}.svc.${linkerd.clusterDomain}`;
  const { calls, failed, failures } = await story.load.during(host, action);
  return [["failed calls", `${failed} of ${calls}`], ...failures.slice(0, 50).map((each): Measure => ["failed call", each])];
}

/**
 * Calls `underLoad`, and adds the duration of this call to the result, as the first figure.
 *
 * @param name name of the first figure
 */
export async function timedUnderLoad(
  name: string,
  ...[story, action]: Parameters<typeof underLoad>
): Promise<readonly Measure[]> {
  const began = Date.now();
  const measures = await underLoad(story, action);
  return [[name, `${Math.round((Date.now() - began) / 1000)} s`], ...measures];
}
