import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type Checkout, checkoutWithCertManager } from "../cert-manager/checkout.ts";
import { type Finished, meshopsProcess } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { scratchFolder, testIdentity, writeTree } from "../support/platform.ts";
import { kustomizeBuild } from "../support/roads.ts";
import { projectRoot, run, tool } from "../support/tools.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster } from "./harness/cluster.ts";
import { makeGitPlatform, type Platform } from "./harness/platform.ts";
import { until } from "./harness/processes.ts";

/*
 * Tests that a new component needs only one folder, one line and an import in the registry, and one field in the
 * schema. The test adds cert-manager to a copy of this checkout. The commands of this copy must then support
 * cert-manager. A small chart in test/cert-manager/chart replaces the real chart of cert-manager.
 */
withCluster("a component that is added in one folder", () => {
  let checkout: Checkout;
  let platform: Platform;
  let cluster: Cluster;
  const cli = (...args: string[]): Promise<Finished> => meshopsProcess(platform.root, args, { cli: checkout.cli });

  /** Sets `certManager.enabled` in the spec of the environment, and runs `generate` of the copied checkout. */
  async function certManager(enabled: boolean): Promise<void> {
    const path = "environments/own.yaml";
    const document = parse(readFileSync(join(platform.root, path), "utf8")) as { spec: object };
    writeTree(platform.root, { [path]: stringify({ ...document, spec: { ...document.spec, certManager: { enabled } } }) });
    const { code, stderr } = await cli("generate", "own");
    expect(code, stderr).toBe(0);
  }

  beforeAll(async () => {
    checkout = await checkoutWithCertManager();
    platform = await makeGitPlatform();
    await certManager(true);
    const charts = scratchFolder("charts");
    cpSync(await clusterCharts(), charts, { recursive: true });
    await run(tool("helm"), ["package", join(projectRoot, "test/cert-manager/chart"), "--destination", charts]);
    const { clusterKey: ageKey } = testIdentity();
    const { root: repository, environment } = platform;
    cluster = await Cluster.start({ repository, environment, ageKey, charts, cli: checkout.cli });
    await cluster.startFlux();
  });
  afterAll(() => cluster?.stop());

  test("needs one folder, one line in the registry plus its import, and one field in the schema", () => {
    const [folder, others] = [true, false].map((inside) =>
      [...checkout.edits].filter(([path]) => path.startsWith("generator/components/cert-manager/") === inside),
    );
    expect(folder?.length).toBeGreaterThan(1);
    expect(others).toEqual([
      ["generator/components/registry.ts", 2],
      ["schema/environment.schema.json", expect.any(Number)],
    ]);
    expect(readdirSync(join(platform.root, "bases"))).not.toContain("cert-manager");
  });

  test("appears in the startup order, the graph, the images, helmfile and the validation of specs", async () => {
    const graph = (await cli("graph", "own", "--show", "order")).stdout;
    const box = /(b\d+)\["cert-manager<br\/>cert-manager v1.17.2"\]:::cert-manager/.exec(graph)?.[1];
    const namespaces = /(b\d+)\["namespaces/.exec(graph)?.[1];
    expect(graph).toContain(`${namespaces} --> ${box}`);
    expect((await cli("images", "own")).stdout).toContain("quay.io/jetstack/cert-manager-cainjector:v1.17.2");
    const helmfile = readFileSync(join(platform.root, "overlays/own/helmfile.yaml"), "utf8");
    expect(helmfile).toMatch(/name: cert-manager\n {4}chart: jetstack\/cert-manager\n {4}namespace: cert-manager/);
    writeTree(platform.root, { "environments/odd.yaml": specWith({ certManager: { enable: true } }) });
    expect((await cli("validate", "odd")).stdout).toContain('did you mean "enabled"?');
    writeTree(platform.root, { "environments/odd.yaml": specWith({ dgraph: { namespace: "cert-manager" } }) });
    expect((await cli("validate", "odd")).stdout).toContain("namespace-reserved");
    await run("rm", [join(platform.root, "environments/odd.yaml")]);
  });

  test("builds with the real kustomize, and needs no folder under bases/", async () => {
    const built = await kustomizeBuild(join(platform.root, "overlays/own/cert-manager"));
    expect(built).toContain("kind: HelmRelease");
    expect(built).toContain("strategy: rollback");
    expect(built).toMatch(/valuesFrom:\n {2}- kind: ConfigMap\n {4}name: cert-manager-values-\w{10}/);
    const namespaces = await kustomizeBuild(join(platform.root, "overlays/own/namespaces"));
    expect(namespaces).toContain("cert-manager.io/disable-validation");
  });

  test("is admitted by the real API server and reconciled by the real kustomize-controller; status shows it", async () => {
    await cluster.bootstrap();
    await cluster.settled(await cluster.git.publish());
    for (const path of [
      "/apis/apps/v1/namespaces/cert-manager/deployments/cert-manager-webhook",
      "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/certificates.cert-manager.io",
      webhook,
    ])
      expect(await cluster.api.get(path), path).not.toBeNull();
    const { stdout } = await status();
    expect(stdout).toMatch(/^ok cert-manager +v1.17.2, 3 workloads$/m);
  });

  test("reports its own risks in diff", async () => {
    await cluster.git.commit("with cert-manager");
    await certManager(false);
    const { stdout } = await cli("diff", "own");
    expect(stdout.replace(/\s+/g, " ")).toContain(
      "Flux uninstalls cert-manager: no certificate is renewed; CRDs and Certificates stay",
    );
    await certManager(true);
  });

  test("is removed by teardown, except the CRDs that its chart keeps", async () => {
    const script = (await cli("teardown", "own", "--context", "harness")).stdout;
    expect(script).toMatch(
      /'take_down' 'cert-manager' 'cert-manager' 'cert-manager' 'app\.kubernetes\.io\/instance=cert-manager'/,
    );
    await cluster.script("teardown");
    expect(await cluster.api.get(webhook)).toBeNull();
    await until("the namespace is gone", async () => (await cluster.api.get("/api/v1/namespaces/cert-manager")) === null);
    expect(await cluster.api.list("/apis/helm.toolkit.fluxcd.io/v2/helmreleases")).toEqual([]);
    const crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/certificates.cert-manager.io";
    expect(await cluster.api.get(crd)).not.toBeNull();
  });

  const webhook = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/cert-manager-webhook";

  function specWith(spec: object): string {
    const document = parse(readFileSync(join(platform.root, "environments/own.yaml"), "utf8")) as { spec: object };
    return stringify({ ...document, metadata: { name: "odd" }, spec: { ...document.spec, ...spec } });
  }

  function status(): Promise<Finished> {
    const path = `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`;
    const env = { PATH: path, KUBECONFIG: cluster.plane.kubeconfigFile("admin") };
    return meshopsProcess(platform.root, ["status", "own", "--context", "harness"], { env, cli: checkout.cli });
  }
});
