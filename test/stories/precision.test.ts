import { describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";

/*
 * Tests manifests for which an earlier version of meshops printed a wrong finding. The manifests are reduced from
 * public repositories.
 */

const deployment = (name: string, more: { namespace?: string; annotations?: object; labels?: object } = {}): string =>
  JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, ...(more.namespace === undefined ? {} : { namespace: more.namespace }) },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, ...more.labels }, annotations: { "linkerd.io/inject": "enabled", ...more.annotations } },
        spec: { containers: [{ name, image: `${name}:1`, ports: [{ name: "http", containerPort: 8080 }] }] },
      },
    },
  });
const service = (name: string, port: number, namespace: string = "shop"): string =>
  JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec: { ports: [{ port }] } });
const server = (name: string, more: object = {}): string =>
  JSON.stringify({
    apiVersion: "policy.linkerd.io/v1beta3",
    kind: "Server",
    metadata: { name, ...more },
    spec: { podSelector: { matchLabels: { app: name } }, port: 8080 },
  });
const route = (backend: string, port: number, namespace: string = "shop"): string =>
  JSON.stringify({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "route", namespace },
    spec: {
      parentRefs: [{ kind: "Service", group: "core", name: "web", port: 80 }],
      rules: [{ backendRefs: [{ name: backend, port }] }],
    },
  });
const policyFor = (kind: string, name: string): string =>
  JSON.stringify({
    apiVersion: "policy.linkerd.io/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: { name: "all", namespace: "shop" },
    spec: { targetRef: { group: "policy.linkerd.io", kind, name }, requiredAuthenticationRefs: [] },
  });
const link = JSON.stringify({
  apiVersion: "multicluster.linkerd.io/v1alpha3",
  kind: "Link",
  metadata: { name: "west", namespace: "linkerd-multicluster" },
});
const yaml = (...documents: readonly string[]): string => documents.join("\n---\n");

const cases: Record<string, { files: Record<string, string>; expected: readonly string[] }> = {
  "Linkerd ignores the case of a kind in targetRef": {
    files: {
      "a.yaml": yaml(deployment("web", { namespace: "shop" }), server("web", { namespace: "shop" }), policyFor("server", "web")),
    },
    expected: [],
  },
  "a policy for a Server that does not exist is still found, with any case of the kind": {
    files: {
      "a.yaml": yaml(deployment("web", { namespace: "shop" }), server("web", { namespace: "shop" }), policyFor("SERVER", "wbe")),
    },
    expected: ["policy-target-missing", "server-denies-all"],
  },
  "the service mirror creates Services with the name of a cluster": {
    files: { "a.yaml": yaml(service("web", 80), link, route("web-west", 80)) },
    expected: [],
  },
  "without a sign of the multicluster extension, a missing Service with a suffix is a warning": {
    files: { "a.yaml": yaml(service("web", 80), route("web-clone", 80)) },
    expected: ["route-reference-missing"],
  },
  "a Service of an installation that is not in the input": {
    files: { "demo-a/a.yaml": route("host", 80, "default"), "demo-b/b.yaml": service("nginx", 80, "default") },
    expected: [],
  },
  "the pods' annotation applies to a headless Service": {
    files: {
      "a.yaml": yaml(
        deployment("web", { namespace: "shop", annotations: { "config.linkerd.io/opaque-ports": "8080" } }),
        JSON.stringify({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "web", namespace: "shop" },
          spec: { clusterIP: "None", selector: { app: "web" }, ports: [{ port: 8080 }] },
        }),
      ),
    },
    expected: [],
  },
  "a missing Service of a variant is still found": {
    files: { "a.yaml": yaml(service("web", 80), route("web-v2", 80)) },
    expected: ["route-reference-missing"],
  },
  "one of two Services with the same name has the port": {
    files: { "a/a.yaml": service("web", 80), "b/b.yaml": yaml(service("web", 9000), route("web", 9000)) },
    expected: [],
  },
  "a Server in a namespace whose pods are not in the input": {
    files: { "policies/a.yaml": server("authors", { namespace: "booksapp" }), "other/b.yaml": deployment("web") },
    expected: ["server-denies-all"],
  },
  "a Server and pods of unrelated folders, both without a namespace": {
    files: {
      "tests/policy/a.yaml": server("voting"),
      "tests/skip/b.yaml": deployment("voting", { annotations: { "config.linkerd.io/skip-inbound-ports": "8080" } }),
    },
    expected: ["ports-skipped", "server-denies-all"],
  },
  "a Server and pods of the same folder, both without a namespace": {
    files: {
      "app/a.yaml": server("voting"),
      "app/b.yaml": deployment("voting", { annotations: { "config.linkerd.io/skip-inbound-ports": "8080" } }),
    },
    expected: ["ports-skipped", "server-denies-all", "server-on-skipped-port"],
  },
  "annotations that linkerd install wrote, and annotations of the Jaeger extension": {
    files: {
      "a.yaml": deployment("web", {
        annotations: {
          "linkerd.io/identity-mode": "default",
          "config.linkerd.io/trace-collector-name": "otel",
          "config.alpha.linkerd.io/trace-collector-service-account": "otel",
        },
      }),
    },
    expected: [],
  },
  "a label with the same key as the annotation": {
    files: { "a.yaml": deployment("web", { labels: { "linkerd.io/inject": "enabled" } }) },
    expected: [],
  },
  "appProtocol in capital letters": {
    files: {
      "a.yaml": JSON.stringify({
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "web", namespace: "shop" },
        spec: { ports: [{ port: 80, appProtocol: "HTTP" }] },
      }),
    },
    expected: [],
  },
  "objects with an empty name are not duplicates": {
    files: { "a.yaml": yaml(service("", 80), service("", 81)) },
    expected: [],
  },
};

test.each(Object.entries(cases))("%s", async (_, { files, expected }) => {
  const root = scratchFolder("precision");
  writeTree(root, files);
  const { stdout } = await meshops(root, ["validate", "--manifests", ".", "--linkerd", "edge-25.4.4", "--output", "json"]);
  const found = (JSON.parse(stdout) as { code: string }[]).map(({ code }) => code);
  expect(found.sort(), stdout).toEqual([...expected].sort());
});

const codesIn = async (files: Readonly<Record<string, string>>, ...more: string[]): Promise<string[]> => {
  const root = scratchFolder("precision");
  writeTree(root, files);
  const { stdout } = await meshops(root, ["validate", "--manifests", ".", ...more]);
  return [...stdout.matchAll(/^(\S+?):\d+:\d+ (?:error|warning) (\S+)$/gm)].map(([, file, code]) => `${file} ${code}`);
};

const split = (more: object): string =>
  JSON.stringify({
    apiVersion: "split.smi-spec.io/v1alpha2",
    kind: "TrafficSplit",
    metadata: { name: "web", namespace: "shop", ...more },
    spec: { service: "web", backends: [] },
  });

test("a TrafficSplit that linkerd-failover controls has no finding, because linkerd-failover requires linkerd-smi", async () => {
  const labels = { "failover.linkerd.io/controlled-by": "linkerd-failover" };
  expect(await codesIn({ "a.yaml": split({ labels }) })).toEqual([]);
  expect(await codesIn({ "a.yaml": split({}) })).toEqual(["a.yaml traffic-split-ignored"]);
});

describe("a Namespace that several files define", () => {
  const namespace = (inject: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {linkerd.io/inject: ${inject}}}\n`;
  const udp = `apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: shop}
spec: {containers: [{name: dns, image: "dns:1", ports: [{containerPort: 53, protocol: UDP}]}]}
`;

  test("is the Namespace in the file of the pod, whatever the names of the files are", async () => {
    for (const [other, own] of [
      ["a.yaml", "b.yaml"],
      ["b.yaml", "a.yaml"],
    ] as const) {
      const meshed = { [own]: `${namespace("enabled")}---\n${udp}`, [other]: namespace("disabled") };
      expect(await codesIn(meshed)).toEqual([`${own} udp-unmeshed`]);
      const unmeshed = { [own]: `${namespace("disabled")}---\n${udp}`, [other]: namespace("enabled") };
      expect(await codesIn(unmeshed)).toEqual([]);
    }
  });

  test("is unknown if the definitions differ, and the file of the pod has none", async () => {
    const files = { "pod.yaml": udp, "one.yaml": namespace("enabled"), "two.yaml": namespace("disabled") };
    expect(await codesIn(files)).toEqual([]);
    expect(await codesIn({ ...files, "two.yaml": namespace("enabled") })).toEqual(["pod.yaml udp-unmeshed"]);
    // The folder of the pod contains the Namespace. Therefore the Namespace in the unrelated folder `y` has no effect.
    const apart = { "x/pod.yaml": udp, "x/one.yaml": namespace("enabled"), "y/two.yaml": namespace("disabled") };
    expect(await codesIn(apart)).toEqual(["x/pod.yaml udp-unmeshed"]);
  });
});

describe("a mistake that earlier versions did not find", () => {
  test("the root Service of a TrafficSplit does not exist", async () => {
    const files = { "split.yaml": split({}), "service.yaml": service("other", 80) };
    expect(await codesIn(files)).toContain("split.yaml route-reference-missing");
  });

  test("an annotation of Linkerd is on a Server", async () => {
    const annotations = { "config.linkerd.io/skip-inbound-ports": "8080", "config.linkerd.io/no-such-key": "x" };
    expect(await codesIn({ "a.yaml": server("web", { namespace: "shop", annotations }) })).toEqual(
      expect.arrayContaining(["a.yaml annotation-unknown", "a.yaml annotation-misplaced"]),
    );
  });

  test("an old API version of a Server has no field accessPolicy", async () => {
    const audited = (version: string): string =>
      server("web", { namespace: "shop" })
        .replace("v1beta3", version)
        .replace('"port":8080', '"port":8080,"accessPolicy":"audit"');
    expect(await codesIn({ "a.yaml": audited("v1beta2") }, "--linkerd", "edge-26.8.3")).toContain("a.yaml kind-not-served");
    expect(await codesIn({ "a.yaml": audited("v1beta3") }, "--linkerd", "edge-26.8.3")).toEqual([]);
  });

  test("a name without quotes is not a text", async () => {
    expect(await codesIn({ "a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: on}\n" })).toEqual(["a.yaml wrong-type"]);
    expect(await codesIn({ "a.yaml": 'apiVersion: v1\nkind: Service\nmetadata: {name: "123"}\n' })).toEqual([]);
  });

  test("the pod template of an Argo Rollout is checked, and the Rollout is not listed as unchecked", async () => {
    const root = scratchFolder("precision");
    const rollout = deployment("web", { annotations: { "linkerd.io/inject": "yes" } })
      .replace("apps/v1", "argoproj.io/v1alpha1")
      .replace('"Deployment"', '"Rollout"');
    writeTree(root, { "a.yaml": rollout });
    const { stdout } = await meshops(root, ["validate", "--manifests", "."]);
    expect(stdout).toContain("error inject-value");
    expect(stdout).not.toContain("1 Rollout");
  });
});

test("validate --manifests reports the folders that it does not read, and reads plain manifests in the folder of a chart", async () => {
  const root = scratchFolder("precision");
  writeTree(root, {
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/templates/web.yaml": "apiVersion: v1\nkind: {{ .Values.kind }}\n",
    "chart/application.yaml": service("web", 80),
    ".hidden/web.yaml": service("web", 80),
    ".github/workflows/ci.yaml": "on: push\n",
  });
  const { stdout, code } = await meshops(root, ["validate", "--manifests", "."]);
  expect(stdout).toContain("1 object checked, all valid; not checked: the templates of 1 chart, 1 hidden folder\n");
  expect(code).toBe(0);
  const json = JSON.parse((await meshops(root, ["validate", "--manifests", ".", "--output", "json"])).stdout) as {
    file: string;
  }[];
  expect(json.map(({ file }) => file)).toEqual([".hidden", "chart/templates"]);
});
