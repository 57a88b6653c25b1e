import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { decryptFile } from "../../generator/sops/file.ts";
import { type ChartServer, serveCharts } from "../support/charts.ts";
import { withCluster, withTools } from "../support/guards.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { fluxRoad, kustomizeBuild, overlaysOf } from "../support/roads.ts";
import { pathWith } from "../support/scaffold-readme.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, referenceFolder, run, tool } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import { clusterCharts } from "./harness/charts.ts";
import type { ControlPlane } from "./harness/control-plane.ts";
import { policiesOf } from "./harness/policies.ts";
import { until } from "./harness/processes.ts";
import { startSimulatedNodes } from "./harness/simulated-nodes.ts";

/** Texts of the sample specs, and of one spec per Linkerd release. The keys are the names of the environments. */
const specs: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["base", "dev", "production"].map((name) => [name, readFileSync(join(projectRoot, `environments/${name}.yaml`), "utf8")]),
  ),
  ...Object.fromEntries(
    linkerdReleases.map(({ version }) => {
      const name = version.replaceAll(".", "-");
      return [name, specText({ linkerd: { version, jaeger: { enabled: true } } }, name)];
    }),
  ),
};

withCluster("the real API server admits every generated object", () => {
  let plane: ControlPlane;
  let root: string;
  let charts: ChartServer;
  beforeAll(async () => {
    plane = await startSimulatedNodes(scratchFolder("plane"));
    charts = await serveCharts(await clusterCharts());
    root = makePlatform(specs);
    expect(await generateIn(root)).toBe(0);
    const crds = join(referenceFolder, "crds/flux");
    for (const file of readdirSync(crds)) await plane.api.applyAll(readFileSync(join(crds, file), "utf8"));
  });
  afterAll(async () => {
    charts.close();
    await plane?.stop();
  });

  /**
   * Applies an object in a dry run. If the object is a Namespace or a CRD, applies it without a dry run, because other
   * objects require it. Throws an error if the API server rejects the object, for example because of an unknown field.
   */
  async function admit(object: ApiObject): Promise<void> {
    const { kind, metadata } = object;
    if (kind === "Namespace" || kind === "CustomResourceDefinition") await plane.api.apply(object);
    else await plane.api.dryRun(object);
    expect(metadata.name).toBeTruthy();
  }

  test.each(Object.keys(specs).filter((name) => name !== "base"))(
    "%s: Flux's objects, the overlays with decrypted Secrets, and the CRDs of its Linkerd release",
    async (name) => {
      const track =
        linkerdReleases.find(({ version }) => specs[name]?.includes(version)) ??
        linkerdReleases.find(({ version }) => specs["base"]?.includes(version));
      await forgetLinkerd();
      const linkerd = join(referenceFolder, "charts/linkerd-crds", track?.charts["linkerd-crds"] ?? "", "rendered.yaml");
      for (const document of parseAllDocuments(readFileSync(linkerd, "utf8")))
        if (document.toJS() !== null) await admit(document.toJS() as ApiObject);
      let count = 0;
      const flux = join(root, "flux", name);
      await plane.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "flux-system" } });
      for (const file of readdirSync(flux))
        for (const document of parseAllDocuments(readFileSync(join(flux, file), "utf8"))) {
          await admit(document.toJS() as ApiObject);
          count++;
        }
      for (const overlay of ["namespaces", ...overlaysOf(root, name).filter((each) => each !== "namespaces")])
        for (const document of parseAllDocuments(await kustomizeBuild(join(root, "overlays", name, overlay)))) {
          await admit(await decrypted(document.toString()));
          count++;
        }
      // Also admits the objects that the charts render. The reference data does not contain Grafana's chart, so the
      // charts of an environment with Grafana are not rendered.
      if (!overlaysOf(root, name).includes("grafana"))
        for (const [component, objects] of await fluxRoad(root, name, charts))
          for (const object of component === "identity" ? [] : (objects as ApiObject[])) {
            await admit(object);
            count++;
          }
      expect(count).toBeGreaterThan(50);
    },
    120_000,
  );

  /**
   * Deletes the CRDs of the previous Linkerd release. These CRDs may serve other API versions than the CRDs of the next
   * release.
   */
  async function forgetLinkerd(): Promise<void> {
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const others = async (): Promise<ApiObject[]> =>
      (await plane.api.list(path)).filter(({ metadata }) => !metadata.name.endsWith(".toolkit.fluxcd.io"));
    for (const { metadata } of await others()) await plane.api.delete(`${path}/${metadata.name}`);
    await until("other kinds are gone", async () => (await others()).length === 0, 20);
    plane.api.forgetKinds();
  }

  test("the API server rejects an object with an unknown field, so the tests of valid objects can fail", async () => {
    const wrong = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a", namespace: "default" },
      dat: {},
    } as unknown as ApiObject;
    await expect(plane.api.dryRun(wrong)).rejects.toThrow(/dat/);
  });

  async function decrypted(text: string): Promise<ApiObject> {
    const plain = /^sops:$/m.test(text) ? await decryptFile(text, { identities: [testIdentity().clusterKey] }) : text;
    return parseAllDocuments(plain)[0]?.toJS() as ApiObject;
  }
});

withCluster("helmfile installs what Flux installs", () => {
  let plane: ControlPlane;
  let root: string;
  beforeAll(async () => {
    plane = await startSimulatedNodes(scratchFolder("plane"));
    root = makePlatform({ own: specText({ linkerd: { jaeger: { enabled: true } } }, "own") });
    expect(await generateIn(root)).toBe(0);
  });
  afterAll(() => plane?.stop());

  test("helmfile sync installs the policies of Dgraph before its pods, and the same objects as Flux", async () => {
    const folder = await clusterCharts();
    const charts = await serveCharts(folder);
    const bin = (name: Parameters<typeof tool>[0]): string => join(tool(name), "..");
    const env = {
      ...charts.env,
      PATH: `${["helm", "kustomize", "kubectl", "sops"].map((name) => bin(name as "helm")).join(":")}:${process.env["PATH"]}`,
      KUBECONFIG: plane.kubeconfigFile("admin"),
      HOME: plane.folder,
      SOPS_AGE_KEY: testIdentity().clusterKey,
    };
    await run(tool("helmfile"), ["--environment", "own", "--skip-deps", "--quiet", "sync"], { cwd: root, env });
    const created = plane.created("dgraph");
    const policies = policiesOf(root, "own");
    expect(created.slice(0, policies.length).sort(), "every policy exists before Dgraph's first pod").toEqual(policies);
    expect(created.slice(policies.length).join()).toMatch(/^pods demo-dgraph/);
    const road = await fluxRoad(root, "own", charts);
    charts.close();
    const missing: string[] = [];
    let compared = 0;
    for (const objects of road.values())
      for (const object of objects as ApiObject[]) {
        if (["HelmRelease", "Secret"].includes(object.kind) || object.metadata.name.includes("-values-")) continue;
        const live = await plane.api.get(await plane.api.pathOf(object));
        compared++;
        // The test applies the object that Flux would apply, in a dry run. The result of the dry run must equal the
        // object that helmfile installed.
        const laid = await plane.api.dryRun(withoutMarks(object), "flux-road").catch((error: unknown) => String(error));
        if (live === null || typeof laid === "string" || !same(live, laid))
          missing.push(
            `${object.kind} ${object.metadata.namespace}/${object.metadata.name} ${typeof laid === "string" ? laid : ""}`,
          );
      }
    expect(missing).toEqual([]);
    expect(compared).toBeGreaterThan(80);
  });
});

withTools(["helm4"], "Helm versions", () =>
  withCluster("helmfile on a cluster whose webhooks another program changes, as on AKS", () => {
    let plane: ControlPlane;
    beforeAll(async () => {
      plane = await startSimulatedNodes(scratchFolder("plane"));
    });
    afterAll(() => plane?.stop());

    const injector = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config";

    /** Adds an expression to the webhook's namespaceSelector, as AKS's admissions enforcer does (Azure/AKS#4002). */
    async function enforce(): Promise<void> {
      const object = (await plane.api.get(injector)) as ApiObject;
      const [webhook] = object["webhooks"] as { name: string; namespaceSelector: { matchExpressions: object[] } }[];
      webhook?.namespaceSelector.matchExpressions.push({ key: "control-plane", operator: "NotIn", values: [String(Date.now())] });
      await plane.api.send("PUT", `${injector}?fieldManager=admissionsenforcer`, object);
    }

    /**
     * Runs `helmfile sync` for Linkerd's control plane and the components that it needs.
     *
     * @param declared `helmfile.helmVersion` in the spec
     * @param binary the Helm version that is on the PATH as `helm`
     * @param change changes the text of the generated helmfile before the run
     */
    async function sync(
      declared: 3 | 4,
      binary: "helm" | "helm4",
      change: (helmfile: string) => string = (text) => text,
    ): Promise<string> {
      const root = makePlatform({ own: specText({ helmfile: { helmVersion: declared } }, "own") });
      expect(await generateIn(root)).toBe(0);
      const file = join(root, "overlays/own/helmfile.yaml");
      writeFileSync(file, change(readFileSync(file, "utf8")));
      const charts = await serveCharts(await clusterCharts());
      const path = pathWith(
        { helm: `exec '${tool(binary)}' "$@"` },
        ...["kustomize", "kubectl", "sops"].map((name) => join(tool(name as "kubectl"), "..")),
      );
      const env = {
        ...charts.env,
        PATH: path,
        KUBECONFIG: plane.kubeconfigFile("admin"),
        HOME: plane.folder,
        SOPS_AGE_KEY: testIdentity().clusterKey,
      };
      const args = [
        "--environment",
        "own",
        "--selector",
        "name=linkerd-control-plane",
        "--skip-deps",
        "--quiet",
        "sync",
        "--include-needs",
      ];
      try {
        return await run(tool("helmfile"), args, { cwd: root, env });
      } finally {
        charts.close();
      }
    }

    test("Helm 4 upgrades a control plane that Helm 3 installed, also after another program has changed the webhook", async () => {
      await sync(3, "helm");
      await enforce();
      // Without `serverSide`, Helm 4 continues with client-side apply, and rejects `forceConflicts`.
      await expect(sync(4, "helm4", (text) => text.replaceAll(/\n\s*serverSide: "true"/g, ""))).rejects.toThrow(
        /forceConflicts enabled when serverSideApply disabled/,
      );
      await sync(4, "helm4");
      // After the upgrade, Helm manages `namespaceSelector`. Therefore the test changes `namespaceSelector` again, as
      // the admissions enforcer does. Without `forceConflicts`, the next upgrade then fails.
      await enforce();
      await expect(sync(4, "helm4", (text) => text.replaceAll(/\n\s*forceConflicts: true/g, ""))).rejects.toThrow(
        /conflict with "admissionsenforcer"/,
      );
    });

    test("Helm 3 is refused if the spec declares Helm 4, and Helm 4 is refused if the spec declares Helm 3", async () => {
      await expect(sync(4, "helm")).rejects.toThrow(/the spec declares Helm 4, but helm on the PATH is Helm 3|forceConflicts/);
      await expect(sync(3, "helm4")).rejects.toThrow(/the spec declares Helm 3, but helm on the PATH is Helm 4/);
    });
  }),
);

/** Returns an object without the label `app.kubernetes.io/managed-by`, whose value depends on the engine. */
function withoutMarks(object: ApiObject): ApiObject {
  const { labels = {}, annotations = {}, ...metadata } = object.metadata;
  const own = Object.fromEntries(Object.entries(labels).filter(([key]) => key !== "app.kubernetes.io/managed-by"));
  return { ...object, metadata: { ...metadata, ...(Object.keys(own).length === 0 ? {} : { labels: own }), annotations } };
}

/** Whether two states of an object are equal. Ignores the field managers, the resourceVersion and the status. */
function same(a: ApiObject, b: ApiObject): boolean {
  const strip = ({ metadata, status: _, ...rest }: ApiObject): string => {
    const {
      managedFields: __,
      resourceVersion: ___,
      generation,
      ...kept
    } = metadata as ApiObject["metadata"] & { managedFields?: unknown };
    return JSON.stringify({ kept, generation, rest });
  };
  return strip(a) === strip(b);
}
