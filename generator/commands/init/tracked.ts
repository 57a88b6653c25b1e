import { type Inventory, inventoryFile, parseInventory, scaffoldOwner } from "../../bundle/inventory.ts";
import { hasDrift, makeInventoryPlan, type Plan } from "../../bundle/plan.ts";
import { atStart, type Diagnostic } from "../../diagnostics/diagnostic.ts";
import { lookAt, pathsWithin } from "../../system/files.ts";
import { sha256 } from "../../system/hash.ts";
import { version } from "../../system/version.ts";
import { baseAssets, targetOf, templateAssets } from "./assets.ts";
import { writtenBefore } from "./written-before.ts";

/**
 * Matches the templates of the files that `generate` updates. These files contain code. The only setting in these files
 * that depends on the user is the branch.
 */
const trackedTemplates = /^(dot-githooks\/|dot-github\/workflows\/|dot-azure-pipelines\/|azure-pipelines\.yml)/;

/** A file that `init` writes and `generate` updates: a base, a hook or a workflow. */
export interface TrackedFile {
  readonly path: string;
  /** Text on disk. */
  readonly standing: string;
  /** Text that this version of meshops writes. */
  readonly text: string;
  /**
   * `current`: equal to the text of this version. `outdated`: equal to the text of an older version. `edited`: changed
   * by a user.
   */
  readonly state: "current" | "outdated" | "edited";
  /** Whether the template of this version differs from the template that the file was created from. */
  readonly templateChanged: boolean;
}

/**
 * Fixes of earlier errors in the files that `init` writes. An edited file must also contain these fixes. If a file
 * contains the text `shows`, the file contains the fix. The text `without` describes the problem of files without the
 * fix.
 */
const requiredFixes: readonly { readonly path: string; readonly shows: string; readonly without: string }[] = [
  {
    path: "bases/identity/apply.sh",
    shows: "--force-conflicts",
    without: "helmfile stops with a conflict if another tool has set a field of a Secret",
  },
  {
    path: "bases/identity/apply.sh",
    shows: "helm.sh/resource-policy",
    without: "Helm deletes the identity's Secrets when it upgrades a Helm release whose older version created these Secrets",
  },
];

/**
 * Compares the files that `init` wrote with the files that this version would write. Omits files that do not exist, and
 * files that meshops did not write. meshops wrote a file if an inventory or the list `writtenBefore` contains its path.
 *
 * @param root absolute path of the repository, without symbolic links
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
 * Returns a plan that updates the outdated files and records the hashes of all tracked files in the inventory. The plan
 * does not update edited files. Returns null if no update is necessary.
 *
 * @param accept also record edited files as up to date
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

/** Returns the inventory of the tracked files that `init` writes to a new repository. */
export function scaffoldInventory(files: readonly { readonly path: string; readonly text: string }[]): Inventory {
  const tracked = currentTexts();
  const own = files.filter(({ path }) => tracked.has(path));
  return { version, inputs: null, files: new Map(own.map(({ path, text }) => [path, [hashOf(text)]])) };
}

/** Returns findings about edited files whose template has changed. `generate` does not update these files. */
export function outdatedScaffold(root: string): Diagnostic[] {
  return trackedFiles(root).flatMap(({ path, standing, state, templateChanged }): Diagnostic[] => {
    const missing = requiredFixes.filter((fix) => fix.path === path && !standing.includes(fix.shows));
    if (state !== "edited" || (!templateChanged && missing.length === 0)) return [];
    const finding = atStart(path, {
      code: "scaffold-outdated",
      message: `this file does not contain the changes that meshops ${version} makes, because a user has edited the file`,
      fix: "run meshops diff --scaffold to see the changes, apply the changes to this file, then run meshops generate --accept-scaffold",
    });
    return [
      missing.length === 0
        ? { ...finding, severity: "warning" }
        : {
            ...finding,
            message: `${finding.message}; without these changes, ${missing.map(({ without }) => without).join(", and ")}`,
          },
    ];
  });
}

function inventoryIn(root: string): Inventory | null {
  const found = lookAt(pathsWithin(root)(inventoryFile(scaffoldOwner)));
  return found.kind === "file" ? parseInventory(found.text, scaffoldOwner) : null;
}

/** Returns the tracked files that this version writes for the branch `main`. */
function currentTexts(): Map<string, string> {
  const templates = [...templateAssets()].filter(([path]) => trackedTemplates.test(path));
  return new Map([
    ...[...baseAssets()].map(([path, text]) => [`bases/${path}`, text] as const),
    ...templates.map(([path, text]) => [targetOf(path), withMainBranch(text)] as const),
  ]);
}

/**
 * Renders a tracked template for the branch `main`. Does not use Handlebars, because Handlebars takes 30 ms to load and
 * the branch is the only placeholder. In these templates, `\\{{` is the escape sequence for `{{`.
 */
function withMainBranch(template: string): string {
  return template.replaceAll("{{branch}}", "main").replaceAll("\\{{", "{{");
}

const branches = /^( *(?:branches|include): )\["([^"*]+)"\]$/gm;

/** Returns a template with the branch that is set in a file. */
function withBranchOf(standing: string, template: string): string {
  const [, , branch = "main"] = new RegExp(branches.source, "m").exec(standing) ?? [];
  return template.replace(branches, (_, key: string) => `${key}["${branch}"]`);
}

/** Returns the hash of a file. The hash does not depend on the branch that is set in the file. */
function hashOf(text: string): string {
  return sha256(text.replace(branches, '$1["main"]'));
}
