/**
 * Version of meshops. To start faster, the program does not read package.json; a test compares this constant with the
 * version in package.json.
 */
export const version = "0.2.0";

/** Whether a version is at least another version. Compares number by number: `v3.8.1` is at least `3.8`. */
export function isVersionAtLeast(version: string, needed: string): boolean {
  const [a = [], b = []] = [version, needed].map((text) => text.replace(/^v/, "").split(".").map(Number));
  for (const [index, number] of b.entries()) {
    const own = a[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
