import { type Inventory, inventoryFile, parseInventory, scaffoldOwner } from "../../bundle/inventory.ts";
import { hasDrift, makeInventoryPlan, type Plan } from "../../bundle/plan.ts";
import { atStart, type Diagnostic } from "../../diagnostics/diagnostic.ts";
import { lookAt, pathsWithin } from "../../system/files.ts";
import { sha256 } from "../../system/hash.ts";
import { version } from "../../system/version.ts";
import { baseAssets, targetOf, templateAssets } from "./assets.ts";
import { writtenBefore } from "./written-before.ts";

/** Templates whose files `generate` keeps up to date: they are code, and hold no choices of the user but a branch. */
const trackedTemplates = /^(dot-githooks\/|dot-github\/workflows\/|dot-azure-pipelines\/|azure-pipelines\.yml)/;

/** A file that `init` writes and `generate` updates: bases, hooks and workflows. */
export interface TrackedFile {
  readonly path: string;
  /** Text on disk. */
  readonly standing: string;
  /** Text as this version writes it. */
  readonly text: string;
  /** `outdated`: as an older version wrote it. `edited`: changed by a user. */
  readonly state: "current" | "outdated" | "edited";
  /** Whether this version's template differs from the one that an edited file was made of. */
  readonly templateChanged: boolean;
}

/** Fixes that an edited copy must have, by file: a text that shows it, and what goes wrong without it. */
const requiredFixes: readonly { readonly path: string; readonly shows: string; readonly without: string }[] = [
  {
    path: "bases/identity/apply.sh",
    shows: "--force-conflicts",
    without: "helmfile stops with a conflict if another tool has set a field of a Secret",
  },
  {
    path: "bases/identity/apply.sh",
    shows: "helm.sh/resource-policy",
    without: "Helm deletes the identity's Secrets when it upgrades a release that once made them itself",
  },
];

/**
 * Compares the files that `init` wrote with what this version would write. Files that do not exist, and files that
 * neither the inventory nor an older version knows, are left out: they are not meshops'.
 *
 * @param root absolute, symbolic links resolved
 */
export function trackedFiles(root: string): TrackedFile[] {
  const within = pathsWithin(root);
  const recorded = inventoryIn(root);
  return [...currentTexts()].flatMap(([path, template]): TrackedFile[] => {
    const found = lookAt(within(path));
    if (found.kind !== "file") return [];
    const standing = found.text;
    const text = withBranchOf(standing, template);
    if (standing === text) return [{ path, standing, text, state: "current", templateChanged: false }];
    const own = recorded?.files.get(path)?.[0];
    const known = [own, ...writtenBefore.map((files) => files[path])].filter((hash) => hash !== undefined);
    if (known.length === 0) return [];
    const state = known.includes(hashOf(standing)) ? "outdated" : "edited";
    return [{ path, standing, text, state, templateChanged: (own ?? known.at(-1)) !== hashOf(text) }];
  });
}

/**
 * Plan that updates the files that were not edited, and records what this version wrote. Null if there is nothing to
 * update.
 *
 * @param accept record edited files as up to date, too
 */
export function scaffoldPlan(root: string, accept: boolean): Plan | null {
  const files = trackedFiles(root);
  const before = inventoryIn(root);
  const outdated = files.some(({ state }) => state === "outdated");
  if (before === null && !outdated && !accept) return null;
  const kept = files.filter(({ state }) => state === "edited");
  const bundle = new Map(files.filter(({ state }) => state !== "edited").map(({ path, text }) => [path, text]));
  const hashes = new Map([...bundle].map(([path, text]) => [path, [hashOf(text)]]));
  for (const { path, text } of kept) {
    const hash = accept ? hashOf(text) : before?.files.get(path)?.[0];
    if (hash !== undefined) hashes.set(path, [hash]);
  }
  const changes = files.flatMap(({ path, state }) =>
    state === "outdated" ? [{ path, action: "update" as const, edited: false }] : [],
  );
  const plan = makeInventoryPlan(root, scaffoldOwner, { bundle, changes, files: hashes });
  return hasDrift(plan) ? plan : null;
}

/** Inventory of the files that `init` of this version writes into a new repository. */
export function scaffoldInventory(files: readonly { readonly path: string; readonly text: string }[]): Inventory {
  const tracked = currentTexts();
  const own = files.filter(({ path }) => tracked.has(path));
  return { version, inputs: null, files: new Map(own.map(({ path, text }) => [path, [hashOf(text)]])) };
}

/** Findings about edited files whose template has changed: they do not get the change. */
export function outdatedScaffold(root: string): Diagnostic[] {
  return trackedFiles(root).flatMap(({ path, standing, state, templateChanged }): Diagnostic[] => {
    const missing = requiredFixes.filter((fix) => fix.path === path && !standing.includes(fix.shows));
    if (state !== "edited" || (!templateChanged && missing.length === 0)) return [];
    const finding = atStart(path, {
      code: "scaffold-outdated",
      message: `this copy was edited, so it lacks the changes of meshops ${version}`,
      fix: "see them with meshops diff --scaffold, make them here, then run meshops generate --accept-scaffold",
    });
    return [
      missing.length === 0
        ? { ...finding, severity: "warning" }
        : { ...finding, message: `${finding.message}; without them ${missing.map(({ without }) => without).join(", and ")}` },
    ];
  });
}

function inventoryIn(root: string): Inventory | null {
  const found = lookAt(pathsWithin(root)(inventoryFile(scaffoldOwner)));
  return found.kind === "file" ? parseInventory(found.text, scaffoldOwner) : null;
}

/** Tracked files as this version writes them for the branch `main`. */
function currentTexts(): Map<string, string> {
  const templates = [...templateAssets()].filter(([path]) => trackedTemplates.test(path));
  return new Map([
    ...[...baseAssets()].map(([path, text]) => [`bases/${path}`, text] as const),
    ...templates.map(([path, text]) => [targetOf(path), withMainBranch(text)] as const),
  ]);
}

/**
 * Renders a tracked template for the branch `main`. These templates have no other placeholder, so Handlebars, which takes
 * 30 ms to load, is not needed; `\\{{` is its escape for `{{`.
 */
function withMainBranch(template: string): string {
  return template.replaceAll("{{branch}}", "main").replaceAll("\\{{", "{{");
}

const branches = /^( *(?:branches|include): )\["([^"*]+)"\]$/gm;

/** A template with the branch that a file names. */
function withBranchOf(standing: string, template: string): string {
  const [, , branch = "main"] = new RegExp(branches.source, "m").exec(standing) ?? [];
  return template.replace(branches, (_, key: string) => `${key}["${branch}"]`);
}

/** Hash of a file, whatever branch it names. */
function hashOf(text: string): string {
  return sha256(text.replace(branches, '$1["main"]'));
}
