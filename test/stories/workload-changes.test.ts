import { describe, expect, test } from "vitest";
import { changesBetween, type Row } from "../support/changes.ts";

/* Tests what `meshops diff` reports about changes of `spec.workloads`. */

const clients = "{web: {serviceAccountRef: {namespace: web, name: web}}, vpn: {cidrs: [10.0.0.0/8]}, all: {namespace: jobs}}";

const spec = (workloads: string): string => `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  gitops: {url: https://github.com/acme/platform}
  linkerd: {lifecycle: existing, version: edge-26.8.3}
  dgraph: {enabled: false}
  workloads:
${workloads}`;

/** Returns the changes that diff reports between two texts of `spec.workloads`. */
const changes = (before: string, after: string): Promise<Row[]> => changesBetween(spec(before), spec(after));

const workload = ({
  mode = "enforce",
  port = "http",
  protocol = "HTTP/1",
  who = clients,
  name = "shop",
  set = "api",
} = {}): string =>
  `    ${name}:
      namespace: shop
      pods:
        ${set}:
          selector: {matchLabels: {app: shop}}
          ports: {${port}: {port: 8080, protocol: ${protocol}}}
          access: {mode: "${mode}", clients: ${who}}
`;

test.each([
  [
    "audit to enforce",
    workload({ mode: "audit" }),
    workload(),
    "Server",
    "narrower-access",
    "refuses clients that the spec does not list",
  ],
  [
    "a client less",
    workload(),
    workload({ who: clients.replace("web: {serviceAccountRef: {namespace: web, name: web}}, ", "") }),
    "Access",
    "narrower-access",
    "web/web can no longer connect to port 8080 (http; refused by NetworkPolicy shop-api)",
  ],
  [
    "a client more",
    workload(),
    workload({ who: clients.replace("{web:", "{cart: {serviceAccountRef: {namespace: web, name: cart}}, web:") }),
    "Access",
    "wider-access",
    "web/cart can connect to port 8080 (http)",
  ],
  [
    "audit to enforce, for clients that are not listed",
    workload({ mode: "audit" }),
    workload(),
    "Access",
    "narrower-access",
    "other meshed pods and pods without a proxy can no longer connect to port 8080 (http; refused by NetworkPolicy shop-api)",
  ],
  ["enforce to audit", workload(), workload({ mode: "audit" }), "Server", "wider-access", "Linkerd now admits all clients"],
  [
    "audit to off",
    workload({ mode: "audit" }),
    workload({ mode: "off" }),
    "Server",
    "harmless",
    "Like the Server, this policy admits all clients",
  ],
  [
    "a smaller network",
    workload(),
    workload({ who: clients.replace("10.0.0.0/8", "10.9.0.0/16") }),
    "NetworkAuthentication",
    "narrower-access",
    "no longer admits 10.0.0.0/8",
  ],
  [
    "a larger network",
    workload({ who: clients.replace("10.0.0.0/8", "10.9.0.0/16") }),
    workload(),
    "NetworkAuthentication",
    "wider-access",
    "now also admits 10.0.0.0/8",
  ],
  [
    "a namespace less",
    workload(),
    workload({ who: clients.replace(", all: {namespace: jobs}", "") }),
    "MeshTLSAuthentication",
    "narrower-access",
    "no longer admits meshed pods of jobs",
  ],
  ["another protocol", workload(), workload({ protocol: "opaque" }), "Server", "narrower-access", "refuses httpGet probes"],
  [
    "another name of a port",
    workload(),
    workload({ port: "web" }),
    "Server",
    "harmless",
    "Flux creates the new object before it deletes this object",
  ],
  [
    "another name of a set",
    workload(),
    workload({ set: "backend" }),
    "Server",
    "harmless",
    "Flux creates the new object before it deletes this object",
  ],
  ["another name of a workload", workload(), workload({ name: "store" }), "Server", "wider-access", "in no fixed order"],
] as const)("%s", async (_, before, after, kind, risk, reason) => {
  const rows = await changes(before, after);
  const found = rows.find((row) => row.kind === kind && row.change !== "added");
  expect(found, JSON.stringify(rows, null, 1)).toMatchObject({ risk });
  expect(found?.reason).toContain(reason);
  for (const { command } of found?.steps ?? []) expect(command ?? "").not.toMatch(/ {2}--/);
});

describe("a client that another entry also admits", () => {
  const two = "{web: {serviceAccountRef: {namespace: web, name: web}}, jobs: {serviceAccountRef: {namespace: jobs, name: jobs}}}";
  test.each([
    ["everyone", "{web: {builtin: everyone}, jobs: {serviceAccountRef: {namespace: jobs, name: jobs}}}"],
    ["all meshed pods", "{web: {builtin: meshed}}"],
    ["the meshed pods of its namespace", "{web: {namespace: web}, jobs: {serviceAccountRef: {namespace: jobs, name: jobs}}}"],
  ])("is not reported as lost: %s", async (_, who) => {
    const rows = await changes(workload({ who: two }), workload({ who }));
    expect(rows.map(({ reason }) => reason).join("\n")).not.toMatch(/no longer|lose/);
    expect(rows.map(({ risk }) => risk)).toContain("wider-access");
    expect(rows.map(({ risk }) => risk)).not.toContain("narrower-access");
  });

  test("is reported as lost if the other entry admits only clients without an identity", async () => {
    const who = "{web: {cidrs: [10.0.0.0/8]}, jobs: {serviceAccountRef: {namespace: jobs, name: jobs}}}";
    const rows = await changes(workload({ who: two }), workload({ who }));
    expect(rows.find(({ kind }) => kind === "MeshTLSAuthentication")).toMatchObject({
      risk: "narrower-access",
      reason: "this object no longer admits web/web",
    });
  });
});

describe("pods of another tool already run before the spec contains their set of pods", () => {
  const accessOf = async (before: string | null, after: string): Promise<string[]> => {
    const rows = await changesBetween(before, after);
    return rows.filter(({ kind }) => kind === "Access").map(({ risk, reason }) => `${risk}: ${reason}`);
  };
  const refused =
    /^narrower-access: .*other meshed pods and pods without a proxy can no longer connect to port 8080 \(http; refused by NetworkPolicy shop-api\)$/;

  test("diff reports that a new environment in the mode enforce refuses clients", async () => {
    expect(await accessOf(null, spec(workload()))).toEqual([expect.stringMatching(refused)]);
  });

  test("diff reports that a new workload in the mode enforce refuses clients, and that a removed workload admits clients", async () => {
    const other = workload({ name: "other", set: "all", mode: "off" }).replace("app: shop", "app: other");
    expect(await accessOf(spec(other), spec(other + workload()))).toEqual([expect.stringMatching(refused)]);
    expect((await accessOf(spec(other + workload()), spec(other)))[0]).toMatch(
      /^wider-access: .*other meshed pods and pods without a proxy can connect to port 8080 \(http\)$/,
    );
  });

  test("diff reports that the mode audit admits clients that the default inbound policy refuses", async () => {
    const audit = spec(workload({ mode: "audit" }));
    expect(await accessOf(null, audit)).toEqual([]);
    const denied = audit.replace("lifecycle: existing,", "lifecycle: existing, defaultInboundPolicy: deny,");
    expect((await accessOf(null, denied))[0]).toMatch(/^wider-access: .*10\.0\.0\.0\/8.* can connect to port 8080 \(http\)$/);
  });

  test("if the default policy of a namespace changes, diff compares before and after the restart of the pods", async () => {
    const namespace = (settings: string): string => `  namespaces: {shop: {mesh: {inject: enabled${settings}}}}\n`;
    const [enforced, open] = [spec(workload()), spec(workload({ mode: "off" }))];
    const rows = await changesBetween(enforced + namespace(""), open + namespace(", defaultInboundPolicy: deny"));
    const access = rows.filter(({ kind }) => kind === "Access").map(({ risk, reason }) => `${risk}: ${reason}`);
    expect(access).toEqual([
      expect.stringMatching(/^wider-access: after this change, .*pods without a proxy can connect to port 8080 \(http\)$/),
      expect.stringMatching(/^narrower-access: after the pods have restarted, .*can no longer connect to port 8080 \(http/),
    ]);
    expect(rows.find(({ kind }) => kind === "Namespace")?.steps).toContainEqual(
      expect.objectContaining({
        command:
          "kubectl rollout restart deployment,statefulset,daemonset --namespace shop --field-manager=flux-client-side-apply",
      }),
    );
    // The policy controller also applies a change of the cluster's default inbound policy to running pods.
    const cluster = (policy: string): string => open.replace("lifecycle: existing,", `lifecycle: existing, ${policy}`);
    const [row] = await accessOf(open + namespace(""), cluster("defaultInboundPolicy: deny,") + namespace(""));
    expect(row).toMatch(/^narrower-access: after this change, .*can no longer connect to port 8080 \(http/);
  });

  test("a new workload that meshops delivers has no pods yet", async () => {
    const delivered = workload().replace("namespace: shop\n", "namespace: shop\n      source: {path: apps/shop}\n");
    const injected = spec(delivered).replace("  workloads:", "  namespaces: {shop: {mesh: {inject: enabled}}}\n  workloads:");
    const rows = await changesBetween(null, injected, { "apps/shop/kustomization.yaml": "resources: []\n" });
    expect(rows.map(({ kind }) => kind)).toContain("NetworkPolicy");
    expect(rows.map(({ kind }) => kind)).not.toContain("Access");
  });
});

test("the steps for renaming a workload suspend its Kustomization and keep a NetworkPolicy", async () => {
  const rows = await changes(workload(), workload({ name: "store" }));
  const steps = rows.find(({ kind, change }) => kind === "Server" && change === "removed")?.steps ?? [];
  expect(steps.map(({ command }) => (command ?? "").split(" ").slice(0, 3).join(" "))).toEqual([
    "kubectl patch kustomization.kustomize.toolkit.fluxcd.io",
    "",
    "meshops status shop",
    "kubectl delete --namespace",
    "kubectl delete --namespace",
  ]);
  expect(steps[0]?.command).toContain(" policy-shop ");
  expect(steps[3]?.command).not.toContain("networkpolicy/");
  expect(steps[4]?.command).toMatch(/ networkpolicy\/shop-api$/);
});

describe("a release that rejects a second Server for the same port", () => {
  const stable = (text: string): string => spec(text).replace("edge-26.8.3", "stable-2.14.10");
  const between = (before: string, after: string): Promise<Row[]> => changesBetween(stable(before), stable(after));

  test("if a port is renamed, diff reports a stalled rollout, and the first step sets `access: off` for the port", async () => {
    const rows = await between(workload(), workload({ port: "web" }));
    const found = rows.find(({ kind, change }) => kind === "Server" && change === "removed");
    expect(found).toMatchObject({
      risk: "stalled-rollout",
      reason: expect.stringContaining("Linkerd can reject the new Server, because both Servers select the same port"),
    });
    expect(found?.steps[0]?.text).toContain("set access: off for this port");
  });

  test("if a workload is renamed, the old Servers are deleted before the push", async () => {
    const rows = await between(workload(), workload({ name: "store" }));
    const steps = rows.find(({ kind, change }) => kind === "Server" && change === "removed")?.steps ?? [];
    expect(steps[1]?.command).toMatch(/^kubectl delete --namespace shop /);
    expect(steps[2]?.text).toBe("Push the commit.");
    expect(steps[3]?.command).toBe("meshops status shop --watch");
  });
});

describe("another selector or port of a set of pods in the mode enforce", () => {
  const api = (selector: string, port: number = 8080): string =>
    workload().replace("{app: shop}", selector).replace("port: 8080", `port: ${port}`);
  test.each([
    [
      "fewer labels",
      api("{app: shop, tier: api}"),
      api("{app: shop}"),
      "narrower-access",
      "the podSelector of this Server now contains fewer labels",
    ],
    [
      "more labels",
      api("{app: shop}"),
      api("{app: shop, v: two}"),
      "wider-access",
      "selects fewer pods. This Server does not protect the pods that it no longer selects",
    ],
    ["another label", api("{app: shop}"), api("{app: store}"), "narrower-access", "this Server now selects other pods"],
    ["another port", api("{app: shop}"), api("{app: shop}", 8081), "narrower-access", "protects port 8081 instead of port 8080"],
  ] as const)("%s", async (_, before, after, risk, reason) => {
    const server = (await changes(before, after)).find(({ kind }) => kind === "Server");
    expect(server).toMatchObject({ risk, reason: expect.stringContaining(reason) });
  });
});
