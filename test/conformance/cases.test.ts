import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LinkerdVersion } from "../../generator/catalog/linkerd.ts";
import { parseManifests } from "../../generator/kubernetes/read.ts";
import { review } from "../../generator/lint/manifests.ts";
import { meshops } from "../support/cli.ts";
import { withReference } from "../support/guards.ts";
import { field, objectsIn } from "../support/objects.ts";
import { scratchFolder } from "../support/platform.ts";
import { referenceFolder } from "../support/tools.ts";

/**
 * Folder with inputs that are reduced from public bug reports. The folder is next to the folder of the reference data.
 * The README in this folder lists the bug reports.
 */
const cases = join(referenceFolder, "../cases");

/** Codes of all findings that meshops must report about an input, keyed by the name of the input. */
const right: Readonly<Record<string, readonly string[]>> = {
  "04-label-instead-of-annotation": ["inject-label"],
  "05-opaque-on-pod-only": ["opaque-one-sided"],
  "08-job-shutdown-by-curl": ["job-injected"],
  "10-https-probe": ["probe-refused"],
  "11-httproute-kills-probes": ["probe-refused"],
  "12-ns-webhooks-disabled": ["inject-ignored"],
  "13-psa-restricted": ["pod-security-refuses"],
  "14-mysql-other-port": ["server-first-port"],
  "15-server-label-of-injector": ["server-denies-all", "server-denies-all"],
  "18-unrendered-template": ["template-unrendered"],
  "19-profile-elsewhere": [],
  "21-annotation-typo": ["annotation-unknown", "annotation-unknown", "annotation-unknown", "annotation-unknown"],
  "22-bad-port-list": ["annotation-value", "annotation-value", "ports-skipped"],
  "23-server-without-policy": ["server-denies-all"],
  "25-identity-misspelt": ["identity-unmatched", "identity-unmatched", "identity-unmatched", "identity-unmatched"],
  "26-two-servers-one-port": ["server-denies-all", "server-denies-all", "servers-overlap"],
  "32-udp-and-hostport": ["udp-unmeshed"],
  "33-istio-sidecar": ["inject-ignored"],
  "36-trafficsplit": ["traffic-split-ignored"],
  "46-cert-manager-meshed": ["inject-ignored"],
  "47-flux-substitution": [],
  "64-default-inbound-policy-typo": ["annotation-value"],
  "68-appprotocol": ["app-protocol-opaque", "app-protocol-opaque"],
};

/**
 * Linkerd releases for which the test checks an input, keyed by the name of the input. Contains only the inputs whose
 * findings depend on the release.
 */
const releases: Readonly<Record<string, LinkerdVersion>> = { "08-job-shutdown-by-curl": "edge-25.10.7" };

withReference("findings in inputs from public bug reports", () => {
  test.each(Object.keys(right))("%s", (name) => {
    const { objects, diagnostics } = parseManifests("in.yaml", readFileSync(join(cases, name, "in.yaml"), "utf8"));
    const codes = [...diagnostics, ...review(objects, releases[name] ?? null)].map(({ code }) => code);
    expect(codes.sort()).toEqual(right[name]);
  });

  test("54-sops-binary: meshops refuses a file that sops reads as binary, and reports which program to use", async () => {
    const file = join(cases, "54-sops-binary/b.enc.bin");
    expect(await meshops(scratchFolder("cases"), ["secrets", "decrypt", file])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/sops uses the format binary\nfix: use the sops binary for this file/),
    });
  });

  test("06-opaque-by-name: inject resolves port names, and the Server of the named port is opaque", async () => {
    const input = readFileSync(join(cases, "06-opaque-by-name/in.yaml"), "utf8");
    const args = ["inject", join(cases, "06-opaque-by-name/mesh.yaml")];
    const { code, stdout } = await meshops(scratchFolder("cases"), args, { input });
    expect(code).toBe(0);
    const objects = objectsIn(stdout);
    const template = objects.find(({ kind }) => kind === "Deployment");
    expect(field(template, "spec", "template", "metadata", "annotations", "config.linkerd.io/opaque-ports")).toBe("mysql,9999");
    const servers = objects.filter(({ kind }) => kind === "Server");
    expect(servers.map((server) => `${field(server, "spec", "port")} ${field(server, "spec", "proxyProtocol")}`)).toEqual([
      "3307 opaque",
      "8080 unknown",
    ]);
  });

  test.each([
    "16-crd-quoted-fold/in.yaml",
    "17-eof-block-scalar/in.yaml",
    "42-json-list/in.json",
    "47-flux-substitution/in.yaml",
  ])("inject adds only its annotation, and changes no other byte: %s", async (path) => {
    const input = readFileSync(join(cases, path), "utf8");
    const { code, stdout } = await meshops(scratchFolder("cases"), ["inject", join(cases, "mesh-plain.yaml")], { input });
    expect(code).toBe(0);
    if (path.endsWith(".json")) expect(() => JSON.parse(stdout)).not.toThrow();
    expect(stdout.endsWith("\n")).toBe(input.endsWith("\n"));
    // After the added annotation is removed from the output, the output equals the input byte for byte.
    const without = stdout
      .replace(/ *annotations:\n *linkerd\.io\/inject: enabled\n/, "")
      .replace('"annotations": {"linkerd.io/inject":"enabled"}, ', "")
      .replace(', "annotations": {"linkerd.io/inject":"enabled"}', "");
    expect(without).toBe(input);
  });

  test.each([
    ["02-netpol-viz-scrape", "network-policy-without-viz"],
    ["34-nginx-ingress", "ingress-endpoints"],
  ])("validate --manifests: %s has the finding %s", async (name, code) => {
    const { stdout } = await meshops(scratchFolder("cases"), ["validate", "--manifests", join(cases, name, "in.yaml")]);
    expect([...stdout.matchAll(/ (?:warning|error) (\S+)$/gm)].map(([, found]) => found)).toEqual([code]);
  });

  test("49-helmrelease-values: the text output and the JSON output report that values of a HelmRelease are not checked", async () => {
    const args = ["validate", "--manifests", join(cases, "49-helmrelease-values/in.yaml")];
    const { code, stdout } = await meshops(scratchFolder("cases"), args);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "2 objects checked, all valid; not checked: the values of 1 HelmRelease\n",
    });
    const json = JSON.parse((await meshops(scratchFolder("cases"), [...args, "--output", "json"])).stdout) as object[];
    expect(json).toMatchObject([{ code: "not-checked", silenced: expect.any(String) as string }]);
  });

  test("74-proto2-oneof-group: meshops profile reads the services in a .proto file with a group in a oneof", async () => {
    const args = ["profile", "--proto", join(cases, "74-proto2-oneof-group/a.proto"), "--service", "api", "--namespace", "x"];
    const { code, stdout } = await meshops(scratchFolder("cases"), args);
    expect(code).toBe(0);
    expect(stdout).toContain("name: Get\n");
  });

  test.each([
    ["51-inject-istio-policy", 1, /^error Deployment shop\/web: not injected: its pods have a sidecar of Istio/],
    ["52-inject-job-shutdown", 0, /^info Job shop\/load: not injected: with a proxy, the workload would never complete/],
    ["66-inject-beside-own-server", 1, /^error Server shop\/web-http: this Server already protects port http of Deployment web/],
  ])("inject: %s", async (name, code, message) => {
    const input = readFileSync(join(cases, name, "in.yaml"), "utf8");
    const ended = await meshops(scratchFolder("cases"), ["inject", join(cases, name, "mesh.yaml")], { input });
    expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) });
    if (code !== 0) expect(ended.stdout).toBe("");
  });
});
