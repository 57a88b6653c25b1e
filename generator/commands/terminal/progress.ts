import type { Io } from "../io.ts";
/**
 * Maximum number of environments for which `generate` prints the components. If more environments are selected,
 * `generate` prints no components, because the output would be too long.
 */
export const maxDetailed = 8;

/**
 * Yields the items one by one. If stderr is a terminal and there are more than `maxDetailed` items, also prints a line
 * such as `rendering 3 of 20` to stderr and updates it for each item.
 */
export function* withProgress<T>({ stderr }: Io, verb: string, items: readonly T[]): Iterable<T> {
  const shown = stderr.isTTY && items.length > maxDetailed;
  for (const [index, item] of items.entries()) {
    if (shown) stderr.write(`\r\u001b[K${verb} ${index + 1} of ${items.length}`);
    yield item;
  }
  if (shown) stderr.write("\r\u001b[K");
}
