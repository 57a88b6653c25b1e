import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packMeshops, shellBlocks } from "../../support/scaffold-readme.ts";
import { run } from "../../support/tools.ts";
import { loadAccount, loadNamespace } from "../load/load.ts";
import type { Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";

/** Packs meshops as an npm package. Then runs `meshops init` from this package, as a new user does. */
export const scaffold: Step = {
  id: "scaffold",
  title: "create a platform repository with meshops init",
  after: ["preflight"],
  async run(story) {
    const { options, root, env } = story;
    rmSync(root, { recursive: true, force: true });
    const client = options.clientImage === null ? [] : ["--with-client", options.clientImage];
    const flags = ["--cluster", "own", "--environments", environmentName, "--git-url", options.gitUrl, ...client];
    const packed = await packMeshops(options.folder);
    await run("npx", ["--yes", "--package", packed, "meshops", "init", root, ...flags], { cwd: options.folder, env });
    await story.run("git", ["init", "--quiet", "--initial-branch=main"]);
    if (story.localRemote !== null && !existsSync(story.localRemote))
      await run("git", ["init", "--quiet", "--bare", "--initial-branch=main", story.localRemote], { env });
    return [];
  },
};

/** Runs the commands in the repository's README that create the identity and push the repository. */
export const identity: Step = {
  id: "identity",
  title: "create the identity, generate and push, by the commands of the repository's README",
  after: ["scaffold"],
  async run(story) {
    const [setUp = []] = shellBlocks(readFileSync(join(story.root, "README.md"), "utf8"));
    const [install = "", ...rest] = setUp;
    await story.run("bash", ["-ec", install]);
    describeCluster(story);
    for (const line of rest) await story.run("bash", ["-ec", line]);
    return [];
  },
};

/** Adds the values of this run to the spec: the context, the release, the clients, and the path of Flux's manifests. */
function describeCluster(story: Story): void {
  const { context, release, clientImage, fluxManifests } = story.options;
  story.changeSpec({
    cluster: { context },
    dgraph: { clients: clientsOf(clientImage !== null) },
    ...(release === null ? {} : { linkerd: { version: release } }),
    ...(fluxManifests === null ? {} : { gitops: { flux: { manifests: "./install.yaml" } } }),
  });
  if (fluxManifests !== null) copyFileSync(fluxManifests, join(story.root, "install.yaml"));
}

function clientsOf(testClient: boolean): object[] {
  const own = { namespace: loadNamespace, serviceAccount: loadAccount };
  return testClient ? [{ namespace: "pydgraph-client", serviceAccount: "pydgraph-client" }, own] : [own];
}
