/**
 * Returns the candidate that is most similar to a mistyped word, or null if no candidate is similar. A candidate is
 * similar if it differs by at most three letters, and by at most a third of the word's length. Added, removed, replaced
 * and swapped letters are counted.
 *
 * @param most the maximum number of letters that differ; default: 3
 */
export function nearest(word: string, candidates: readonly string[], most: number = 3): string | null {
  const limit = Math.min(most, Math.max(1, Math.floor(word.length / 3)));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Returns a fix that suggests the most similar candidate, or null if no candidate is similar. */
export function didYouMean(word: string, candidates: readonly string[], most?: number): string | null {
  const guess = nearest(word, candidates, most);
  return guess === null ? null : `did you mean "${guess}"?`;
}

/** Returns the optimal string alignment distance. If the distance is not below `limit`, returns `limit` or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? limit;
}
