import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { render } from "../../generator/bundle/render.ts";
import { type LinkerdVersion, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { writeTree } from "../support/platform.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Each file in test/stories/values contains all chart values, patches and policies of an environment, for review. There
 * is one environment per Linkerd release, with every option enabled. PEM blocks are shortened, and hashes are replaced.
 * To rewrite the files, set UPDATE=1. Then review the Git diff.
 */
const folder = join(projectRoot, "test/stories/values");

/**
 * Values of `dgraph` for the environment of each Linkerd release. The values differ, so that the files together contain
 * the variants of Dgraph's charts, internal ports and service profiles.
 */
const dgraphOf: Readonly<Record<LinkerdVersion, Record<string, unknown>>> = {
  "edge-26.8.3": { chart: "24.1.4", internalPorts: "opaque", serviceProfile: true },
  "edge-25.10.7": { chart: "25.0.0-preview6", internalPorts: "mesh", serviceProfile: "grpc-route" },
  "edge-25.4.4": { chart: "0.3.0", internalPorts: "skip", serviceProfile: true },
  "stable-2.14.10": { chart: "0.0.17", internalPorts: "opaque", serviceProfile: true },
};

describe("values, patches and policies", () => {
  test.each(linkerdReleases.map(({ version }) => version))("%s", (version) => {
    const environment = environmentOf(
      {
        azure: {
          location: "westus2",
          resourceGroup: "test",
          cluster: { name: "test", networkPolicy: "cilium", ipFamilies: ["ipv4", "ipv6"] },
          registry: { name: "mirror", mirrorImages: true },
        },
        linkerd: {
          version,
          highAvailability: true,
          clusterDomain: "example.org",
          jaeger: { enabled: true },
          viz: { grafana: true },
        },
        dgraph: {
          ...dgraphOf[version],
          alpha: { replicas: 5, storage: "20Gi", storageClass: "fast", whitelist: ["10.0.0.0/8", "192.168.1.1"] },
          zero: { replicas: 5 },
          replicationFactor: 5,
          clients: [
            { namespace: "pydgraph-client", serviceAccount: "pydgraph-client" },
            { namespace: "reports", serviceAccount: "nightly", ports: ["http"] },
            { namespace: "reports", serviceAccount: "editor", ports: ["grpc"] },
          ],
          methods: { Query: { timeout: "30s" }, CheckVersion: { retry: false }, Login: { retry: true, timeout: "500ms" } },
        },
      },
      "everything",
    );
    const { bundle } = render({ environment, identity: sampleIdentity() });
    const files = [...bundle].filter(([path]) => shown.test(path));
    const text = files.map(([path, yaml]) => `--- ${path.replace("overlays/everything/", "")}\n${shortened(yaml)}`).join("");
    if (process.env["UPDATE"] === "1") writeTree(folder, { [`${version}.txt`]: text });
    expect(text).toBe(readFileSync(join(folder, `${version}.txt`), "utf8"));
  });
});

const shown = /^overlays.*\/(values|patches|network-policies|authorization|service-profile|grpc-routes)\.yaml$/;

function shortened(yaml: string): string {
  return yaml
    .replace(/^# .*\n/gm, "")
    .replace(/\b[0-9a-f]{64}\b/g, "<sha256>")
    .replace(/(-----BEGIN CERTIFICATE-----\n)[^-]+(?= *-----END)/g, "$1    …\n");
}
