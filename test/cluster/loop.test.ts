import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testIdentity } from "../support/platform.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster } from "./harness/cluster.ts";
import { makeGitPlatform, type Platform } from "./harness/platform.ts";

describe("loop", () => {
  let cluster: Cluster;
  let platform: Platform;
  beforeAll(async () => {
    platform = await makeGitPlatform();
    const charts = await clusterCharts();
    cluster = await Cluster.start({
      repository: platform.root,
      environment: platform.environment,
      ageKey: testIdentity().clusterKey,
      charts,
    });
  });
  afterAll(() => cluster.stop(), 20000);
  test("comes up", async () => {
    const t = Date.now();
    await cluster.bootstrap();
    const revision = await cluster.git.publish();
    try {
      await cluster.settled(revision, 45);
    } catch (e) {
      console.log(String(e), cluster.plane.processes.log("kustomize-controller").slice(-1500));
      for (const h of await cluster.api.list("/apis/helm.toolkit.fluxcd.io/v2/helmreleases"))
        console.log(h.metadata.name, JSON.stringify(h["status"]?.conditions)?.slice(0, 600));
      throw e;
    }
    console.log("ready in", Date.now() - t, [...cluster.webhooks.calls]);
  });
});
