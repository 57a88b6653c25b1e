/** Spaces between two columns. */
const gap = "  ";

/**
 * Returns the rows of a table as lines. Each column is as wide as its longest cell.
 *
 * @param indent text before each row
 * @param paint colors for the columns, by index. A function also gets the index of the row. Colors do not change the
 *   width of a cell
 */
export function table(
  rows: readonly (readonly string[])[],
  indent: string,
  paint: Readonly<Record<number, (text: string, row: number) => string>> = {},
): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, index) => {
    const cells = row.map((text, column) => {
      const padded = column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0);
      return paint[column]?.(padded, index) ?? padded;
    });
    return `${indent}${cells.join(gap)}`.trimEnd();
  });
}
