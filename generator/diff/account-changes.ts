import { type Model, podSetsIn } from "../components/model.ts";
import { hasAccount, isAccountClient, type PodSet } from "../mesh/pod-set.ts";
import { accessKind } from "./access-kind.ts";
import type { AssessedChange } from "./diff.ts";

/**
 * Returns one change for each set of pods that meets two conditions: the service account of the set changes, and the
 * old spec lists the old service account as a client. Until the pods of the set restart, they have the identity of the
 * old service account. The new policies do not list this identity.
 */
export function accountChanges(old: Model, next: Model): AssessedChange[] {
  const sets = podSetsIn(old);
  const isClient = (twin: PodSet): boolean =>
    sets.some(({ access }) =>
      access.clients.some((client) => isAccountClient(client) && hasAccount(twin, client.serviceAccountRef)),
    );
  return podSetsIn(next).flatMap((set): AssessedChange[] => {
    const twin = sets.find(({ title }) => title === set.title);
    // If the set does not belong to a workload, a chart determines its service account. The change of the HelmRelease
    // then contains the steps.
    if (next.environment.spec.workloads[set.title.split("/")[0] ?? ""] === undefined) return [];
    if (twin === undefined || twin.serviceAccountName === set.serviceAccountName || !isClient(twin)) return [];
    const from = twin.serviceAccountName;
    return [
      {
        environment: next.environment.metadata.name,
        kind: accessKind,
        namespace: "",
        name: set.title,
        change: "changed",
        risk: "narrower-access",
        reason: `the service account of the pods of ${set.title} changes from ${from} to ${set.serviceAccountName}. Policies that list ${set.title} as a client now admit ${set.serviceAccountName} instead of ${from}. Until the pods of ${set.title} have restarted with ${set.serviceAccountName}, Linkerd refuses their connections`,
        steps: [
          {
            phase: "push",
            text: `In a first commit, do not change serviceAccountName. Find all lists access.clients that contain ${set.title}. To each of these lists, add a client with the service account ${set.serviceAccountName}.`,
          },
          {
            phase: "push",
            text: "Restart the pods with the new service account. In a second commit, change serviceAccountName, and remove the clients that you added in the first commit.",
          },
        ],
        fields: [],
      },
    ];
  });
}
