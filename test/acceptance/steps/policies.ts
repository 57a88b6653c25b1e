import type { Measure, Step } from "../step.ts";
import type { Story } from "../story.ts";
import { expectVerified, verified, withoutClientImage } from "./install.ts";
import { timedUnderLoad, underLoad } from "./under-load.ts";

/**
 * Sets `networkPolicy: false`, and removes the policies from the cluster. With helmfile, the release of the policies
 * must be uninstalled by hand (docs/access.md).
 */
async function policiesOff(story: Story): Promise<void> {
  const { namespace } = story.environment.spec.dgraph;
  await story.edit({ dgraph: { networkPolicy: false } });
  if (story.options.engine === "helmfile") {
    await story.kubectl.run(["delete", "servers.policy.linkerd.io", "--all", "--namespace", namespace]);
    const { context } = story.options;
    await story.run("helm", ["uninstall", "dgraph-policy", "--namespace", namespace, "--kube-context", context]);
  }
  await story.sync("no policies");
}

async function policiesOn(story: Story): Promise<void> {
  await story.edit({ dgraph: { networkPolicy: true } });
  await story.sync("the policies");
}

export const policyOffAndOn: Step = {
  id: "policy-off-and-on",
  title: "networkPolicy: false and true again, under load",
  after: ["first-sync"],
  missing: withoutClientImage,
  async run(story) {
    return underLoad(story, async () => {
      await policiesOff(story);
      const { T0 } = await verified(story, "--only", "T0");
      if (T0?.status !== "passed")
        throw new Error(
          `without policies, a pod without a proxy must be able to connect to Dgraph, but test T0 did not pass: ${T0?.cause}`,
        );
      await policiesOn(story);
      await expectVerified(story, "--only", "T1,T2");
    });
  },
};

/**
 * Changes `internalPorts` to `mesh`, to `skip`, and then to `opaque`. For the last change, the step follows the
 * procedure in docs/access.md.
 */
export const internalPorts: Step = {
  id: "internal-ports",
  title: "internalPorts: mesh, then skip, then opaque by the documented procedure, under load",
  after: ["first-sync"],
  async run(story) {
    const measures: Measure[] = [];
    for (const mode of ["mesh", "skip"])
      measures.push(
        ...(await timedUnderLoad(mode, story, async () => {
          await story.edit({ dgraph: { internalPorts: mode } });
          await story.sync(`internalPorts: ${mode}`);
        })),
      );
    const back = await timedUnderLoad("from skip to opaque", story, async () => {
      await policiesOff(story);
      await story.edit({ dgraph: { internalPorts: "opaque" } });
      await story.sync("internalPorts: opaque");
      await policiesOn(story);
    });
    return [...measures, ...back];
  },
};
