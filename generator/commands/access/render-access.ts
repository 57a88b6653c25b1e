import { type AccessCell, otherMeshed, unmeshed } from "../../mesh/access-cells.ts";
import { groupBy } from "../../system/data.ts";
import { columns, wrap } from "../terminal/wrap.ts";

/** Width of the first column of a table, which contains the name of the client. */
const clientWidth = 28;
/** Width of each other column, which contains the result for a port, such as `refused: mesh`. */
const verdictWidth = 17;
/** Maximum number of ports in one table. */
const portsPerTable = Math.floor((columns - clientWidth) / verdictWidth);

/**
 * Returns tables as text: one table per set of pods, with one row per client and one column per port. If a set of pods
 * has too many ports for one table, the text contains several tables for this set. The row `otherMeshed` contains the
 * results for all meshed pods without their own row. A meshed client has its own row only if the results for this
 * client differ from the results in the row `otherMeshed`.
 */
export function renderAccess(cells: readonly AccessCell[]): string {
  const tables = [...groupBy(cells, ({ server }) => server)].flatMap(([server, own]) => tablesFor(server, own));
  return `${tables.join("\n\n")}\n`;
}

function tablesFor(server: string, cells: readonly AccessCell[]): string[] {
  const keys = [...new Set(cells.map(portOf))];
  const parts = Array.from({ length: Math.ceil(keys.length / portsPerTable) }, (_, index) =>
    keys.slice(index * portsPerTable, (index + 1) * portsPerTable),
  );
  return parts.map((part) => table(server, part, cells).join("\n"));
}

function table(server: string, keys: readonly string[], cells: readonly AccessCell[]): string[] {
  const verdicts = [...groupBy(cells, ({ client }) => client)].map(([client, own]) => ({
    client,
    texts: keys.map((key) => own.find((cell) => portOf(cell) === key)).map((cell) => (cell === undefined ? "" : verdict(cell))),
  }));
  const ofOthers = verdicts.find(({ client }) => client === otherMeshed)?.texts.join();
  const shown = verdicts.filter(
    ({ client, texts }) => client === otherMeshed || client === unmeshed || texts.join() !== ofOthers,
  );
  const rows = shown.flatMap(({ client, texts }) =>
    // Print a long client name on a separate line above the line with its results.
    client.length < clientWidth - 2 ? [line(client, texts)] : [`  ${client}`, line("", texts)],
  );
  return [line(server, keys).replace(/^ {2}/, ""), ...rows];
}

function line(client: string, verdicts: readonly string[]): string {
  return `  ${client.padEnd(clientWidth - 2)}${verdicts.map((text) => text.padEnd(verdictWidth)).join("")}`.trimEnd();
}

/**
 * Returns the key and the number of a port, as the heading of its column. The number is necessary because several
 * containers of a pod can use the same port name.
 */
function portOf({ key, port }: AccessCell): string {
  return `${key} ${port}`;
}

function verdict({ access, network }: AccessCell): string {
  if (access !== "refused") return access;
  return network.admits ? "refused: mesh" : "refused: network";
}

/**
 * Returns an explanation of each connection: what the NetworkPolicies decide, what Linkerd decides, and the names of
 * the policies that cause these decisions.
 */
export function explain(cells: readonly AccessCell[]): string {
  return `${cells.map(explanation).join("\n\n")}\n`;
}

function explanation(cell: AccessCell): string {
  const { client, server, key, port, access, arrivesAt, network, mesh } = cell;
  const decided = network.policies.length === 0 ? "no NetworkPolicy selects the pods" : network.policies.join(", ");
  const admits = (yes: boolean): string => (yes ? "admits" : "refuses");
  return [
    `${client} to ${server}, port ${key} ${port}: ${access}`,
    ...wrap(
      `NetworkPolicies: the connection to port ${arrivesAt} is ${network.admits ? "admitted" : "refused"} (${decided})`,
      "  ",
    ),
    ...wrap(`Linkerd: ${access === "counted" ? "admits and counts" : admits(mesh.admits)} the client (${mesh.by})`, "  "),
  ].join("\n");
}
