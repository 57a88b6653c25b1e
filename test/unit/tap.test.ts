import { expect, test } from "vitest";
import { renderUntapped } from "../../generator/commands/status/render-untapped.ts";
import { wrapCommand } from "../../generator/commands/terminal/wrap.ts";
import { dgraphPods } from "../../generator/components/dgraph/pods.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { tapFix, untappedPods } from "../../generator/mesh/tap.ts";
import { environmentOf } from "../support/specs.ts";

/*
 * Tests how meshops finds pods that cannot be tapped. meshops must use the same condition as the tap injector of
 * linkerd-viz (linkerd2 edge-25.10.7, viz/tap/injector/webhook.go and viz/pkg/labels/labels.go).
 */
const labels = { app: "dgraph", release: "demo", component: "alpha" };

function pod(name: string, annotations: Record<string, string> = {}, rest: Partial<KubernetesObject> = {}): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "dgraph", labels, annotations },
    spec: { containers: [{ name: "linkerd-proxy" }, { name: "alpha" }] },
    status: { phase: "Running" },
    ...rest,
  };
}

const names = (
  pods: readonly KubernetesObject[],
  environment = environmentOf(),
  namespace: Record<string, string> = {},
): string[] =>
  untappedPods(dgraphPods(environment)[0], pods, [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "dgraph", annotations: namespace } },
  ]).map(({ metadata }) => metadata.name);

test("untappedPods returns meshed pods without the tap injector's annotation, unless tap is disabled for them", () => {
  const early = pod("early");
  const others = [
    pod("tapped", { "viz.linkerd.io/tap-enabled": "true" }),
    pod("opted-out", { "viz.linkerd.io/disable-tap": "true" }),
    pod("bare", {}, { spec: { containers: [{ name: "alpha" }] } }),
    pod("finished", {}, { status: { phase: "Failed" } }),
    pod("zero", {}, { metadata: { name: "zero", namespace: "dgraph", labels: { ...labels, component: "zero" } } }),
  ];
  expect(names([early, ...others])).toEqual(["early"]);
  expect(names([pod("false", { "viz.linkerd.io/tap-enabled": "false" })])).toEqual(["false"]);
  expect(names([early], undefined, { "viz.linkerd.io/disable-tap": "true" })).toEqual([]);
  expect(names([early], environmentOf({ linkerd: { viz: { enabled: false } } }))).toEqual([]);
});

test("status prints the number of pods that cannot be tapped, and a command for each workload", () => {
  const fix = tapFix(dgraphPods(environmentOf())[0]);
  expect(fix).toBe(
    "kubectl rollout restart statefulset demo-dgraph-alpha --namespace dgraph --field-manager=flux-client-side-apply",
  );
  const found = [{ kind: "StatefulSet", namespace: "dgraph", name: "demo-dgraph-alpha", pods: ["demo-dgraph-alpha-0"], fix }];
  expect(renderUntapped(found)).toEqual([
    "tap cannot report the calls of 1 pod, because it started before viz's tap",
    "  injector; run these commands to restart the pods:",
    ...wrapCommand(fix, "    "),
  ]);
  expect(renderUntapped([])).toEqual([]);
});

test("a long command is wrapped before its options, with a backslash at the end of each line", () => {
  const command =
    "kubectl rollout restart statefulset demo-dgraph-alpha --namespace dgraph --field-manager=flux-client-side-apply";
  const lines = wrapCommand(command, "    ");
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(
    lines
      .join("\n")
      .replaceAll(/ \\\n\s+/g, " ")
      .trim(),
  ).toBe(command);
  expect(wrapCommand("kubectl get pods --namespace shop", "  ")).toEqual(["  kubectl get pods --namespace shop"]);
});
