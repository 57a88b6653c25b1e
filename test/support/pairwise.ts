type Factors = Readonly<Record<string, readonly unknown[]>>;
type Row<F extends Factors> = { readonly [K in keyof F]: F[K][number] };

/**
 * Returns rows. Each row contains one value of each factor. For every two factors, each pair of values occurs in at
 * least one row. Most faults depend on one value or on a pair of values. Therefore tests with these few rows find
 * nearly as many faults as tests with all combinations. The same factors always result in the same rows.
 *
 * @param factors values, keyed by the name of their factor
 * @param allowed returns whether a row is valid. A pair that occurs only in invalid rows is omitted.
 */
export function pairwise<const F extends Factors>(factors: F, allowed: (row: Row<F>) => boolean = () => true): Row<F>[] {
  let all: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(factors))
    all = all.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  const candidates = all
    .map((row) => row as Row<F>)
    .filter(allowed)
    .map((row) => ({ row, pairs: pairsOf(row, factors) }));
  const missing = new Set(candidates.flatMap(({ pairs }) => pairs));
  const rows: Row<F>[] = [];
  while (missing.size > 0) {
    let best: (typeof candidates)[number] | undefined;
    let most = 0;
    for (const candidate of candidates) {
      const adds = candidate.pairs.filter((pair) => missing.has(pair)).length;
      if (adds > most) [best, most] = [candidate, adds];
    }
    if (best === undefined) throw new Error("a pair occurs in no row");
    rows.push(best.row);
    for (const pair of best.pairs) missing.delete(pair);
  }
  return rows;
}

/**
 * Returns the pairs of a row as texts `<name>=<index> <name>=<index>`. The name is the name of a factor, and the index
 * is the position of the value in this factor.
 */
function pairsOf<F extends Factors>(row: Row<F>, factors: F): string[] {
  const values = Object.keys(factors).map((name) => `${name}=${factors[name]?.indexOf(row[name])}`);
  return values.flatMap((first, index) => values.slice(index + 1).map((second) => `${first} ${second}`));
}
