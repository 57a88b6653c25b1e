import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../generator/catalog/", import.meta.url));
const banner = "// Generated from the JSON files in generator/catalog by `npm run codegen`; do not edit.\n";

/**
 * Returns TypeScript files with the data of the catalog, as [absolute path, text]. The data is TypeScript instead of
 * JSON, so that the compiler checks its types.
 */
export function generateCatalog(): [string, string][] {
  return [
    [
      `${folder}releases.generated.ts`,
      `${banner}import type { DgraphChartData } from "./dgraph-chart.ts";
import type { LinkerdRelease } from "./linkerd-release.ts";

/** A version for which the catalog has an entry. */
export type KnownLinkerdVersion = ${versions("linkerd")
        .map((version) => JSON.stringify(version))
        .join(" | ")};

/** Linkerd's releases, newest first. */
export const releases: readonly (LinkerdRelease & { readonly version: KnownLinkerdVersion })[] = ${list("linkerd", true)};

/** Versions of Dgraph's chart, newest first. */
export const charts: readonly DgraphChartData[] = ${list("dgraph", true)};
`,
    ],
    [
      `${folder}chart-facts.generated.ts`,
      `${banner}import type { ChartFacts } from "./chart-facts.ts";

export const facts: readonly ChartFacts[] = ${list("charts", false)};
`,
    ],
  ];
}

function versions(name: string): string[] {
  return readdirSync(`${folder}${name}`)
    .sort(byVersion)
    .map((file) => file.replace(/\.json$/, ""));
}

/**
 * Returns the text of a TypeScript array with the JSON files of a catalog folder. Each line of the array contains the
 * content of one file.
 */
function list(name: string, newestFirst: boolean): string {
  const names = versions(name);
  const entries = (newestFirst ? names.reverse() : names).map((file) =>
    JSON.stringify(JSON.parse(readFileSync(`${folder}${name}/${file}.json`, "utf8"))),
  );
  return `[\n${entries.map((entry) => `  ${entry},\n`).join("")}]`;
}

/** Compares two names, for sorting. Numbers in names are compared as numbers. Edge releases of Linkerd come last. */
function byVersion(a: string, b: string): number {
  const channel = (name: string): number => (name.startsWith("edge-") ? 1 : 0);
  return channel(a) - channel(b) || a.localeCompare(b, "en", { numeric: true });
}
