import type { Step } from "../step.ts";
import { expectVerified } from "./install.ts";
import { underLoad } from "./under-load.ts";

export const upgrade: Step = {
  id: "upgrade",
  title: "upgrade Linkerd, under load",
  after: ["first-sync"],
  missing: ({ options }) => (options.upgradeTo === null ? "--upgrade-to is not set" : null),
  async run(story) {
    const counted = await underLoad(story, async (restart) => {
      await story.edit({ linkerd: { version: story.options.upgradeTo } });
      await story.sync(`Linkerd ${story.options.upgradeTo}`);
      await restart();
    });
    return [...counted, ...(await expectVerified(story, "--only", "M"))];
  },
};
