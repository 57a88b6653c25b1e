import type { Assessment, ChangedObject, ChangeSet } from "./change-rule.ts";
import { chartVersionOf, releaseWith } from "./chart-version.ts";
import { notRestarted } from "./pod-template.ts";

/** Texts about the pods that a NetworkPolicy protects. The assessment of an upgrade of Linkerd contains these texts. */
export interface ProtectedPods {
  readonly title: string;
  /** Field and value with which meshops generates no policies for the pods, such as `dgraph.networkPolicy: false`. */
  readonly off: string;
  /** Field and value with which meshops generates the policies again. */
  readonly on: string;
}

/**
 * Assesses the change of a NetworkPolicy in an upgrade of Linkerd from stable-2.14 to a later release. Proxies of
 * stable-2.14 connect to the port of the application, and proxies of later releases connect to port 4143. After the
 * upgrade, the NetworkPolicy allows only the ports to which the proxies of the new release connect. The proxies of
 * clients keep the old release until their pods restart.
 */
export function* newProxyPorts(
  { kind, change, name }: ChangedObject,
  { objects }: ChangeSet,
  { title, off, on }: ProtectedPods,
): Iterable<Assessment> {
  if (kind !== "NetworkPolicy" || change !== "changed") return;
  const plane = objects.find((object) => object.kind === "HelmRelease" && object.name === "linkerd-control-plane");
  if (plane === undefined) return;
  const [old, next] = [plane.before, plane.after].map((release) => releaseWith("linkerd-control-plane", chartVersionOf(release)));
  if (old?.traits.transportHeader !== false || next?.traits.transportHeader !== true) return;
  yield {
    risk: "narrower-access",
    reason: `the NetworkPolicy ${name} no longer allows the ports to which proxies of Linkerd ${old.version} connect. A meshed client cannot connect to ${title} until the pods of the client have restarted with a new proxy. ${notRestarted}`,
    steps: [
      {
        phase: "push",
        text: `In a commit before the upgrade, set ${off}. Until you set ${on} again, every pod in the cluster can connect to ${title}.`,
      },
      { text: "Upgrade Linkerd in a second commit, and wait until Linkerd is ready.", phase: "push" },
      { text: "Restart the pods of all meshed clients." },
      { text: `Set ${on} in a third commit.`, phase: "push" },
    ],
  };
}
