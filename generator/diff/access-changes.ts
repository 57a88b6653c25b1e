import { accessTable } from "../components/access-table.ts";
import { modelOf } from "../components/build.ts";
import { type Model, podSetsIn } from "../components/model.ts";
import type { AccessCell } from "../mesh/access-cells.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { deliversWorkload } from "../spec/ownership.ts";
import { canonicalJson } from "../system/canonical.ts";
import { accessKind } from "./access-kind.ts";
import { accountChanges } from "./account-changes.ts";
import type { AssessedChange } from "./diff.ts";
import { withNewNames } from "./new-names.ts";
import { withOldDefaults } from "./old-defaults.ts";

/**
 * Returns the clients that gain or lose access to ports after a change of a spec. If the default inbound policy of a
 * namespace changes, running pods keep the old default policy until they restart. In this case, the function makes two
 * comparisons. The first one compares the access before the change with the access after the change, while the pods
 * still have the old default policy. The second one compares the access before the restart of the pods with the access
 * after the restart.
 *
 * @param before null if the environment is new
 */
export function accessChanges(before: Environment | null, after: Environment): AssessedChange[] {
  const running = before === null ? null : withOldDefaults(before, after);
  if (running === null) return accessChangesAt("after this change", before, after);
  return [
    ...accessChangesAt("after this change", before, running),
    ...accessChangesAt("after the pods have restarted", running, after),
  ];
}

/**
 * Compares the access in two states. For each set of pods, returns one change for gained access and one change for lost
 * access. Evaluates the policies that meshops generates for both specs. Pods that another tool delivers run both before
 * and after the change. The function therefore compares the access to these pods even if only one of the two specs
 * contains their set or their port.
 *
 * @param when description of the time of the second state, such as `after this change`; the texts contain it
 */
function accessChangesAt(when: string, before: Environment | null, after: Environment): AssessedChange[] {
  const [old, next] = [before === null ? null : modelOf(withNewNames(before, after)), modelOf(after)];
  const was = old === null ? [] : accessTable(old, { other: next });
  const is = accessTable(next, { other: old });
  const pairs = [
    ...compared(is, was, next, old),
    ...(old === null ? [] : compared(was, is, old, next).map(([a, b]) => [b, a] as const)),
  ];
  const differing = new Map(
    pairs.filter(([a, b]) => isReached(a) !== isReached(b)).map(([, cell]) => [keyOf(cell), cell] as const),
  );
  const cells = [...differing.values()];
  const servers = [...new Set(cells.map(({ server }) => server))];
  return [
    ...servers.flatMap((server) =>
      [false, true].flatMap((reached): AssessedChange[] => {
        const found = cells.filter((cell) => cell.server === server && isReached(cell) === reached);
        return found.length === 0 ? [] : [changeOf(when, after.metadata.name, server, reached, found)];
      }),
    ),
    ...(old === null ? [] : accountChanges(old, next)),
  ];
}

/**
 * Returns pairs of cells. A cell contains the access of one client to one port. The second cell of each pair is from
 * the access table of `model`. The first cell contains the access of the same client to the same port under the
 * policies of `other`. Omits a cell of `model` if no such first cell exists.
 *
 * @param cells the access table of `model`
 * @param others the access table of `other`
 */
function compared(
  cells: readonly AccessCell[],
  others: readonly AccessCell[],
  model: Model,
  other: Model | null,
): (readonly [others: AccessCell, own: AccessCell])[] {
  const known = cellsByKey(others);
  const unchanged = cellsByKey(accessTable(model, { other, policies: other }));
  // If only one of the two specs contains a port, the same pods can still listen on this port before and after the
  // change.
  const inBoth = new Set(
    other === null
      ? []
      : podSetsIn(model)
          .filter((set) => hasSamePods(set, other))
          .map(({ title }) => title),
  );
  return cells.flatMap((own) => {
    const key = keyOf(own);
    const exists = inBoth.has(own.server) || isOfOthers(own, model.environment);
    const twin = known.get(key) ?? (exists ? unchanged.get(key) : undefined);
    return twin === undefined ? [] : [[twin, own] as const];
  });
}

/** Whether another model contains a set of pods with the same title, namespace and selector. */
function hasSamePods({ title, namespace, selector }: PodSet, other: Model): boolean {
  return podSetsIn(other).some(
    (each) => each.title === title && each.namespace === namespace && canonicalJson(each.selector) === canonicalJson(selector),
  );
}

function cellsByKey(cells: readonly AccessCell[]): Map<string, AccessCell> {
  return new Map(cells.map((cell) => [keyOf(cell), cell]));
}

/** Whether another tool delivers the pods of a cell. The field `server` has the form `<workload>/<set>`. */
function isOfOthers({ server }: AccessCell, { spec: { workloads } }: Environment): boolean {
  const workload = workloads[server.split("/")[0] ?? ""];
  return workload !== undefined && !deliversWorkload(workload);
}

/**
 * Returns a key that consists of the client, the set of pods and the number of the port. The key does not contain the
 * name of the port, because a port with a new name is still the same port.
 */
function keyOf({ client, server, port }: AccessCell): string {
  return [client, server, port].join("|");
}

function isReached({ access }: AccessCell): boolean {
  return access !== "refused";
}

function changeOf(
  when: string,
  environment: string,
  server: string,
  reached: boolean,
  cells: readonly AccessCell[],
): AssessedChange {
  const texts = new Map<string, string[]>();
  for (const cell of cells) {
    const port = `port ${cell.port} (${cell.key}${reached ? "" : `; refused by ${deciding(cell)}`})`;
    texts.set(port, [...(texts.get(port) ?? []), cell.client]);
  }
  // Ports with the same clients are listed together.
  const byClients = new Map<string, string[]>();
  for (const [port, clients] of texts) byClients.set(listed(clients), [...(byClients.get(listed(clients)) ?? []), port]);
  const reaches = reached ? "can connect to" : "can no longer connect to";
  const sentences = [...byClients].map(([clients, ports]) => `${clients} ${reaches} ${ports.join(" and ")}`);
  return {
    environment,
    kind: accessKind,
    namespace: "",
    name: server,
    change: "changed",
    risk: reached ? "wider-access" : "narrower-access",
    reason: `${when}, ${sentences.join("; ")}`,
    steps: [],
    fields: [],
  };
}

/** Returns the name of the object that refuses a client. */
function deciding({ network, mesh }: AccessCell): string {
  return network.admits ? mesh.by : `NetworkPolicy ${network.policies.join(", ")}`;
}

const shown = 5;

function listed(clients: readonly string[]): string {
  const more = clients.length - shown;
  if (more > 0) return `${clients.slice(0, shown).join(", ")} and ${more} more`;
  return clients.length < 2 ? clients.join() : `${clients.slice(0, -1).join(", ")} and ${clients.at(-1)}`;
}
