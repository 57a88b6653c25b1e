import { type Counted, describeCounted, describeUnread } from "../../cluster/counted-clients.ts";
import { wrap } from "../terminal/wrap.ts";

/** Returns lines for the text output. The lines list the clients that Linkerd would refuse in the mode `enforce`. */
export function renderCounted(found: readonly Counted[]): string[] {
  const clients = found.flatMap((set) => set.clients.map((client) => `${set.pods} ${describeCounted(client)}`));
  const unread = found.filter((each) => each.unread > 0);
  return [
    ...(clients.length === 0
      ? []
      : wrap("the spec does not list these clients, so the access mode enforce would refuse them:", "")),
    ...clients.flatMap((line) => wrap(line, "    ")),
    ...unread.flatMap((each) => wrap(describeUnread(each), "")),
  ];
}
