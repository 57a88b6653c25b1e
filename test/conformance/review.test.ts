import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { render } from "../../generator/bundle/render.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import { parseManifests } from "../../generator/kubernetes/read.ts";
import { review } from "../../generator/lint/manifests.ts";
import { withReference } from "../support/guards.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { referenceFolder } from "../support/tools.ts";

/*
 * Checks the rules about manifests with manifests that upstream projects publish. An untrue finding about these
 * manifests would be a bug in meshops. The map contains all expected findings. The comments in the map explain why the
 * findings are true.
 */
const explained: Readonly<Record<string, readonly string[]>> = {
  // annotation-misplaced: each of the five Deployments of linkerd-viz has config.linkerd.io/proxy-await in its own
  // metadata instead of the metadata of its pods (templates, all releases). In the Deployment's own metadata, the
  // annotation has no effect. The mistake has no consequences, because the value "enabled" of the annotation is the
  // default. Therefore the finding is a warning. inject-misplaced: the five Services of linkerd-viz have
  // linkerd.io/inject (templates, all releases). Linkerd does not read this annotation from Services.
  "charts/linkerd-viz/*": ["annotation-misplaced warning ×5", "inject-misplaced warning ×5"],
  // No AuthorizationPolicy refers to the Server collector-admin. Therefore this Server refuses all clients except the
  // kubelet's probes.
  "charts/linkerd-jaeger/*": ["server-denies-all warning ×1"],
  // The objects were created with linkerd inject --skip-inbound-ports 5080,7080 --skip-outbound-ports 5080,7080, as in
  // the blog article. ports-skipped: the Raft connections of Alpha and Zero bypass the proxies in both directions.
  // prestop-missing: the chart has no preStop hooks. (meshops adds preStop hooks.)
  "linkerd/inject-dgraph-*": ["ports-skipped warning ×4", "prestop-missing warning ×2"],
  // The file contains only the ServiceProfile. Therefore the rule cannot determine whether the profile's Service
  // exists.
  "linkerd/service-profile-dgraph-25": ["profile-without-service warning ×1"],
};

withReference("the rules about manifests on the reference data", () => {
  const files = existsSync(referenceFolder)
    ? (readdirSync(referenceFolder, { recursive: true, encoding: "utf8" }) as string[]).filter((file) =>
        /^charts\/.*\/rendered\.yaml$|^linkerd\/.*\.yaml$/.test(file),
      )
    : [];

  test.each(files)("%s", (file) => {
    const findings = judge(file);
    const key = Object.keys(explained).find((pattern) => new RegExp(`^${pattern.replaceAll("*", ".*")}`).test(file));
    expect(counted(findings)).toEqual(key === undefined ? [] : explained[key]);
  });

  test("the chart linkerd-jaeger, together with a control plane that no longer supports it, has a finding", () => {
    const codes = judge("charts/linkerd-control-plane/2026.8.3/rendered.yaml", "charts/linkerd-jaeger/2025.4.4/rendered.yaml");
    expect(counted(codes)).toEqual(["jaeger-extension-removed error ×1", "server-denies-all warning ×1"]);
  });

  test.each(
    linkerdReleases.flatMap(({ version }) => (["opaque", "mesh", "skip"] as const).map((mode) => [version, mode] as const)),
  )("the generated files for Linkerd %s, internal ports %s, and Dgraph's chart have no findings", (version, internalPorts) => {
    const clients = [{ namespace: "shop", serviceAccount: "cart" }];
    const serviceProfile = version === "edge-26.8.3" ? "grpc-route" : true;
    const environment = environmentOf({
      linkerd: { version, jaeger: { enabled: true } },
      dgraph: { internalPorts, clients, serviceProfile },
    });
    const { bundle } = render({ environment, identity: sampleIdentity() });
    const ours = [...bundle].filter(([path]) =>
      /\/(dgraph-policy|service-profile|namespaces|linkerd-control-plane)\//.test(path),
    );
    const objects = ours.flatMap(([path, text]) => [...parseManifests(path, text).objects]);
    const chart = readFileSync(join(referenceFolder, "charts/dgraph/24.1.4/rendered.yaml"), "utf8");
    expect(counted(review([...objects, ...parseManifests("dgraph.yaml", chart).objects], version))).toEqual([]);
  });
});

function judge(...files: string[]): Diagnostic[] {
  const parsed = files.map((file) => parseManifests(file, readFileSync(join(referenceFolder, file), "utf8")));
  return [
    ...parsed.flatMap(({ diagnostics }) => diagnostics),
    ...review(
      parsed.flatMap(({ objects }) => objects),
      null,
    ),
  ];
}

/** Returns `<code> <severity> ×<count>` for each code, sorted. */
function counted(findings: readonly Diagnostic[]): string[] {
  const counts = new Map<string, number>();
  for (const { code, severity } of findings) counts.set(`${code} ${severity}`, (counts.get(`${code} ${severity}`) ?? 0) + 1);
  return [...counts].map(([key, count]) => `${key} ×${count}`).sort();
}
