/** Version of meshops. A test compares it with package.json, which the program does not read, to start faster. */
export const version = "0.2.0";

/** Reports whether a version is at least another, number by number: `3.8.1` is at least `3.8`. */
export function isVersionAtLeast(version: string, needed: string): boolean {
  const [a = [], b = []] = [version, needed].map((text) => text.split(".").map(Number));
  for (const [index, number] of b.entries()) {
    const own = a[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
