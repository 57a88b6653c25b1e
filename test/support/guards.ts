import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import { azureCli, cachedTool, pydgraph, schemasFolder } from "../../scripts/tools/paths.ts";
import type { nodeVersions } from "../../scripts/tools/pins.ts";
import { chromiumPath } from "./browser.ts";
import { referenceFolder, type ToolName, tool } from "./tools.ts";

/** Tests that need real tools: skipped with a notice if these are not built; with CI=true they fail instead, as with all guards here. */
export function withTools(names: readonly ToolName[], title: string, define: () => void): void {
  const missing = names.filter((name) => !existsSync(tool(name)));
  if (names.includes("kubeconform") && !existsSync(schemasFolder)) missing.push("kubeconform");
  guarded(missing.length === 0, `${title} needs ${missing.join(", ")}: npm run tools`, title, define);
}

/** Tests with another release of Node. */
export function withNode(version: (typeof nodeVersions)[number], title: string, define: (node: string) => void): void {
  const node = cachedTool("node", version);
  guarded(existsSync(node), `${title} needs Node ${version}: npm run tools`, title, () => define(node));
}

/** Tests that need a program on the PATH. */
export function withProgram(program: string, title: string, define: () => void): void {
  guarded(onPath(program), `${title} needs ${program} on the PATH`, title, define);
}

/** Tests that need the Azure CLI, which is no single binary, and strace, which sees what its callers are given. */
export function withAzureCli(title: string, define: () => void): void {
  const ready = existsSync(join(azureCli, "installed")) && onPath("strace");
  guarded(ready, `${title} needs strace, and the Azure CLI: npm run tools`, title, define);
}

/** Tests of the Python client, with the packages that its image has. */
export function withPydgraph(title: string, define: () => void): void {
  withPythonPackage("pydgraph", pydgraph, title, define);
}

/** Tests that need a Python package in a virtual environment of its own. */
export function withPythonPackage(name: string, folder: string, title: string, define: () => void): void {
  guarded(existsSync(join(folder, "installed")), `${title} needs ${name}: npm run tools`, title, define);
}

/** Tests that look at pages. */
export function withBrowser(title: string, define: () => void): void {
  guarded(chromiumPath !== null, `${title} needs Chromium: apt-get install chromium, or name it in CHROMIUM`, title, define);
}

/** Tests of what is optional even in CI: skipped with a notice. */
export function whereOnPath(program: string, title: string, define: () => void): void {
  if (onPath(program)) describe(title, define);
  else describe.skip(`${title} (skipped: no ${program} on the PATH)`, define);
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

/** Tests on a cluster of their own: they need its tools, etcd, and Flux's CRDs of the reference data. */
export function withCluster(title: string, define: () => void): void {
  if (!existsSync(referenceFolder)) withReference(title, define);
  else if (onPath("etcd")) withTools(clusterTools, title, define);
  else guarded(false, `${title} needs etcd: apt-get install etcd-server`, title, define);
}

/** Tests against upstream reference data, which is not part of the checkout. */
export function withReference(title: string, define: () => void): void {
  guarded(existsSync(referenceFolder), `${title} needs upstream's reference data in ../shared/reference`, title, define);
}

/** Defines tests if their prerequisites exist. If not, they are skipped with a notice, or with CI=true one test fails that names what is missing. */
function guarded(ready: boolean, notice: string, title: string, define: () => void): void {
  if (ready) describe(title, define);
  else if (process.env["CI"] === "true") test(title, () => Promise.reject(new Error(notice)));
  else {
    console.warn(`skipped: ${notice}`);
    describe.skip(title, define);
  }
}
