import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform } from "../support/platform.ts";
import { loadFiles, specText } from "../support/specs.ts";

const cluster = { context: "shop-production", kubernetesVersion: "1.35", networkPolicy: "cilium" };

test("helmfile, bootstrap, teardown and status use the context in the spec", async () => {
  const root = makePlatform({ own: specText({ cluster }, "own") });
  expect(await generateIn(root)).toBe(0);
  const helmfile = readFileSync(join(root, "overlays/own/helmfile.yaml"), "utf8");
  expect(helmfile).toContain("kubeContext: shop-production\n");
  expect(helmfile).toContain("kubeVersion: v1.35\n");
  for (const command of ["bootstrap", "teardown"]) {
    const { stdout } = await meshops(root, [command, "own"]);
    expect(stdout).toContain("\nCONTEXT='shop-production'\n");
    const other = await meshops(root, [command, "own", "--context", "other"]);
    expect(other.stdout).toContain("\nCONTEXT='other'\n");
  }
  const kubeconfig = join(root, "kubeconfig");
  const { code, stderr } = await meshops(root, ["status", "own", "--kubeconfig", kubeconfig]);
  expect(code).toBe(3);
  expect(stderr).toContain(kubeconfig);
});

test("the bootstrap script asks for a confirmation of the context only if the spec does not contain the context", async () => {
  const named = await meshops(makePlatform({ own: specText({ cluster }, "own") }), ["bootstrap", "own"]);
  expect(named.stdout).toContain("\nCONFIRMED=--yes\n");
  const unnamed = await meshops(makePlatform({ own: specText({}, "own") }), ["bootstrap", "own"]);
  expect(unnamed.stdout).toContain("\nCONFIRMED=\n");
});

test("rules about the cluster apply to clusters that meshops does not create", () => {
  const codes = (spec: Record<string, unknown>): string[] =>
    loadFiles({ test: specText(spec) }, "test").diagnostics.map(({ code }) => code);
  expect(codes({ cluster: { kubernetesVersion: "1.20" } })).toEqual(["kubernetes-too-old"]);
  expect(codes({ cluster: { kubernetesVersion: "1.99" } })).toEqual(["kubernetes-too-new"]);
  expect(codes({ cluster: { networkPolicy: "none" } })).toEqual(["network-policy-unenforced"]);
  expect(codes({ cluster: { networkPolicy: "calico" }, linkerd: { cni: true } })).toEqual(["calico-with-cni"]);
  expect(codes({ cluster: { provider: "aks" }, linkerd: { clusterDomain: "k8s.example.org" } })).toEqual(["aks-cluster-domain"]);
  expect(codes({ cluster, linkerd: { clusterDomain: "k8s.example.org" } })).toEqual([]);
});
