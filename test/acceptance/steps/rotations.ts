import { measured } from "../load/load.ts";
import type { Measure, Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";
import { expectVerified } from "./install.ts";
import { alphaHost } from "./policies.ts";

function rotation(name: "webhooks" | "issuer"): Step {
  return {
    id: `rotate-${name}`,
    title: `meshops identity rotate-${name}, under load`,
    after: ["first-sync"],
    async run(story) {
      const counted = await story.load.during(alphaHost(story), async () => {
        await rotate(story, `rotate-${name}`);
        await expectVerified(story, "--only", "M");
      });
      return measured(counted);
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

/** Runs the three steps of a trust anchor rotation. The load client restarts after each step, as every meshed pod must. */
export const rotateAnchor: Step = {
  id: "rotate-anchor",
  title: "the three steps of meshops identity rotate-anchor, under load",
  after: ["first-sync"],
  async run(story) {
    const measures: Measure[] = [];
    for (const step of [1, 2, 3]) {
      const began = Date.now();
      const counted = await story.load.during(alphaHost(story), async (restart) => {
        await rotate(story, "rotate-anchor", "--pods-restarted");
        await restart();
        await expectVerified(story, "--only", "M");
      });
      measures.push([`step ${step}`, `${Math.round((Date.now() - began) / 1000)} s`], ...measured(counted));
    }
    return measures;
  },
};
