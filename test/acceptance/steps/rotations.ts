import type { Measure, Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";
import { expectVerified } from "./install.ts";
import { timedUnderLoad, underLoad } from "./under-load.ts";

function rotation(name: "webhooks" | "issuer"): Step {
  return {
    id: `rotate-${name}`,
    title: `meshops identity rotate-${name}, under load`,
    after: ["first-sync"],
    async run(story) {
      return underLoad(story, async () => {
        await rotate(story, `rotate-${name}`);
        await expectVerified(story, "--only", "M");
      });
    },
  };
}

async function rotate(story: Story, ...command: readonly [string, ...string[]]): Promise<void> {
  const [name, ...flags] = command;
  await story.meshops("identity", name, environmentName, ...flags);
  await story.meshops("generate", environmentName);
  await story.sync(`identity ${name}`);
}

export const rotateWebhooks: Step = rotation("webhooks");
export const rotateIssuer: Step = rotation("issuer");

/**
 * Runs the three steps of a trust anchor rotation. All meshed pods must restart after each of these three steps. The
 * load client is a meshed pod, so `restart` restarts it after each step.
 */
export const rotateAnchor: Step = {
  id: "rotate-anchor",
  title: "the three steps of meshops identity rotate-anchor, under load",
  after: ["first-sync"],
  async run(story) {
    const measures: Measure[] = [];
    for (const step of [1, 2, 3])
      measures.push(
        ...(await timedUnderLoad(`step ${step}`, story, async (restart) => {
          await rotate(story, "rotate-anchor", "--pods-restarted");
          await restart();
          await expectVerified(story, "--only", "M");
        })),
      );
    return measures;
  },
};
