import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { nearestRelease } from "../../generator/catalog/linkerd.ts";
import { diffObjects } from "../../generator/diff/diff.ts";
import { compareFields } from "../../generator/diff/fields.ts";
import { projectRoot } from "../support/tools.ts";

const anchor = (environment: string): string =>
  readFileSync(`${projectRoot}environments/${environment}/identity/trust-anchors.crt`, "utf8").trim();

/** Returns `<risk>: <reason>` for each change that diff finds between two values of an object. */
async function risksOf(path: string, before: object | null, after: object | null): Promise<string[]> {
  const files = (value: object | null): Map<string, string> =>
    new Map([
      ["overlays/x/other/other.yaml", "kind: ConfigMap\nmetadata: {name: other}\n"],
      ...(value === null ? [] : [[path, stringify(value)] as const]),
    ]);
  const changes = await diffObjects({ environment: "x", isNew: false, before: files(before), after: files(after) }, []);
  return changes.map(({ risk, reason }) => `${risk}: ${reason}`);
}

describe("risks of a change", () => {
  const values = "overlays/x/linkerd-control-plane/values.yaml";
  const crds = "overlays/x/linkerd-crds";
  const dgraph = "overlays/x/dgraph/values.yaml";
  const object = "overlays/x/dgraph-policy/authorization.yaml";
  const [one, two] = [anchor("dev"), anchor("production")];
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
      /^trust-anchor: an additional trust anchor/,
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
      /^trust-anchor: .* replaced in one step/,
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
    ["fewer Alphas", dgraph, { alpha: { replicaCount: 6 } }, { alpha: { replicaCount: 3 } }, /^data-loss: 3 Alphas removed/],
    ["more Zeros", dgraph, { zero: { replicaCount: 3 } }, { zero: { replicaCount: 5 } }, /^rollout: 2 Zeros added/],
    [
      "another storage class",
      dgraph,
      { zero: { persistence: { storageClass: "a" } } },
      { zero: { persistence: { storageClass: "b" } } },
      /^volume-claim: existing volume claims of Zero/,
    ],
    [
      "a wider whitelist",
      dgraph,
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8" } },
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8,1.2.3.4" } },
      /^wider-access: 1\.2\.3\.4 added to Alpha's whitelist/,
    ],
    [
      "a narrower whitelist",
      dgraph,
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8,1.2.3.4" } },
      { alpha: { extraFlags: "--security whitelist=10.0.0.0/8" } },
      /^narrower-access: 1\.2\.3\.4 removed from Alpha's whitelist/,
    ],
    [
      "one more peer",
      object,
      policy([{ from: [] }]),
      policy([{ from: [] }, { ports: [{ port: 1 }] }]),
      /^wider-access: any client on 1 gains access/,
    ],
    [
      "one peer fewer",
      object,
      policy([{ from: [] }, { ports: [{ port: 1 }] }]),
      policy([{ from: [] }]),
      /^narrower-access: any client on 1 loses access/,
    ],
    [
      "other pods",
      object,
      policy([]),
      policy([], { podSelector: { matchLabels: { a: "b" } } }),
      /^wider-access: the scope of the policy changes/,
    ],
    ["no policy any more", object, policy([]), null, /^wider-access: this object no longer restricts access/],
    ["a policy", object, null, policy([]), /^narrower-access/],
    [
      "one authentication more",
      object,
      authorization("a"),
      authorization("a", "b"),
      /^narrower-access: b is an additional requirement/,
    ],
    ["one authentication less", object, authorization("a", "b"), authorization("a"), /^wider-access: b is no longer required/],
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
      /^webhook-policy: .* skip n/,
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
      const [found] = await diffObjects({ environment: "x", isNew: false, before, after }, []);
      return `${found?.risk}: ${found?.reason}`;
    };
    expect(await change(state("2026.8.3", { installGatewayAPI: true }), state("2026.8.3", { installGatewayAPI: false }))).toMatch(
      /^harmless: .* are kept/,
    );
    expect(await change(state("1.8.0", { enableHttpRoutes: true }), state("1.8.0", { enableHttpRoutes: false }))).toMatch(
      /^crd-removal: Helm deletes the Gateway API/,
    );
    expect(await change(state("1.8.0", { enableHttpRoutes: true }), state("2026.8.3", { installGatewayAPI: true }))).toMatch(
      /^rollout: chart linkerd-crds changes from 1.8.0/,
    );
  });
});

describe("fields", () => {
  test("the order of set-like lists is ignored; the order of other lists is compared", () => {
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

  test("list items with names are compared by name, regardless of their position", () => {
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

  test("keys that are not words are quoted in paths", () => {
    expect(compareFields({ a: { "b.c/d": 1 } }, { a: {} })).toEqual([{ path: 'a."b.c/d"', before: 1 }]);
  });
});

test("a version that is not in the catalog is treated as the newest catalog release that is not newer than this version", () => {
  expect(
    ["edge-26.9.1", "edge-26.8.3", "edge-26.1.1", "edge-25.4.4", "stable-2.14.10", "edge-24.1.1"].map(
      (version) => nearestRelease(version)?.version,
    ),
  ).toEqual(["edge-26.8.3", "edge-26.8.3", "edge-25.10.7", "edge-25.4.4", "stable-2.14.10", "stable-2.14.10"]);
  expect([nearestRelease("stable-2.12.0"), nearestRelease("latest")]).toEqual([null, null]);
});
