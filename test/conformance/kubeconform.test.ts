import { expect, test } from "vitest";
import { withReference, withTools } from "../support/guards.ts";
import { customSchemas, kubeconform } from "../support/kubeconform.ts";

/*
 * Tests that kubeconform rejects invalid objects with the settings of the tests. If kubeconform accepted invalid
 * objects, the tests that validate generated objects would be useless.
 */
withReference("kubeconform, as configured in the tests", () => {
  withTools(["kubeconform"], "rejects what an API server rejects", () => {
    const good = {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "a" },
      spec: { interval: "1m", prune: true, sourceRef: { kind: "GitRepository", name: "a" } },
    };
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "a" },
      spec: { selector: {}, template: { spec: { containers: [{ name: "a" }] } } },
    };

    test("valid objects pass", async () => {
      expect(await judge(good, deployment)).toEqual({ valid: 2, invalid: 0, errors: 0, skipped: 0 });
    });

    test.each([
      ["an unknown field of a custom resource", { ...good, spec: { ...good.spec, prun: true } }],
      ["a wrong type", { ...good, spec: { ...good.spec, prune: "yes" } }],
      ["a value outside an enum", { ...good, spec: { ...good.spec, sourceRef: { kind: "GitRepo", name: "a" } } }],
      ["a missing field", { ...good, spec: { interval: "1m" } }],
      ["an unknown field of a built-in kind", { ...deployment, spec: { ...deployment.spec, replica: 1 } }],
      ["an unknown kind", { apiVersion: "example.org/v1", kind: "Thing", metadata: { name: "a" } }],
    ])("%s fails", async (_, object) => {
      await expect(judge(object)).rejects.toThrow(/"invalid": 1|"errors": 1/);
    });
  });
});

let schemas: string | undefined;

async function judge(...objects: object[]): Promise<unknown> {
  schemas ??= customSchemas("2026.8.3");
  return kubeconform(objects.map((object) => JSON.stringify(object)).join("\n---\n"), schemas);
}
