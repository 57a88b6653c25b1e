import { type Inventory, inventoryFile, parseInventory, scaffoldOwner } from "../../bundle/inventory.ts";
import { hasDrift, makeInventoryPlan, type Plan } from "../../bundle/plan.ts";
import { type Diagnostic, fileDiagnostic } from "../../diagnostics/diagnostic.ts";
import { pathsWithin, readPathState } from "../../system/files.ts";
import { sha256 } from "../../system/hash.ts";
import { version } from "../../system/version.ts";
import { baseAssets, targetOf, templateAssets } from "./assets.ts";
import { writtenBefore } from "./written-before.ts";

/**
 * Matches the paths of the templates for hooks and workflows. `generate` updates the hooks and workflows, because they
 * contain code. The branch is the only value in them that depends on the settings of the user.
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
   * `current` means that the file has the text of this version of meshops. `outdated` means that it has the text of an
   * older version. `edited` means that a user has changed the file.
   */
  readonly state: "current" | "outdated" | "edited";
  /** Whether this version of meshops would write another text than the version that last wrote the file. */
  readonly templateChanged: boolean;
}

/**
 * Fixes of errors in files that older versions of `init` wrote. meshops reports edited files that do not contain these
 * fixes. A file contains the fix if it contains the text `shows`. The text `without` describes the problem of a file
 * without the fix.
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
    without:
      "an upgrade of a Helm release deletes the Secrets of the identity that an earlier revision of this Helm release created",
  },
];

/**
 * Compares the bases, hooks and workflows on disk with the files that this version of meshops would write. Omits files
 * that do not exist. Also omits files that meshops did not write. The function assumes that meshops did not write a
 * file if the path of the file is neither in the inventory nor in the list `writtenBefore`, and the text of the file
 * differs from the text of this version.
 *
 * @param root absolute path of the repository, without symbolic links
 */
export function trackedFiles(root: string): TrackedFile[] {
  const within = pathsWithin(root);
  const recorded = inventoryIn(root);
  return [...currentTexts()].flatMap(([path, template]): TrackedFile[] => {
    const found = readPathState(within(path));
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
 * Returns a plan that updates the outdated files, and that records hashes of the tracked files in the inventory. The
 * plan does not change edited files. Returns null if neither a file nor the inventory needs an update.
 *
 * @param accept whether to record edited files as up to date, so that meshops no longer reports them as outdated
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

/** Returns an inventory with the hashes of the bases, hooks and workflows in `files`. */
export function scaffoldInventory(files: readonly { readonly path: string; readonly text: string }[]): Inventory {
  const tracked = currentTexts();
  const own = files.filter(({ path }) => tracked.has(path));
  return { version, inputs: null, files: new Map(own.map(({ path, text }) => [path, [hashOf(text)]])) };
}

/**
 * Returns findings about the edited files that are outdated. An edited file is outdated if its template has changed, or
 * if the file lacks one of the `requiredFixes`. `generate` does not update edited files.
 */
export function outdatedScaffold(root: string): Diagnostic[] {
  return trackedFiles(root).flatMap(({ path, standing, state, templateChanged }): Diagnostic[] => {
    const missing = requiredFixes.filter((fix) => fix.path === path && !standing.includes(fix.shows));
    if (state !== "edited" || (!templateChanged && missing.length === 0)) return [];
    const finding = fileDiagnostic(path, {
      code: "scaffold-outdated",
      message: `this file can lack changes of meshops ${version}, because meshops does not overwrite edited files`,
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
  const found = readPathState(pathsWithin(root)(inventoryFile(scaffoldOwner)));
  return found.kind === "file" ? parseInventory(found.text, scaffoldOwner) : null;
}

/** Returns the text of each tracked file in this version of meshops, by path. The branch in these texts is `main`. */
function currentTexts(): Map<string, string> {
  const templates = [...templateAssets()].filter(([path]) => trackedTemplates.test(path));
  return new Map([
    ...[...baseAssets()].map(([path, text]) => [`bases/${path}`, text] as const),
    ...templates.map(([path, text]) => [targetOf(path), withMainBranch(text)] as const),
  ]);
}

/**
 * Renders the template of a hook or workflow for the branch `main`. The function does not use Handlebars, because
 * loading Handlebars takes 30 ms, and the branch is the only placeholder in these templates. In these templates, `\\{{`
 * is the escape sequence for `{{`.
 */
function withMainBranch(template: string): string {
  return template.replaceAll("{{branch}}", "main").replaceAll("\\{{", "{{");
}

const branches = /^( *(?:branches|include): )\["([^"*]+)"\]$/gm;

/** Returns the text `template` with the branch that the file on disk specifies. */
function withBranchOf(standing: string, template: string): string {
  const [, , branch = "main"] = new RegExp(branches.source, "m").exec(standing) ?? [];
  return template.replace(branches, (_, key: string) => `${key}["${branch}"]`);
}

/**
 * Replaces the name of the Git branch in the text of a file with `main`, and returns the SHA-256 hash of the result.
 * The hash therefore does not depend on the branch.
 */
function hashOf(text: string): string {
  return sha256(text.replace(branches, '$1["main"]'));
}
