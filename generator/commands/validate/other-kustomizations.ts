import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { kustomizationName, placementOf } from "../../bundle/emit/placement.ts";
import type { Repository } from "../../bundle/repository.ts";
import { modelOf } from "../../components/build.ts";
import { isDelivered } from "../../components/model.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { gitopsNameRule, type OtherKustomization, takenNames } from "../../lint/specs/gitops.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { overlaysFolder } from "../../spec/layout.ts";
import type { Loaded } from "../../spec/load.ts";
import { gitRootOf } from "../../system/git-place.ts";
import { ruleFindings } from "../rule-findings.ts";

/** Returns a finding for each environment whose Kustomizations have names that the Git repository already uses. */
export function nameFindings({ root }: Repository, loaded: readonly Loaded[]): Diagnostic[] {
  const top = gitRootOf(root);
  if (top === null) return [];
  const others = otherKustomizations(top, join(root, overlaysFolder));
  return loaded.flatMap((each) =>
    ruleFindings(each, gitopsNameRule, (environment) => takenNames(environment, ownNames(environment), others)),
  );
}

/** Names of the Kustomizations that meshops generates for an environment. */
function ownNames(environment: Environment): string[] {
  const placement = placementOf(environment);
  return modelOf(environment)
    .components.filter(isDelivered)
    .map(({ id }) => kustomizationName(placement, id));
}

/** Size in bytes. Larger files are not read: a file with Kustomizations of Flux is small. */
const largest = 1 << 20;

/**
 * Returns the Kustomizations of Flux in a Git repository, without those that meshops generates. Files and documents
 * that cannot be parsed are skipped, for example templates.
 *
 * @param top root of the Git repository
 * @param generated folder that is not read
 */
function otherKustomizations(top: string, generated: string): OtherKustomization[] {
  const found: OtherKustomization[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && entry.name !== ".git" && entry.name !== "node_modules" && path !== generated) visit(path);
      if (entry.isFile() && /\.ya?ml$/.test(entry.name) && statSync(path).size <= largest)
        found.push(...kustomizationsIn(relative(top, path), readFileSync(path, "utf8")));
    }
  };
  visit(top);
  return found;
}

function kustomizationsIn(file: string, text: string): OtherKustomization[] {
  if (!text.includes("kustomize.toolkit.fluxcd.io/")) return [];
  const { objects } = parseManifests(file, text);
  return objects
    .filter(({ apiVersion, kind, value }) => {
      const isOwn = at(value, "metadata", "labels", "app.kubernetes.io/managed-by") === "meshops";
      return kind === "Kustomization" && apiVersion.startsWith("kustomize.toolkit.fluxcd.io/") && !isOwn;
    })
    .map(({ name, namespace }) => ({ file, name, namespace: namespace === "" ? null : namespace }));
}
