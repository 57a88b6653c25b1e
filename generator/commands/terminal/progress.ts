import type { Io } from "../io.ts";
/** Environments that are described component by component; more would scroll by unread. */
export const described = 8;

/** Passes items through, and tells on a terminal how far it is: a line that is written over, where there is enough to do. */
export function* withProgress<T>({ stderr }: Io, verb: string, items: readonly T[]): Iterable<T> {
  const shown = stderr.isTTY && items.length > described;
  for (const [index, item] of items.entries()) {
    if (shown) stderr.write(`\r\u001b[K${verb} ${index + 1} of ${items.length}`);
    yield item;
  }
  if (shown) stderr.write("\r\u001b[K");
}
