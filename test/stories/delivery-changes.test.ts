import { describe, expect, test } from "vitest";
import { changesBetween, type Row } from "../support/changes.ts";

/* Tests what `meshops diff` reports about changes of workloads that meshops delivers. */

const chart = "{chart: {repository: https://charts.example.org, name: shop, version: 1.4.2}}";

const spec = ({
  source = chart,
  namespace = "shop",
  ref = "shop-api",
  more = "",
  name = "shop",
} = {}): string => `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  gitops: {url: https://github.com/acme/platform}
  linkerd: {lifecycle: existing, version: edge-26.8.3}
  dgraph: {enabled: false}
  cluster: {context: shop}
  workloads:
    ${name}:
      namespace: ${namespace}
      source: ${source}
${more}      pods:
        api:
          workloadRef: {kind: Deployment, name: ${ref}}
          selector: {matchLabels: {app: shop}}
          inject: enabled
`;

const files = {
  "apps/shop/kustomization.yaml": "resources: []\n",
  "apps/store/kustomization.yaml": "resources: []\n",
  "bases/helm-release/kustomization.yaml": "",
};

const changes = (before: string, after: string): Promise<Row[]> => changesBetween(before, after, files);

test.each([
  [
    "another release name",
    spec(),
    spec({ source: chart.replace("1.4.2}", "1.4.2, releaseName: store}") }),
    "HelmRelease",
    "data-loss",
    "uninstalls the Helm release shop (chart shop), and then installs store (chart shop): the workload has an outage",
  ],
  [
    "another chart",
    spec(),
    spec({ source: chart.replace("name: shop", "name: store") }),
    "HelmRelease",
    "data-loss",
    "then installs shop (chart store): the workload has an outage",
  ],
  ["another version", spec(), spec({ source: chart.replace("1.4.2", "1.5.0") }), "HelmRelease", "not-assessed", "1.4.2 → 1.5.0"],
  [
    "a registry instead of a repository",
    spec(),
    spec({ source: '{oci: {url: "oci://registry.example.org/shop", version: 1.4.2}}' }),
    "HelmRelease",
    "not-assessed",
    "If the name of the chart also changes, Flux uninstalls the Helm release",
  ],
  [
    "a chart in another namespace",
    spec(),
    spec({ namespace: "store" }),
    "HelmRelease",
    "data-loss",
    "Flux uninstalls the workload shop in namespace shop, and installs it in namespace store",
  ],
  [
    "a chart instead of a folder",
    spec({ source: "{path: apps/shop}" }),
    spec(),
    "Overlay",
    "data-loss",
    "Flux creates the objects of the new source, and then deletes all old objects of the workload shop",
  ],
  [
    "a folder instead of a chart",
    spec(),
    spec({ source: "{path: apps/shop}" }),
    "HelmRelease",
    "data-loss",
    "Flux applies the objects of the new source, and then uninstalls the Helm release of the workload shop",
  ],
  [
    "another folder",
    spec({ source: "{path: apps/shop}" }),
    spec({ source: "{path: apps/store}" }),
    "Overlay",
    "data-loss",
    "Flux deletes the objects that are in the folder apps/shop but not in the folder apps/store",
  ],
  [
    "another namespace of a folder",
    spec({ source: "{path: apps/shop}" }),
    spec({ source: "{path: apps/shop}", namespace: "store" }),
    "Overlay",
    "data-loss",
    "Flux creates the objects in the new namespace, and then deletes",
  ],
  [
    "another object with the pod template, folder",
    spec({ source: "{path: apps/shop}" }),
    spec({ source: "{path: apps/shop}", ref: "shop-web" }),
    "Overlay",
    "narrower-access",
    "the pods of Deployment shop-api have no proxy",
  ],
  [
    "another object with the pod template, chart",
    spec(),
    spec({ ref: "shop-web" }),
    "HelmRelease",
    "narrower-access",
    "the pods of Deployment shop-api have no proxy",
  ],
  [
    "no injection, chart",
    spec(),
    spec().replace("          inject: enabled\n", ""),
    "HelmRelease",
    "narrower-access",
    "the pods of shop have no proxy",
  ],
  [
    "a chart without injection instead of a folder",
    spec({ source: "{path: apps/shop}" }),
    spec().replace("          inject: enabled\n", ""),
    "Overlay",
    "narrower-access",
    "the pods of shop have no proxy",
  ],
] as const)("%s", async (_, before, after, kind, risk, reason) => {
  const found = (await changes(before, after)).filter((change) => change.kind === kind);
  expect(
    found.map((change) => [change.risk, change.reason]).find(([own]) => own === risk)?.[1] ?? JSON.stringify(found),
  ).toContain(reason);
});

test("if the source changes between a chart and a folder, diff reports no change of the annotations that stay the same", async () => {
  for (const [before, after] of [
    [spec(), spec({ source: "{path: apps/shop}" })],
    [spec({ source: "{path: apps/shop}" }), spec()],
  ] as const)
    expect((await changes(before, after)).map(({ reason }) => reason).join("\n")).not.toMatch(
      /linkerd\.io\/inject|annotations of their pod template/,
    );
});

test("if a suspended workload is removed from the spec, diff reports that Flux keeps its objects in the cluster", async () => {
  const rows = await changes(spec({ more: "      suspend: true\n" }), spec({ name: "store", namespace: "store" }));
  const gone = rows.filter(({ change, name }) => change === "removed" && name === "workload-shop");
  expect(gone.filter(({ risk }) => risk === "data-loss")).toEqual([]);
  expect(gone.map(({ reason }) => reason).join()).toContain(
    "the workload shop is suspended, so its installed objects stay in the cluster",
  );
});

test("diff prints the step that sets releaseName only if a workload is renamed, not if it is removed", async () => {
  const steps = (rows: readonly Row[]): string =>
    JSON.stringify(rows.find(({ name, kind }) => kind === "HelmRelease" && name === "workload-shop")?.steps);
  expect(steps(await changes(spec(), spec({ name: "store" })))).toContain("and set releaseName: shop in the source");
  const removed = spec().replace(/ {2}workloads:.*/s, "");
  expect(steps(await changes(spec(), removed))).not.toContain("releaseName");
  const otherSource = steps(await changes(spec(), spec({ source: "{path: apps/shop}" })));
  expect(otherSource).not.toContain("releaseName");
  expect(otherSource).toContain("To avoid the outage, do not push this change.");
});

test("for a chart that moves to another namespace, diff prints steps that avoid the outage", async () => {
  const rows = await changes(spec(), spec({ namespace: "store" }));
  const removed = rows.find(({ kind, change }) => kind === "HelmRelease" && change === "removed");
  expect(removed?.steps.map(({ text }) => text)).toEqual([
    expect.stringContaining("save the data before you push"),
    expect.stringContaining("add a second workload with another name and the new namespace"),
    expect.stringContaining("remove shop in a second commit"),
  ]);
});

describe("steps for helmfile", () => {
  const stepsOf = (rows: readonly Row[]): string[] =>
    (rows.find(({ kind }) => kind === "Helmfile")?.steps ?? []).map(({ text, command }) => `${text} ${command}`);
  const withPolicies = (of: string): string =>
    `${of}          ports: {http: {port: 8080, protocol: HTTP/1}}\n          access: {mode: enforce}\n`;
  const folder = "{path: apps/shop}";

  test("a chart that another tool installs from now on is not uninstalled", async () => {
    const steps = stepsOf(await changes(spec(), spec({ source: "" }).replace("      source: \n", "")));
    expect(steps).toEqual([
      expect.stringMatching(/delete only the Secrets in which Helm stores the release .*--selector owner=helm,name=shop$/),
    ]);
  });

  test("a renamed chart is not uninstalled if the new workload uses its release", async () => {
    const [first = "", ...others] = stepsOf(await changes(spec(), spec({ name: "store" })));
    expect(first).toMatch(
      /set releaseName: shop in the source of the new workload, and do not uninstall the release shop\. If you no longer need the workload shop/,
    );
    expect(others.join()).not.toContain("helm uninstall shop");
  });

  test("a folder or a chart that moves to another namespace, or gets another source, is not uninstalled", async () => {
    for (const [before, after] of [
      [spec({ source: folder }), spec({ source: folder, namespace: "store" })],
      [spec(), spec({ source: folder })],
      [spec({ source: folder }), spec()],
    ] as const)
      expect(stepsOf(await changes(withPolicies(before), withPolicies(after)))).toEqual([]);
  });

  test("a removed folder is uninstalled before its Servers and policies", async () => {
    const removed = withPolicies(spec({ source: folder })).replace(/ {2}workloads:.*/s, "");
    const steps = stepsOf(await changes(withPolicies(spec({ source: folder })), removed));
    expect(steps).toEqual([
      expect.stringMatching(/helm .*uninstall workload-shop --namespace shop$/),
      expect.stringMatching(/delete the Servers .*server\.policy\.linkerd\.io\/shop-api-http$/),
      expect.stringMatching(/helm .*uninstall policy-shop --namespace shop$/),
    ]);
  });
});
