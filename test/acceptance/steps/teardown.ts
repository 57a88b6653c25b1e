import { loadNamespace } from "../load/load.ts";
import type { Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";

export const teardown: Step = {
  id: "teardown",
  title: "meshops teardown; no namespace of the environment is left",
  after: ["first-sync"],
  async run(story) {
    await removeEnvironment(story);
    await story.kubectl.delete("namespace", loadNamespace);
    const wanted = ["dgraph", "linkerd", "linkerd-viz", loadNamespace];
    await story.until("the namespaces are gone", 300, async () => {
      const names = (await story.kubectl.list("namespaces")).map(({ metadata }) => metadata.name);
      const left = wanted.filter((name) => names.includes(name));
      if (left.length > 0) throw new Error(`these namespaces are left: ${left.join(", ")}`);
      return true;
    });
    return [];
  },
};

/** Runs the teardown of the environment. */
export async function removeEnvironment(story: Story): Promise<void> {
  await story.meshops("teardown", environmentName, "--run", "--yes", "--context", story.options.context);
}
