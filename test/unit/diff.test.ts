import { readFileSync } from "node:fs";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { nearestRelease } from "../../generator/catalog/linkerd.ts";
import { secretNames } from "../../generator/catalog/well-known.ts";
import type { Assessment, ChangedObject } from "../../generator/components/change-rule.ts";
import { storageChanges } from "../../generator/components/dgraph/storage-changes.ts";
import { diffObjects } from "../../generator/diff/diff.ts";
import { compareFields } from "../../generator/diff/fields.ts";
import { identityRevision } from "../../generator/identity/pem.ts";
import { encryptFile } from "../../generator/sops/file.ts";
import { secretFile, signingKeysFile } from "../../generator/spec/layout.ts";
import { sampleIdentity } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

const noSpecs = { before: null, after: null };

const anchor = (environment: string): string =>
  readFileSync(`${projectRoot}environments/${environment}/identity/trust-anchors.crt`, "utf8").trim();

/**
 * Returns `<risk>: <reason>` for each change that diff finds between two versions of a file in the bundle.
 *
 * @param path path of the file in the bundle
 * @param before content of the file before the change; null if the file does not exist
 * @param after content of the file after the change; null if the file does not exist
 */
async function risksOf(path: string, before: object | null, after: object | null): Promise<string[]> {
  const files = (value: object | null): Map<string, string> =>
    new Map([
      ["overlays/x/other/other.yaml", "kind: ConfigMap\nmetadata: {name: other}\n"],
      ...(value === null ? [] : [[path, stringify(value)] as const]),
    ]);
  const changes = await diffObjects(
    { environment: "x", isNew: false, isRemoved: false, specs: noSpecs, before: files(before), after: files(after) },
    [],
  );
  return changes.map(({ risk, reason }) => `${risk}: ${reason}`);
}

describe("risks of a change", () => {
  const values = "overlays/x/linkerd-control-plane/values.yaml";
  const crds = "overlays/x/linkerd-crds";
  const dgraph = "overlays/x/dgraph/values.yaml";
  const object = "overlays/x/dgraph-policy/authorization.yaml";
  const [one, two] = [anchor("dev"), anchor("production")];
  const network = { ipBlock: { cidr: "10.1.0.0/16" } };
  const policy = (ingress: object[], rest: object = {}): object => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p" },
    spec: { podSelector: {}, ingress, ...rest },
  });
  const authorization = (...names: string[]): object => ({
    apiVersion: "policy.linkerd.io/v1alpha1",
    kind: "AuthorizationPolicy",
    metadata: { name: "a" },
    spec: {
      targetRef: { name: "s" },
      requiredAuthenticationRefs: names.map((name) => ({ kind: "MeshTLSAuthentication", name })),
    },
  });
  const namespace = (labels: object, annotations: object = {}): object => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "n", labels, annotations },
  });
  const enforce = (level: string): object => ({ "pod-security.kubernetes.io/enforce": level });

  test.each([
    [
      "one more anchor",
      values,
      { identityTrustAnchorsPEM: one },
      { identityTrustAnchorsPEM: `${one}\n${two}` },
      /^trust-anchor: proxies trust an additional trust anchor/,
    ],
    [
      "one anchor fewer",
      values,
      { identityTrustAnchorsPEM: `${one}\n${two}` },
      { identityTrustAnchorsPEM: two },
      /^trust-anchor: .* no longer/,
    ],
    [
      "another anchor",
      values,
      { identityTrustAnchorsPEM: one },
      { identityTrustAnchorsPEM: two },
      /^trust-anchor: .* replaces the old trust anchor in one step/,
    ],
    [
      "the same anchors in another order",
      values,
      { identityTrustAnchorsPEM: `${one}\n${two}` },
      { identityTrustAnchorsPEM: `${two}\n${one}` },
      /^rollout/,
    ],
    [
      "another CA of a webhook",
      values,
      { proxyInjector: { caBundle: one } },
      { proxyInjector: { caBundle: two } },
      /^webhook-policy/,
    ],
    ["Fail", values, { webhookFailurePolicy: "Ignore" }, { webhookFailurePolicy: "Fail" }, /^webhook-policy: .* rejects/],
    [
      "fewer Alphas",
      dgraph,
      { alpha: { replicaCount: 6 } },
      { alpha: { replicaCount: 3 } },
      /^data-loss: this change removes 3 Alphas/,
    ],
    ["more Zeros", dgraph, { zero: { replicaCount: 3 } }, { zero: { replicaCount: 5 } }, /^rollout: this change adds 2 Zeros/],
    [
      "another storage class",
      dgraph,
      { zero: { persistence: { storageClass: "a" } } },
      { zero: { persistence: { storageClass: "b" } } },
      /^volume-claim: this change does not affect the existing volume claims of Zero/,
    ],
    [
      "a wider whitelist",
      dgraph,
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8" } },
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8,1.2.3.4" } },
      /^wider-access: this change adds 1\.2\.3\.4 to Alpha's whitelist/,
    ],
    [
      "a narrower whitelist",
      dgraph,
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8,1.2.3.4" } },
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8" } },
      /^narrower-access: this change removes 1\.2\.3\.4 from Alpha's whitelist/,
    ],
    [
      "one more peer",
      object,
      policy([{ from: [network], ports: [{ port: 1 }] }]),
      policy([{ from: [network], ports: [{ port: 1 }] }, { ports: [{ port: 2 }] }]),
      /^wider-access: this object now also admits all clients at port 2$/,
    ],
    [
      "one peer fewer",
      object,
      policy([{ from: [network], ports: [{ port: 1 }] }, { ports: [{ port: 2 }] }]),
      policy([{ from: [network], ports: [{ port: 1 }] }]),
      /^narrower-access: this object no longer admits all clients at port 2$/,
    ],
    [
      "a peer that another rule already admits",
      object,
      policy([{ from: [network], ports: [{ port: 1 }] }, {}]),
      policy([{}]),
      /^harmless: /,
    ],
    [
      "other pods",
      object,
      policy([]),
      policy([], { podSelector: { matchLabels: { a: "b" } } }),
      /^wider-access: this NetworkPolicy now selects fewer pods/,
    ],
    [
      "no policy any more",
      object,
      policy([]),
      null,
      /^wider-access: this object is removed and no longer restricts connections to the (port|pods)/,
    ],
    ["a policy", object, null, policy([]), /^narrower-access/],
    [
      "one authentication more",
      object,
      authorization("a"),
      authorization("a", "b"),
      /^narrower-access: this AuthorizationPolicy now also requires the authentication b/,
    ],
    [
      "one authentication less",
      object,
      authorization("a", "b"),
      authorization("a"),
      /^wider-access: this AuthorizationPolicy no longer requires the authentication b/,
    ],
    [
      "privileged pods",
      "overlays/x/namespaces/n.yaml",
      namespace(enforce("restricted")),
      namespace(enforce("privileged")),
      /^wider-access/,
    ],
    [
      "restricted pods",
      "overlays/x/namespaces/n.yaml",
      namespace(enforce("privileged")),
      namespace(enforce("restricted")),
      /^narrower-access/,
    ],
    [
      "webhooks disabled for a namespace",
      "overlays/x/namespaces/n.yaml",
      namespace({ "config.linkerd.io/admission-webhooks": "enabled" }),
      namespace({ "config.linkerd.io/admission-webhooks": "disabled" }),
      /^webhook-policy: .* skip the namespace n/,
    ],
    [
      "an injected namespace",
      "overlays/x/namespaces/n.yaml",
      namespace({}, { "linkerd.io/inject": "disabled" }),
      namespace({}, { "linkerd.io/inject": "enabled" }),
      /^rollout/,
    ],
  ])("%s", async (_, path, before, after, expected) => {
    const found = await risksOf(path, before, after);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  test("Gateway API CRDs are kept if their chart sets the annotation helm.sh/resource-policy: keep, and are deleted otherwise", async () => {
    const release = (version: string): string =>
      stringify({
        apiVersion: "helm.toolkit.fluxcd.io/v2",
        kind: "HelmRelease",
        metadata: { name: "linkerd-crds" },
        spec: { chart: { spec: { version } } },
      });
    const state = (version: string, values: object): Map<string, string> =>
      new Map([
        [`${crds}/release.yaml`, release(version)],
        [`${crds}/values.yaml`, stringify(values)],
      ]);
    const change = async (before: Map<string, string>, after: Map<string, string>): Promise<string> => {
      const [found] = await diffObjects({ environment: "x", isNew: false, isRemoved: false, specs: noSpecs, before, after }, []);
      return `${found?.risk}: ${found?.reason}`;
    };
    expect(await change(state("2026.8.3", { installGatewayAPI: true }), state("2026.8.3", { installGatewayAPI: false }))).toMatch(
      /^harmless: .* stay in the cluster/,
    );
    expect(await change(state("1.8.0", { enableHttpRoutes: true }), state("1.8.0", { enableHttpRoutes: false }))).toMatch(
      /^crd-removal: Helm deletes the Gateway API/,
    );
    expect(await change(state("1.8.0", { enableHttpRoutes: true }), state("2026.8.3", { installGatewayAPI: true }))).toMatch(
      /^rollout: chart linkerd-crds changes from 1.8.0/,
    );
  });
});

describe("charts of Dgraph", () => {
  const release = (version: string, values: object = {}): ChangedObject["before"] => ({
    spec: {
      releaseName: "demo",
      chart: { spec: { version } },
      values: { alpha: { replicaCount: 3 }, zero: { replicaCount: 1 }, ...values },
    },
  });
  const assess = (before: ChangedObject["before"], after: ChangedObject["before"]): Assessment[] => {
    const fields = compareFields(before, after);
    const changed = {
      change: "changed",
      kind: "HelmRelease",
      namespace: "dgraph",
      name: "dgraph",
      fields,
      before,
      after,
    } as const;
    return [...storageChanges.assess(changed, { environment: "x", objects: [changed], specs: noSpecs })];
  };

  test("for a new chart version with the same data format, the steps suspend Flux and then delete the StatefulSets", () => {
    const [found, ...others] = assess(release("24.1.4"), release("24.1.5"));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ risk: "immutable-field", reason: expect.stringContaining("the chart version") });
    expect(found?.steps?.map(({ command }) => command?.split(" ").slice(0, 3).join(" ") ?? null)).toEqual([
      "kubectl patch helmrelease",
      "kubectl delete statefulset",
      "generation=$(kubectl get helmrelease",
      null,
      "kubectl wait helmrelease",
      "kubectl patch helmrelease",
      "kubectl wait service",
    ]);
    // The selectors of the new StatefulSets and Services contain the new chart version. Therefore one of the printed
    // commands changes the label `chart` of the old pods to this version.
    expect(found?.reason).toContain("Announce an outage");
    expect(found?.steps?.at(-1)?.command).toContain("--selector app=dgraph,release=demo chart=dgraph-24.1.5 --overwrite");
    expect(found?.steps?.[1]?.command).toContain("demo-dgraph-alpha demo-dgraph-zero --namespace dgraph --cascade=orphan");
  });

  test.each([
    ["another data format", "0.3.0", "24.1.4"],
    ["an earlier version", "24.1.5", "24.1.4"],
    ["an unknown version", "24.1.4", "99.0.0"],
  ])("if the new chart has %s, the steps export the data and import the data again", (_, from, to) => {
    const found = assess(release(from), release(to));
    expect(found.map(({ risk }) => risk)).toEqual(["data-loss"]);
    const commands = found[0]?.steps?.flatMap(({ command }) => command ?? []).join("\n") ?? "";
    expect(commands).toContain("mutation { export(");
    expect(commands).toContain("for i in 0 1 2; do kubectl cp demo-dgraph-alpha-$i:/dgraph/meshops-export");
    expect(commands).toContain("dgraph live");
    expect(commands).toContain("--zero demo-new-dgraph-zero:5080");
    expect(commands).not.toContain("--cascade=orphan");
  });
});

test("if a recipient of a file is removed, the risk is a stalled rollout, unless only administrators decrypt the file", async () => {
  const [old, next] = [await generateX25519Identity(), await generateX25519Identity()];
  const [oldRecipient, newRecipient] = [await identityToRecipient(old), await identityToRecipient(next)];
  const [before, both, after] = await Promise.all(
    [[oldRecipient], [oldRecipient, newRecipient], [newRecipient]].map((recipients) =>
      encryptFile("kind: Secret\ndata: {a: Yg==}\n", { recipients, now: new Date() }),
    ),
  );
  const change = async (path: string, [from = "", to = ""]: readonly (string | undefined)[]): Promise<string | undefined> => {
    const sides = {
      environment: "x",
      isNew: false,
      isRemoved: false,
      before: new Map([[path, from]]),
      after: new Map([[path, to]]),
      specs: noSpecs,
    };
    const [found] = await diffObjects(sides, [old, next]);
    return found?.risk;
  };
  const issuer = secretFile("x", secretNames.issuer);
  expect(await change(issuer, [before, both])).toBe("harmless");
  expect(await change(issuer, [both, after])).toBe("stalled-rollout");
  expect(await change(issuer, [before, after])).toBe("stalled-rollout");
  expect(await change(signingKeysFile("x"), [both, after])).toBe("harmless");
});

describe("the identity revision", () => {
  const settings = { version: "edge-26.8.3", trustDomain: "cluster.local", clusterDomain: "cluster.local", ipv6: false } as const;

  test("of the identity of the sample environment dev has the value that meshops 0.1 calculated", () => {
    expect(identityRevision(sampleIdentity(), settings)).toBe("226b81a71a2779a4f72df8b430caa0ca7eff2dca73c752405ba0e868f2e04c28");
  });

  test("changes with each setting that a proxy reads when it starts", () => {
    const variants = [
      settings,
      { ...settings, version: "edge-25.10.7" } as const,
      { ...settings, trustDomain: "mesh.example.org" },
      { ...settings, clusterDomain: "mesh.example.org" },
      { ...settings, ipv6: true },
    ];
    const revisions = variants.map((each) => identityRevision(sampleIdentity(), each));
    expect(new Set(revisions).size).toBe(variants.length);
  });
});

describe("fields", () => {
  test("diff ignores the order of lists that represent sets, and compares the order of other lists", () => {
    const port = fc.record({ port: fc.integer({ min: 1, max: 9 }) });
    const rule = fc.record({
      from: fc.array(fc.record({ podSelector: fc.constantFrom("a", "b") }), { maxLength: 3 }),
      ports: fc.array(port, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 4 }), (ingress) => {
        const turned = [...ingress]
          .reverse()
          .map(({ from, ports }) => ({ ports: [...ports].reverse(), from: [...from].reverse() }));
        expect(compareFields({ ingress }, { ingress: turned })).toEqual([]);
      }),
    );
    expect(compareFields({ args: ["a", "b"] }, { args: ["b", "a"] })).toHaveLength(2);
  });

  test("if list items have names, items with the same name are compared, regardless of their positions", () => {
    const before = {
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "2" },
      ],
    };
    const after = { env: [{ name: "B", value: "3" }, { name: "A", value: "1" }, { name: "C" }] };
    expect(compareFields(before, after)).toEqual([
      { path: "env[B].value", before: "2", after: "3" },
      { path: "env[C]", after: { name: "C" } },
    ]);
  });

  test("in a path, a key with characters such as . and / has quotes", () => {
    expect(compareFields({ a: { "b.c/d": 1 } }, { a: {} })).toEqual([{ path: 'a."b.c/d"', before: 1 }]);
  });
});

test("nearestRelease returns the newest release in the catalog that is not newer than the given version, or null", () => {
  expect(
    ["edge-26.9.1", "edge-26.8.3", "edge-26.1.1", "edge-25.4.4", "stable-2.14.10", "edge-24.1.1"].map(
      (version) => nearestRelease(version)?.version,
    ),
  ).toEqual(["edge-26.8.3", "edge-26.8.3", "edge-25.10.7", "edge-25.4.4", "stable-2.14.10", "stable-2.14.10"]);
  expect([nearestRelease("stable-2.12.0"), nearestRelease("latest")]).toEqual([null, null]);
});
