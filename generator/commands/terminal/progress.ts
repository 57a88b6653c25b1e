import type { Io } from "../io.ts";
/** Maximum number of environments to describe component by component; a longer output would not be read. */
export const described = 8;

/** Yields the items. Shows progress in one line of a terminal if there are more than `described` items. */
export function* withProgress<T>({ stderr }: Io, verb: string, items: readonly T[]): Iterable<T> {
  const shown = stderr.isTTY && items.length > described;
  for (const [index, item] of items.entries()) {
    if (shown) stderr.write(`\r\u001b[K${verb} ${index + 1} of ${items.length}`);
    yield item;
  }
  if (shown) stderr.write("\r\u001b[K");
}
