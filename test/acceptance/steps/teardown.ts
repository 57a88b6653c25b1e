import { until } from "../../cluster/harness/processes.ts";
import { loadNamespace } from "../load/load.ts";
import type { Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";

export const teardown: Step = {
  id: "teardown",
  title: "meshops teardown keeps only Dgraph's volumes; the run then deletes these volumes",
  after: ["first-sync"],
  async run(story) {
    await story.meshops("teardown", environmentName, "--run", "--yes", "--context", story.options.context);
    const { namespace } = story.environment.spec.dgraph;
    await gone(story, ["linkerd", "linkerd-viz"]);
    const pods = (await story.kubectl.list("pods")).filter(({ metadata }) => metadata.namespace === namespace);
    if (pods.length > 0)
      throw new Error(
        `after meshops teardown, namespace ${namespace} still contains these pods: ${pods.map(({ metadata }) => metadata.name).join(", ")}`,
      );
    const claims = (await story.kubectl.list("persistentvolumeclaims")).filter(
      ({ metadata }) => metadata.namespace === namespace,
    );
    await removeNamespaces(story);
    return [["volume claims that teardown kept", String(claims.length)]];
  },
};

/** Runs `meshops teardown`, and then deletes Dgraph's namespace with its data and the namespace of the load client. */
export async function removeEnvironment(story: Story): Promise<void> {
  await story.meshops("teardown", environmentName, "--run", "--yes", "--context", story.options.context);
  await removeNamespaces(story);
}

/**
 * Deletes Dgraph's namespace with its volume claims, which teardown keeps. Also deletes the load client's namespace.
 */
async function removeNamespaces(story: Story): Promise<void> {
  const names = [story.environment.spec.dgraph.namespace, loadNamespace];
  for (const name of names) await story.kubectl.delete("namespace", name);
  await gone(story, names);
}

async function gone(story: Story, wanted: readonly string[]): Promise<void> {
  await until(
    "the namespaces have been deleted",
    async () => {
      const names = (await story.kubectl.list("namespaces")).map(({ metadata }) => metadata.name);
      const left = wanted.filter((name) => names.includes(name));
      if (left.length > 0) throw new Error(`these namespaces still exist: ${left.join(", ")}`);
      return true;
    },
    300,
  );
}
