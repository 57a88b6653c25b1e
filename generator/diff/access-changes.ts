import { accessTable } from "../components/access-table.ts";
import { modelOf } from "../components/build.ts";
import type { AccessCell } from "../mesh/access-cells.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { ObjectChange } from "./diff.ts";

/** Kind of the changes that describe who reaches which port. Such a change does not concern one object. */
export const accessKind = "Access";

/**
 * Returns the clients that reach other ports after a change of a spec than before: one change per set of pods and
 * direction. The policies are those that meshops generates for both specs. Sets and ports that exist on one side only are
 * left out.
 */
export function accessChanges(before: Environment, after: Environment): ObjectChange[] {
  const [old, next] = [modelOf(before), modelOf(after)];
  const known = new Map(accessTable(old, next).map((cell) => [keyOf(cell), cell]));
  const differing = accessTable(next, old).filter((cell) => {
    const previous = known.get(keyOf(cell));
    return previous !== undefined && isReached(previous) !== isReached(cell);
  });
  const servers = [...new Set(differing.map(({ server }) => server))];
  return servers.flatMap((server) =>
    [false, true].flatMap((reached): ObjectChange[] => {
      const cells = differing.filter((cell) => cell.server === server && isReached(cell) === reached);
      return cells.length === 0 ? [] : [changeOf(after.metadata.name, server, reached, cells)];
    }),
  );
}

function keyOf({ client, server, key, port }: AccessCell): string {
  return [client, server, key, port].join("|");
}

function isReached({ access }: AccessCell): boolean {
  return access !== "refused";
}

function changeOf(environment: string, server: string, reached: boolean, cells: readonly AccessCell[]): ObjectChange {
  const texts = new Map<string, string[]>();
  for (const cell of cells) {
    const port = `${cell.key} ${cell.port}${reached ? "" : ` (${deciding(cell)})`}`;
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
    reason: `after this change, ${sentences.join("; ")}`,
    steps: [],
    fields: [],
  };
}

/** The object that refuses a client. */
function deciding({ network, mesh }: AccessCell): string {
  return network.admits ? mesh.by : `NetworkPolicy ${network.policies.join(", ")}`;
}

const shown = 5;

function listed(clients: readonly string[]): string {
  const more = clients.length - shown;
  if (more > 0) return `${clients.slice(0, shown).join(", ")} and ${more} more`;
  return clients.length < 2 ? clients.join() : `${clients.slice(0, -1).join(", ")} and ${clients.at(-1)}`;
}
