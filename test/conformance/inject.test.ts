import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { type LinkerdVersion, linkerdRelease, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { injectManifests } from "../../generator/inject/manifests.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { withReference, withTools } from "../support/guards.ts";
import { customSchemas, kubeconform } from "../support/kubeconform.ts";
import { field, objectsIn, pick } from "../support/objects.ts";
import { judge, type Peer, type Verdict } from "../support/policy-evaluator.ts";
import { referenceFolder } from "../support/tools.ts";

/*
 * Tests, for every release, which clients can connect to an injected workload. The policy evaluator of the tests
 * determines the result of each connection.
 */
const versions = linkerdReleases.map(({ version }) => version);
const chart = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: shop, namespace: shop}
spec:
  serviceName: shop
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop, tier: data}}
    spec:
      serviceAccountName: shop
      containers:
        - name: shop
          image: example.org/shop:1
          ports: [{containerPort: 8080}, {containerPort: 3306}, {containerPort: 9104}]
`;
const spec = (linkerd: LinkerdVersion): Parameters<typeof injectManifests>[1] => ({
  linkerd,
  opaquePorts: [3306],
  skipInboundPorts: [9104],
  clients: [
    { namespace: "web", serviceAccount: "web", ports: [8080] },
    { namespace: "shop", serviceAccount: "shop" },
  ],
});

describe("access to an injected workload", () => {
  const meshed = { "linkerd.io/control-plane-ns": "linkerd" };
  const proxy = { opaque: [], skipInbound: [], skipOutbound: [] };
  const peer = (namespace: string, serviceAccount: string, labels: Record<string, string>, own: Peer["proxy"]): Peer => ({
    namespace,
    serviceAccount,
    labels: own === null ? labels : { ...meshed, ...labels },
    proxy: own,
    probes: [],
    kubelet: false,
  });
  const client = peer("web", "web", {}, proxy);
  const otherAccount = peer("web", "other", {}, proxy);
  const bare = peer("web", "web", {}, null);
  const forger = peer("web", "web", meshed, null);
  const otherNamespace = peer("elsewhere", "web", {}, proxy);
  const tap = peer("linkerd-viz", "tap", { "linkerd.io/extension": "viz", component: "tap" }, proxy);
  const prometheus = peer("linkerd-viz", "prometheus", { "linkerd.io/extension": "viz", component: "prometheus" }, proxy);

  const table: [from: string, peer: Peer | "shop", port: number, verdict: Verdict | ((version: LinkerdVersion) => Verdict)][] = [
    ["a listed client, its port", client, 8080, "reached"],
    // In releases with the transport header, the server's proxy restricts the ports of a client. In older releases, the
    // NetworkPolicy restricts the ports. Opaque ports such as 3306 are an exception: in all releases, clients connect
    // to an opaque port through port 4143. Therefore, in all releases, the server's proxy refuses this connection.
    ["a listed client, another port", client, 3306, "mesh"],
    ["another account in the client's namespace", otherAccount, 8080, "mesh"],
    ["a pod of the same account without a proxy", bare, 8080, "network"],
    // In Linkerd 2.14, the proxies of clients connect to the application's port. Therefore the NetworkPolicy allows
    // this port, and the server's proxy refuses a client without a certificate.
    ["a forged label", forger, 8080, (version) => (linkerdRelease(version).traits.transportHeader ? "network" : "mesh")],
    ["another namespace", otherNamespace, 8080, "network"],
    ["the workload's own pods, opaque port", "shop", 3306, "reached"],
    ["the workload's own pods, port that skips the proxy", "shop", 9104, "reached"],
    ["a listed client, the port that skips the proxy", client, 9104, "network"],
    ["tap", tap, 4190, "reached"],
    ["Prometheus", prometheus, 4191, "reached"],
    ["a listed client, the tap port", client, 4190, "network"],
  ];

  describe.each(versions)("%s", (version) => {
    const { text, diagnostics, notes } = injectManifests(chart, spec(version));
    const objects = objectsIn(text).filter(({ kind }) => kind !== "StatefulSet");
    // The evaluator reads the added annotations, because they determine how the proxy handles each port.
    const shop = peer("shop", "shop", { app: "shop", tier: "data" }, proxyOf(text));
    const cluster = { objects, transportHeader: linkerdRelease(version).traits.transportHeader };

    test("has no findings", () => {
      expect(diagnostics).toEqual([]);
      expect(notes).toEqual([]);
    });

    test.each(table)("%s", (_, from, port, verdict) => {
      const expected = typeof verdict === "string" ? verdict : verdict(version);
      expect(judge({ from: from === "shop" ? shop : from, to: shop, port }, cluster)).toBe(expected);
    });

    test("if the list of clients is empty, only linkerd-viz has access", () => {
      const none = injectManifests(chart, { ...spec(version), clients: [] });
      const closed = { ...cluster, objects: objectsIn(none.text).filter(({ kind }) => kind !== "StatefulSet") };
      expect([8080, 3306, 9104].map((port) => judge({ from: shop, to: shop, port }, closed))).toEqual([
        "network",
        "network",
        "network",
      ]);
      expect(judge({ from: tap, to: shop, port: 4190 }, closed)).toBe("reached");
    });
  });
});

withReference("an injection", () => {
  test("annotates Dgraph's pods as `linkerd inject` does", () => {
    const reference = objectsIn(read("linkerd/inject-dgraph-24.1.4.yaml"));
    const ports = [5080, 7080];
    const { text } = injectManifests(read("charts/dgraph/24.1.4/rendered.yaml"), {
      linkerd: "edge-26.8.3",
      skipInboundPorts: ports,
      skipOutboundPorts: ports,
    });
    for (const role of ["alpha", "zero"]) expect(annotations(objectsIn(text), role)).toEqual(annotations(reference, role));
  });

  test("changes only its own annotations in the objects of the upstream charts", () => {
    for (const path of ["dgraph/24.1.4", "dgraph/0.0.17", "linkerd-viz/2026.8.3", "linkerd-control-plane/1.16.11"]) {
      const before = read(`charts/${path}/rendered.yaml`);
      const { text } = injectManifests(before, { linkerd: "edge-26.8.3", opaquePorts: [7080] });
      expect(text, path).not.toBe(before);
      const undone = objectsIn(text).map(withoutOurs);
      expect(undone, path).toEqual(objectsIn(before).map(withoutOurs));
    }
  });

  withTools(["kubeconform"], "objects", () => {
    test.each(versions)("pass strict validation with the CRDs of %s", async (version) => {
      const { text } = injectManifests(chart, spec(version));
      const summary = await kubeconform(text, customSchemas(linkerdRelease(version).charts["linkerd-crds"]));
      expect(summary).toMatchObject({ invalid: 0, errors: 0, skipped: 0 });
    });
  });
});

test("an injection keeps all other fields of any object", () => {
  const scalar = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom("yes", "0o7", "1e3", "~", "2024-01-01", "0x1f"),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("value"), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(value, value, (data, labels) => {
      const pod = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "a", extra: labels },
        spec: { containers: [{ name: "a" }], data },
      };
      const before = stringify(pod);
      const { text } = injectManifests(before, { linkerd: "edge-26.8.3" });
      const [after] = objectsIn(text);
      expect(field(after, "metadata", "annotations")).toEqual({ "linkerd.io/inject": "enabled" });
      const [same] = objectsIn(before);
      expect(field(after, "spec")).toEqual(field(same, "spec"));
      expect(field(after, "metadata", "extra")).toEqual(field(same, "metadata", "extra"));
    }),
    { numRuns: 100 * Number(process.env["SLOW"] === "1" ? 10 : 1) },
  );
});

function read(path: string): string {
  return readFileSync(join(referenceFolder, path), "utf8");
}

/**
 * Reads the proxy's port settings from the annotations of the injected pods. Returns null if the pods have no proxy.
 */
function proxyOf(text: string): Peer["proxy"] {
  const [pods] = objectsIn(text).filter(({ kind }) => kind === "StatefulSet");
  const values = field(pods, "spec", "template", "metadata", "annotations") as Record<string, string>;
  if (values["linkerd.io/inject"] !== "enabled") return null;
  const ports = (key: string): number[] =>
    (values[`config.linkerd.io/${key}-ports`] ?? "").split(",").filter(Boolean).map(Number);
  return { opaque: ports("opaque"), skipInbound: ports("skip-inbound"), skipOutbound: ports("skip-outbound") };
}

function annotations(objects: readonly KubernetesObject[], role: string): unknown {
  return field(pick(objects, "StatefulSet", `demo-dgraph-${role}`), "spec", "template", "metadata", "annotations");
}

/** Returns an object without the two annotations that the injections in this file set. */
function withoutOurs(object: KubernetesObject): unknown {
  return JSON.parse(JSON.stringify(object), (key, value) => {
    if (key === "linkerd.io/inject" || key === "config.linkerd.io/opaque-ports") return undefined;
    return key === "annotations" && value !== null && Object.keys(value).length === 0 ? undefined : value;
  });
}
