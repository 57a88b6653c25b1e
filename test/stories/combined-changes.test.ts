import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { push, type Step } from "../../generator/components/change-rule.ts";
import { combineProcedures } from "../../generator/diff/procedure.ts";
import { changesBetween, type Row } from "../support/changes.ts";
import { meshops } from "../support/cli.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/* Tests `meshops diff` for commits with several changes, which affect each other. */

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
/** The bases of the repository, which the overlays of Dgraph use. */
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
    expect(steps.map((step) => step.text)).toEqual([expect.stringContaining("set dgraph.alpha.storage to 20Gi or more")]);
  });

  test("if the release changes, too, diff does not ask the user to resize volumes", async () => {
    const rows = await changesBetween(spec(sizes("20Gi", "10Gi")), spec(sizes("40Gi", "10Gi", "next")), bases);
    const { risk, reason } = find(rows, "HelmRelease");
    expect(risk, text(rows)).toBe("data-loss");
    expect(reason).toContain("start with empty volumes");
    expect(reason).not.toContain("resize");
  });
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

test("if an environment is renamed and gets a name prefix, diff says to suspend the old Kustomizations before the push", async () => {
  const root = scratchFolder("renamed-with-prefix");
  for (const path of ["environments", "bases", "overlays", "flux", "helmfile.yaml", ".meshops"])
    cpSync(join(projectRoot, path), join(root, path), { recursive: true });
  const git = (...args: string[]): Promise<string> =>
    run("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args]);
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "before");
  expect((await meshops(root, ["env", "rename", "production", "prod"])).code).toBe(0);
  const file = join(root, "environments/prod.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("  gitops:\n", "  gitops:\n    namePrefix: mesh-\n"));
  const { stdout } = await meshops(root, ["diff", "prod"]);
  expect(stdout).toContain("data-loss");
  const [suspended, pushed] = ["suspend the old Kustomizations", "Commit and push."].map((step) => stdout.indexOf(step));
  expect(suspended, stdout).toBeGreaterThan(0);
  expect(pushed).toBeGreaterThan(suspended ?? 0);
  expect(stdout.match(/Commit and push\.|Push the commit\./g)).toHaveLength(1);
});

describe("procedures of several changes", () => {
  const step = (name: string): Step => ({ text: name });
  const steps = (...names: string[]): Step[] => names.map((name) => (name === "push" ? push : step(name)));
  const combined = (...lists: Step[][]): unknown => {
    const procedures = combineProcedures(lists.map((list) => ({ risk: "rollout", steps: list })));
    return procedures.kind === "one"
      ? procedures.steps.map((each) => each.text.replace("Push the commit.", "push"))
      : procedures.kind;
  };

  test("share one push", () => {
    expect(combined(steps("export", "push", "import"), steps("suspend", "push", "resume"), steps("check"))).toEqual([
      "export",
      "suspend",
      "push",
      "import",
      "resume",
      "check",
    ]);
  });

  test("a step before the push stays before the push, also if its list contains no push", () => {
    expect(combined([{ text: "copy", phase: "before" }], steps("restart"))).toEqual(["copy", "push", "restart"]);
  });

  test("procedures with equally many commits are merged commit by commit", () => {
    const commit = (text: string): Step => ({ text, phase: "push" });
    const of = (name: string): Step[] => [commit(`${name} off`), commit("upgrade"), step("restart"), commit(`${name} on`)];
    expect(combined(of("a"), of("b"))).toEqual(["a off", "b off", "upgrade", "restart", "a on", "b on"]);
  });

  test("a procedure with several commits is separate from a procedure with one commit", () => {
    expect(combined(steps("push", "push"), steps("suspend", "push", "resume"))).toBe("separate");
  });

  test("a restart of the mesh is separate from a procedure with a push", () => {
    const [restart, other] = [steps("announce", "push", "delete"), steps("suspend", "push", "resume")];
    expect(
      combineProcedures([
        { risk: "mesh-restart", steps: restart },
        { risk: "rollout", steps: other },
      ]),
    ).toEqual({ kind: "separate" });
  });
});
