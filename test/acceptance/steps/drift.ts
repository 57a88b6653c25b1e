import { dgraphName } from "../../../generator/components/dgraph/names.ts";
import { at } from "../../../generator/kubernetes/object-fields.ts";
import { until } from "../../cluster/harness/processes.ts";
import type { Measure, Step } from "../step.ts";
import { environmentName, type Story } from "../story.ts";

const server = "servers.policy.linkerd.io";
const kustomization = "kustomizations.kustomize.toolkit.fluxcd.io";
const helmRelease = "helmreleases.helm.toolkit.fluxcd.io";

/** Deletes a NetworkPolicy. With Flux, also edits a Server. Waits until the engine has restored the objects. */
export const drift: Step = {
  id: "drift",
  title: "delete a NetworkPolicy (and, with Flux, edit a Server) by hand; the engine restores the objects",
  after: ["first-sync"],
  async run(story) {
    const { kubectl, environment, options } = story;
    const { namespace } = environment.spec.dgraph;
    const name = dgraphName(environment, "alpha");
    const [edited] = (await kubectl.list(server)).filter(({ metadata }) => metadata.namespace === namespace);
    if (edited === undefined) throw new Error(`namespace ${namespace} has no Server`);
    await kubectl.delete("networkpolicy", name, namespace);
    const edits = options.engine === "flux"; // helmfile runs Helm 3, which does not revert edits of custom resources
    if (edits)
      await kubectl.run(["patch", server, edited.metadata.name, "-n", namespace, "--type=merge", "-p", '{"spec":{"port":1}}']);
    const began = Date.now();
    await repair(story);
    await until(
      "the engine has restored both objects",
      async () => {
        const found = await kubectl.get(server, edited.metadata.name, namespace);
        const same = JSON.stringify(at(found, "spec", "port")) === JSON.stringify(at(edited, "spec", "port"));
        return same && (await kubectl.get("networkpolicy", name, namespace)) !== null;
      },
      600,
    );
    return [["repaired", seconds(began)]];
  },
};

async function repair(story: Story): Promise<void> {
  if (story.options.engine === "helmfile") await story.run("helmfile", ["-e", environmentName, "sync"]);
  else await requestReconciliation(story, kustomization, "dgraph-policy", "flux-system");
}

/**
 * Scales a Deployment of a Helm release. Waits until the drift detection of helm-controller restores the Deployment.
 */
export const releaseDrift: Step = {
  id: "release-drift",
  title: "scale a Deployment of linkerd-viz by hand; helm-controller restores the Deployment",
  after: ["first-sync"],
  missing: ({ options }) => (options.engine === "flux" ? null : "helmfile does not detect drift"),
  async run(story) {
    const { kubectl } = story;
    const [deployment, namespace] = ["web", "linkerd-viz"];
    await kubectl.run(["scale", "deployment", deployment, "--namespace", namespace, "--replicas", "0"]);
    const began = Date.now();
    await requestReconciliation(story, helmRelease, "linkerd-viz", namespace);
    await until(
      "helm-controller has restored the Deployment",
      async () => {
        const found = await kubectl.get("deployment", deployment, namespace);
        return at(found, "spec", "replicas") === 1;
      },
      600,
    );
    await story.ready();
    return [["repaired", seconds(began)]];
  },
};

async function requestReconciliation({ kubectl }: Story, kind: string, name: string, namespace: string): Promise<void> {
  const now = `reconcile.fluxcd.io/requestedAt=${new Date().toISOString()}`;
  await kubectl.run(["annotate", kind, name, "--namespace", namespace, "--overwrite", now]);
}

function seconds(began: number): Measure[1] {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}
