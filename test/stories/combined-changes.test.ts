import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Procedure, push, type Step, sharedPush } from "../../generator/components/change-rule.ts";
import type { Risk } from "../../generator/components/risk-levels.ts";
import { combineProcedures } from "../../generator/diff/procedure.ts";
import { changesBetween, type Row } from "../support/changes.ts";
import { meshops } from "../support/cli.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/* Tests `meshops diff` for commits with several changes that affect each other. */

const spec = (more: string, gitops: string = "", linkerd: string = ""): string => `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  gitops: {url: https://github.com/acme/platform${gitops}}
  cluster: {context: lab}
  linkerd: {lifecycle: existing, version: edge-26.8.3${linkerd}}
  pydgraphClient: {enabled: false}
${more}`;
const dgraph = (more: string = ""): string => `  dgraph:
    release: demo
    clients: [{namespace: web, serviceAccount: web}]
${more}`;
/** The files in bases/ of this repository that the overlays of Dgraph use. */
const bases = Object.fromEntries(
  ["dgraph/release.yaml", "dgraph/kustomization.yaml", "helm-release/kustomization.yaml"].map((path) => [
    `bases/${path}`,
    readFileSync(join(projectRoot, "bases", path), "utf8"),
  ]),
);
const text = (rows: readonly Row[]): string => JSON.stringify(rows, null, 1);
const find = (rows: readonly Row[], kind: string): Row => {
  const found = rows.find((row) => row.kind === kind);
  if (found === undefined) throw new Error(`no change of a ${kind} in ${text(rows)}`);
  return found;
};

describe("volumes of Dgraph", () => {
  const sizes = (alpha: string, zero: string, release: string = "demo"): string =>
    dgraph(`    alpha: {storage: ${alpha}}\n    zero: {storage: ${zero}}\n`).replace("release: demo", `release: ${release}`);

  test("if the volumes of Alpha become smaller, diff prints no steps for the larger volumes of Zero", async () => {
    const rows = await changesBetween(spec(sizes("20Gi", "10Gi")), spec(sizes("10Gi", "20Gi")), bases);
    const { risk, reason, steps } = find(rows, "HelmRelease");
    expect(risk, text(rows)).toBe("volume-claim");
    expect(reason).toContain("so Helm cannot apply any change of this HelmRelease");
    expect(steps.map((step) => step.text)).toEqual([expect.stringContaining("Set dgraph.alpha.storage to 20Gi or more")]);
  });

  test("if the release changes, too, diff does not ask the user to resize volumes", async () => {
    const rows = await changesBetween(spec(sizes("20Gi", "10Gi")), spec(sizes("40Gi", "10Gi", "next")), bases);
    const { risk, reason } = find(rows, "HelmRelease");
    expect(risk, text(rows)).toBe("data-loss");
    expect(reason).toContain("start with empty volumes");
    expect(reason).not.toContain("resize");
  });
});

test("another root Kustomization and a service account are one procedure with one push", async () => {
  const gitops = ", serviceAccountName: flux-applier, root: {kustomization: {name: mesh, namespace: flux-system}}";
  const rows = await changesBetween(spec(dgraph()), spec(dgraph(), gitops), bases);
  const account = rows.find(({ steps }) => JSON.stringify(steps).includes("service account"));
  const root = rows.find(({ kind, name }) => kind === "Kustomization" && name === "flux-system");
  const procedures: Procedure[] = [account, root].map((row) => {
    if (row === undefined) throw new Error(text(rows));
    const steps = row.steps.map((each): Step => (each.text === sharedPush.text ? sharedPush : { text: each.text }));
    return { risk: row.risk as Risk, reason: row.reason, steps };
  });
  const combined = combineProcedures(procedures);
  expect(combined.kind, text(rows)).toBe("one");
});

describe("default inbound policy of a namespace", () => {
  const namespace = (policy: string): string =>
    `  dgraph: {enabled: false}\n  namespaces:\n    web: {mesh: {inject: enabled${policy === "" ? "" : `, defaultInboundPolicy: ${policy}`}}}\n`;
  const cluster = (policy: string): string => `, defaultInboundPolicy: ${policy}`;
  const change = async (before: readonly [string, string], after: readonly [string, string]): Promise<Row> =>
    find(
      await changesBetween(spec(namespace(before[1]), "", cluster(before[0])), spec(namespace(after[1]), "", cluster(after[0]))),
      "Namespace",
    );

  test.each([
    ["deny", "all-unauthenticated", "wider-access"],
    ["deny", "cluster-authenticated", "wider-access"],
    ["all-unauthenticated", "all-unauthenticated", "harmless"],
    ["all-unauthenticated", "deny", "narrower-access"],
  ])("with %s in the cluster, a namespace with %s has the risk %s", async (ofCluster, ofNamespace, risk) => {
    expect(await change([ofCluster, ""], [ofCluster, ofNamespace])).toMatchObject({ risk });
  });

  test("if the cluster admits more clients and the namespace stays strict, running pods admit more until they restart", async () => {
    const { risk, reason } = await change(["deny", ""], ["all-unauthenticated", "deny"]);
    expect(risk).toBe("wider-access");
    expect(reason).toContain("until they restart, pods in namespace web use the new default inbound policy of the cluster");
  });
});

test("internalPorts: skip is an error in the commit that opens the default inbound policy, because running pods keep the old policy", async () => {
  const folder = scratchFolder("internal-ports");
  const strict = spec(`${dgraph()}  namespaces: {dgraph: {mesh: {defaultInboundPolicy: deny}}}\n`);
  writeTree(folder, { ...bases, "environments/shop.yaml": strict });
  expect((await meshops(folder, ["generate"])).code).toBe(0);
  const open = strict.replace("defaultInboundPolicy: deny", "defaultInboundPolicy: all-unauthenticated");
  writeTree(folder, { "environments/shop.yaml": open.replace("release: demo", "release: demo\n    internalPorts: skip") });
  const { code, stdout } = await meshops(folder, ["validate", "shop"]);
  expect(code, stdout).toBe(1);
  expect(stdout).toContain("internal-ports-refused");
  expect(stdout).toContain("set dgraph.internalPorts: opaque, and push a commit");
});

test("a client whose namespace disables injection has no access, and validate reports the client", async () => {
  const disabled = `${dgraph()}  namespaces: {web: {mesh: {inject: disabled}}}\n`;
  const before = spec("  dgraph: {release: demo, clients: []}\n  namespaces: {web: {mesh: {inject: enabled}}}\n");
  const rows = await changesBetween(before, spec(disabled), bases);
  expect(text(rows)).not.toMatch(/web\/web can connect to port 8080/);
  const enabled = await changesBetween(before, spec(disabled.replace("disabled", "enabled")), bases);
  expect(text(enabled)).toMatch(/web\/web can connect to port 8080/);
  const folder = scratchFolder("client-unmeshed");
  writeTree(folder, { "environments/shop.yaml": spec(disabled) });
  const { stdout } = await meshops(folder, ["validate", "shop"]);
  expect(stdout).toContain("client-not-meshed");
  expect(stdout).toContain("set namespaces.web.mesh.inject: enabled");
});

test("a new pull Secret of Dgraph's chart has a step that creates the Secret", async () => {
  const registry = "  registry: {host: harbor.example.org, images: mirror, pullSecretRef: {name: harbor-pull}}\n";
  const rows = await changesBetween(spec(dgraph()), spec(dgraph() + registry), bases);
  const release = find(rows, "HelmRelease");
  expect(release.reason, text(rows)).toContain("the pods now pull their images with Secret harbor-pull");
  expect(release.steps.map((step) => step.text).join("\n")).toContain("create Secret harbor-pull in namespace dgraph");
});

/** Commits the samples of this repository to a new Git repository. */
async function samples(): Promise<string> {
  const root = scratchFolder("combined");
  for (const path of ["environments", "bases", "overlays", "flux", "helmfile.yaml", ".meshops"])
    cpSync(join(projectRoot, path), join(root, path), { recursive: true });
  const git = (...args: string[]): Promise<string> =>
    run("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args]);
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "before");
  return root;
}

function edit(root: string, from: string, to: string, file: string = "environments/production.yaml"): void {
  const path = join(root, file);
  const before = readFileSync(path, "utf8");
  expect(before).toContain(from);
  writeFileSync(path, before.replace(from, to));
}

test("if an environment is renamed and gets a name prefix, diff says to suspend the old Kustomizations before the push", async () => {
  const root = await samples();
  expect((await meshops(root, ["env", "rename", "production", "prod"])).code).toBe(0);
  edit(root, "  gitops:\n", "  gitops:\n    namePrefix: mesh-\n", "environments/prod.yaml");
  const { stdout } = await meshops(root, ["diff", "prod"]);
  expect(stdout).toContain("data-loss");
  const [suspended, pushed] = ["suspend the old Kustomizations", "Commit and push."].map((step) => stdout.indexOf(step));
  expect(suspended, stdout).toBeGreaterThan(0);
  expect(pushed).toBeGreaterThan(suspended ?? 0);
  expect(stdout.match(/Commit and push\.|Push the commit\./g)).toHaveLength(1);
});

describe("procedures of several changes", () => {
  const step = (name: string): Step =>
    name === "push"
      ? push
      : name === "shared push"
        ? sharedPush
        : name.startsWith("check")
          ? { text: name, phase: "before" }
          : name.startsWith("clean up")
            ? { text: name, phase: "last" }
            : { text: name };
  const of = (risk: Risk, ...names: string[]): Procedure => ({ risk, reason: "", steps: names.map(step) });
  const plain = (steps: readonly Step[]): string[] => steps.map(({ text: name }) => name.replace("Push the commit.", "push"));
  const combined = (...procedures: Procedure[]): unknown => {
    const found = combineProcedures(procedures);
    return found.kind === "one" ? plain(found.steps) : found.procedures.map(({ steps }) => plain(steps)[0]);
  };

  test("checks come before a procedure, and other steps after it; what removes data comes last", () => {
    expect(combined(of("rollout", "suspend", "push", "resume", "clean up"), of("rollout", "check", "restart"))).toEqual([
      "check",
      "suspend",
      "push",
      "resume",
      "restart",
      "clean up",
    ]);
    expect(combined(of("rollout", "check"), of("rollout", "restart"))).toEqual(["check", "push", "restart"]);
  });

  test("procedures in which Flux objects move share one push, and equal procedures are listed once", () => {
    const move = of("data-loss", "suspend a", "shared push", "wait");
    expect(combined(move, of("data-loss", "suspend b", "shared push", "delete"), move)).toEqual([
      "suspend a",
      "suspend b",
      "push",
      "wait",
      "delete",
    ]);
  });

  test("two other procedures need separate commits, and a restart of the mesh is the last commit", () => {
    const restart = of("mesh-restart", "announce", "push", "delete");
    expect(combined(restart, of("rollout", "suspend", "push", "resume"))).toEqual(["suspend", "announce"]);
    expect(combined(of("rollout", "a", "push"), of("data-loss", "b", "shared push"))).toEqual(["a", "b"]);
  });

  test("procedures with equally many commits are merged commit by commit", () => {
    const commit = (name: string): Step => ({ text: name, phase: "push" });
    const upgrade = (name: string): Procedure => ({
      risk: "narrower-access",
      reason: "",
      steps: [commit(`${name} off`), commit("upgrade"), step("restart"), commit(`${name} on`)],
    });
    expect(combined(upgrade("a"), upgrade("b"))).toEqual(["a off", "b off", "upgrade", "restart", "a on", "b on"]);
  });

  test("if a commit must not be pushed, no other step is listed", () => {
    const stop: Procedure = { risk: "stalled-rollout", reason: "", steps: [{ text: "do not push", phase: "stop" }] };
    expect(combined(stop, of("data-loss", "export", "push", "import"), of("rollout", "check"))).toEqual(["do not push"]);
  });
});

test("a new trust domain next to larger volumes: diff prints no steps, but the order of the commits", async () => {
  const root = await samples();
  edit(root, "  linkerd:\n", "  linkerd:\n    identity: {trustDomain: mesh.example.org}\n");
  edit(root, "storage: 128Gi", "storage: 256Gi");
  const { stdout } = await meshops(root, ["diff", "production"]);
  const text = stdout.replaceAll(/\s+/g, " ");
  expect(text).toContain("Make the changes in separate commits.");
  expect(text).toMatch(/1\. immutable-field: Helm cannot update the StatefulSet.* 2\. mesh-restart: all mesh identities change/);
  expect(text).not.toContain("Suspend the HelmRelease");
  expect(text).not.toContain("Push the commit");
  const { stdout: markdown } = await meshops(root, ["diff", "production", "-o", "markdown"]);
  expect(markdown).toContain("Make the changes in separate commits.");
  // If the commit contains only one of the two changes, diff prints the steps for this change.
  edit(root, "storage: 256Gi", "storage: 128Gi");
  expect((await meshops(root, ["diff", "production"])).stdout).toContain("Announce an outage of all meshed workloads");
});
