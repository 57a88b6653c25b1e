import { linkerdRelease, newestRelease } from "../../../generator/catalog/linkerd.ts";
import { linkerdImages } from "../../../generator/catalog/linkerd-images.ts";
import { at } from "../../../generator/kubernetes/object-fields.ts";
import { until } from "../../cluster/harness/processes.ts";
import { run } from "../../support/tools.ts";
import { loadAccount, loadNamespace } from "../load/load.ts";
import type { ClusterObject } from "../record.ts";
import type { Measure, Step } from "../step.ts";
import { hasPlatform, type Story } from "../story.ts";

/**
 * Checks the cluster, and the programs on this machine. Fails if the cluster contains another installation of Linkerd
 * and `--allow-linkerd` is not set.
 */
export const preflight: Step = {
  id: "preflight",
  title: "check the cluster and this machine",
  after: [],
  async run(story) {
    const { kubectl, options, record } = story;
    const programs = ["git", "npm", ...(options.engine === "helmfile" ? ["helm", "helmfile"] : [])];
    for (const program of programs)
      await run("sh", ["-c", `command -v ${program}`]).catch(() => {
        throw new Error(`${program} is not on the PATH`);
      });
    const { serverVersion } = JSON.parse(await kubectl.run(["version", "--output", "json"])) as {
      serverVersion: { gitVersion: string };
    };
    if ((await kubectl.run(["auth", "can-i", "*", "*", "--all-namespaces"])).trim() !== "yes")
      throw new Error("the user of the context is not an administrator of the cluster");
    if (!options.allowLinkerd && !hasPlatform(story)) await refuseLinkerd(story);
    await story.load.prepare();
    record.linkerdImages = await imageProblem(story);
    const load = await loadProblem(story);
    return [
      ["Kubernetes", serverVersion.gitVersion],
      ["Linkerd's images", record.linkerdImages ?? "a pod with the proxy's image started"],
      ["load client", load ?? "a pod with the load client started"],
    ] satisfies Measure[];
  },
};

/** @throws if the cluster contains Linkerd's CRDs, or a namespace with Linkerd's label */
async function refuseLinkerd({ kubectl }: Story): Promise<void> {
  const crds = (await kubectl.list("customresourcedefinitions")).filter(({ metadata }) => metadata.name.endsWith(".linkerd.io"));
  const namespaces = await kubectl.list("namespaces", "linkerd.io/is-control-plane=true");
  const found = [
    ...namespaces.map(({ metadata }) => `namespace ${metadata.name}`),
    ...crds.map(({ metadata }) => `CRD ${metadata.name}`),
  ];
  if (found.length > 0)
    throw new Error(
      `the cluster already contains Linkerd (${found.slice(0, 3).join(", ")}), and the run would change this installation. Use another cluster, or set --allow-linkerd`,
    );
}

/**
 * Starts a pod with the image of Linkerd's proxy. Returns null if the image was pulled; otherwise returns the reason
 * why it was not pulled.
 */
async function imageProblem(story: Story): Promise<string | null> {
  const release = story.options.release === null ? newestRelease() : linkerdRelease(story.options.release);
  const [proxy] = linkerdImages(release, "linkerd-control-plane").filter(({ name }) => name.endsWith("/proxy"));
  if (proxy === undefined) throw new Error(`the catalog has no proxy image for ${release.version}`);
  const image = `${proxy.name}:${proxy.tag}`;
  const name = "image-check";
  await story.kubectl.run(["delete", "pod", name, "--namespace", loadNamespace, "--ignore-not-found", "--grace-period=0"]);
  await story.kubectl.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: loadNamespace, annotations: { "linkerd.io/inject": "disabled" } },
    spec: { serviceAccountName: loadAccount, restartPolicy: "Never", containers: [{ name: "proxy", image }] },
  });
  const outcome = await until(
    "the image is pulled or refused",
    async () => {
      const pod = await story.kubectl.get("pod", name, loadNamespace);
      const problem = pod === null ? undefined : pullOutcome(pod, image);
      return problem === undefined ? false : { problem };
    },
    180,
  ).catch(() => ({ problem: `${image} was not pulled within 180 s` }));
  await story.kubectl.delete("pod", name, loadNamespace);
  return outcome.problem;
}

/**
 * Returns null if the image was pulled. Returns the reason if the image cannot be pulled. Returns undefined if the pull
 * has not ended.
 */
function pullOutcome(pod: ClusterObject, image: string): string | null | undefined {
  const [container] = (at(pod, "status", "containerStatuses") ?? []) as readonly object[];
  const state = at(container, "state");
  if (at(state, "running") !== undefined || at(state, "terminated") !== undefined) return null;
  const reason = at(state, "waiting", "reason");
  if (reason === "ErrImagePull" || reason === "ImagePullBackOff" || reason === "ErrImageNeverPull")
    return `the cluster cannot pull ${image}`;
  return reason === "CreateContainerError" || reason === "RunContainerError" ? null : undefined;
}

/** Starts the prober without addresses. Returns null if the prober prints a line; otherwise an error message. */
async function loadProblem({ load }: Story): Promise<string | null> {
  await load.start("probe", []);
  try {
    await load.probed();
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await load.stop("probe");
  }
}
