import { afterAll, beforeAll, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { Cluster } from "./harness/cluster.ts";
import { edit, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { policiesOf } from "./harness/policies.ts";
import { until } from "./harness/processes.ts";

withCluster("Linkerd without Dgraph on a real API server", () => {
  let cluster: Cluster;
  let platform: Platform;

  beforeAll(async () => {
    platform = await makeGitPlatform({ dgraph: { enabled: false } });
    cluster = await Cluster.startFor(platform);
  });
  afterAll(() => cluster?.stop());

  function status(): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, ["status", "own", ...connection]);
  }

  async function namesOf(path: string): Promise<string[]> {
    return (await cluster.api.list(path)).map(({ metadata }) => metadata.name).sort();
  }

  test("Linkerd alone becomes ready", async () => {
    await cluster.bootstrap();
    await cluster.settled(await cluster.git.publish());
    const { code, stdout } = await status();
    expect(code, stdout).toBe(0);
    expect(stdout).not.toMatch(/dgraph/i);
    const kustomizations = (await cluster.kustomizations()).map(({ metadata }) => metadata.name);
    expect(kustomizations.filter((name) => /dgraph|service-profile/.test(name))).toEqual([]);
    expect(await namesOf("/api/v1/namespaces")).not.toContain("dgraph");
  });

  test("one push adds the policies of Dgraph, and then Dgraph", async () => {
    await edit(platform, { dgraph: { enabled: true } });
    await cluster.settled(await cluster.git.push("Dgraph"));
    expect((await status()).code).toBe(0);
    expect(await namesOf("/api/v1/namespaces/dgraph/pods")).toHaveLength(6);
    const created = cluster.plane.created("dgraph");
    const firstPod = created.findIndex((line) => line.startsWith("pods "));
    expect(created.slice(0, firstPod).sort()).toEqual(policiesOf(platform.root, "own"));
  });

  test("the steps that diff prints remove Dgraph again", async () => {
    await edit(platform, { dgraph: { enabled: false } });
    const found = await meshops(platform.root, ["diff", "own", "-o", "json"]);
    const changes = JSON.parse(found.stdout) as {
      kind: string;
      name: string;
      risk: string;
      steps: { text: string; command: string | null }[];
    }[];
    const removal = changes.find(({ kind, name }) => kind === "HelmRelease" && name === "dgraph");
    expect(removal?.risk).toBe("data-loss");
    await cluster.follow(removal?.steps ?? [], async () => cluster.settled(await cluster.git.push("no Dgraph")));
    await until("Dgraph's pods and volumes are gone", async () => {
      const left = await Promise.all(
        ["pods", "persistentvolumeclaims"].map((kind) => namesOf(`/api/v1/namespaces/dgraph/${kind}`)),
      );
      return left.flat().length === 0;
    });
    expect((await status()).code).toBe(0);
    const kustomizations = (await cluster.kustomizations()).map(({ metadata }) => metadata.name);
    expect(kustomizations.filter((name) => /dgraph|service-profile/.test(name))).toEqual([]);
  });
});
