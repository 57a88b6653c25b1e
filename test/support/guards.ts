import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { azureCli, cachedTool, pydgraph, schemasFolder } from "../../scripts/tools/paths.ts";
import type { nodeVersions } from "../../scripts/tools/pins.ts";
import { nodeProblem } from "../node/harness/machine.ts";
import { chromiumPath } from "./browser.ts";
import { referenceFolder, type ToolName, tool } from "./tools.ts";

/**
 * Defines tests that need tools. `npm run tools` builds these tools. If a tool is missing, the tests are skipped with a
 * notice. With CI=true, one failing test replaces the tests. All exported functions of this file except `whereOnPath`
 * handle a missing prerequisite in this way.
 */
export function withTools(names: readonly ToolName[], title: string, define: () => void): void {
  const missing = names.filter((name) => !existsSync(tool(name)));
  if (names.includes("kubeconform") && !existsSync(schemasFolder)) missing.push("kubeconform");
  guarded(missing.length === 0, `${title} needs ${missing.join(", ")}: npm run tools`, title, define);
}

/** Defines tests that run on another version of Node. */
export function withNode(version: (typeof nodeVersions)[number], title: string, define: (node: string) => void): void {
  const node = cachedTool("node", version);
  guarded(existsSync(node), `${title} needs Node ${version}: npm run tools`, title, () => define(node));
}

/** Defines tests that need a program on the PATH. */
export function withProgram(program: string, title: string, define: () => void): void {
  guarded(onPath(program), `${title} needs ${program} on the PATH`, title, define);
}

/** Defines tests that need strace and the Azure CLI. The Azure CLI is a Python package, not a single program. */
export function withAzureCli(title: string, define: () => void): void {
  const ready = existsSync(join(azureCli, "installed")) && onPath("strace");
  guarded(ready, `${title} needs strace, and the Azure CLI: npm run tools`, title, define);
}

/** Defines tests of the Python client. These tests need the Python packages that the image of the client contains. */
export function withPydgraph(title: string, define: () => void): void {
  withPythonPackage("pydgraph", pydgraph, title, define);
}

/** Defines tests that need a Python package. @param folder virtual environment that `npm run tools` created for it */
export function withPythonPackage(name: string, folder: string, title: string, define: () => void): void {
  guarded(existsSync(join(folder, "installed")), `${title} needs ${name}: npm run tools`, title, define);
}

/** Defines tests that open pages in a browser. */
export function withBrowser(title: string, define: () => void): void {
  guarded(chromiumPath !== null, `${title} needs Chromium: apt-get install chromium, or name it in CHROMIUM`, title, define);
}

/** Defines tests that need a program. If the program is not on the PATH, the tests are skipped, even with CI=true. */
export function whereOnPath(program: string, title: string, define: () => void): void {
  if (onPath(program)) describe(title, define);
  else describe.skip(`${title} (skipped: ${program} is not on the PATH)`, define);
}

function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));
}

const clusterTools = [
  "grpcurl",
  "helm",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kustomize",
  "kustomize-controller",
  "kwok",
] as const;

/**
 * Defines tests that start their own cluster. They need etcd, the programs in `clusterTools`, and Flux's CRDs, which
 * are part of the reference data.
 */
export function withCluster(title: string, define: () => void): void {
  if (!existsSync(referenceFolder)) withReference(title, define);
  else if (onPath("etcd")) withTools(clusterTools, title, define);
  else guarded(false, `${title} needs etcd: apt-get install etcd-server`, title, define);
}

/** Defines tests that run cert-manager's controllers on their own cluster. */
export function withCertManager(title: string, define: () => void): void {
  if (existsSync(tool("cert-manager"))) withCluster(title, define);
  else withTools(["cert-manager"], title, define);
}

/** Defines tests that run on a real node. The folder `test/node/harness` contains the code that starts this node. */
export function withRealNode(title: string, define: () => void): void {
  const problem = existsSync(referenceFolder) ? nodeProblem() : "needs upstream's reference data in ../shared/reference";
  guarded(problem === null, `${title}: ${problem}`, title, define);
}

/**
 * Defines tests that need the reference data of upstream charts. The checkout does not contain this data.
 */
export function withReference(title: string, define: () => void): void {
  guarded(existsSync(referenceFolder), `${title} needs upstream's reference data in ../shared/reference`, title, define);
}

/**
 * Defines the tests of `define`. If `ready` is false, the tests are skipped and the notice is printed as a warning. If
 * `ready` is false and CI=true, defines one failing test instead. The error message of this test is the notice.
 */
function guarded(ready: boolean, notice: string, title: string, define: () => void): void {
  if (ready) describe(title, define);
  else if (process.env["CI"] === "true") test(title, () => Promise.reject(new Error(notice)));
  else {
    console.warn(`skipped: ${notice}`);
    describe.skip(title, define);
  }
}
