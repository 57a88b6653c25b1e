import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { exportedRules } from "../../generator/lint/admission/policies.ts";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot, referenceFolder } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import type { ControlPlane } from "./harness/control-plane.ts";
import { until } from "./harness/processes.ts";
import { startSimulatedNodes } from "./harness/simulated-nodes.ts";

/* Tests the ValidatingAdmissionPolicies that `meshops rules export` prints. The API server is real. */
withCluster("exported rules", () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startSimulatedNodes(scratchFolder("plane"));
    await applyPolicies();
  });
  afterAll(() => plane?.stop());

  /**
   * Applies the exported policies. Waits until each policy is in effect. After a policy is created, some time passes
   * until the API server enforces it.
   */
  async function applyPolicies(...args: readonly string[]): Promise<void> {
    const { stdout, code, stderr } = await meshops(".", ["rules", "export", "--validating-admission-policy", ...args]);
    expect(code, stderr).toBe(0);
    await plane.api.applyAll(stdout);
    for (const code of exportedRules)
      await until(
        `policy ${code} is in effect`,
        async () => (await refusals(code, "bad")).some((text) => text.includes(code)),
        60,
      );
  }

  /** Returns the objects in a manifest whose kinds the policies check. Creates the namespaces of these objects. */
  async function admissible(text: string): Promise<ApiObject[]> {
    const kinds = ["Namespace", "Service", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];
    // Replaces variables with their defaults, as Flux does before it applies an object. Parses the text as YAML 1.1, as
    // kubectl does. In YAML 1.1, `yes` is a boolean.
    const applied = text.replace(/\$\{\w+:=([^}]*)\}/g, "$1");
    const documents = parseAllDocuments(applied, { version: "1.1" }).map((document) => document.toJS() as ApiObject | null);
    const objects = documents.flatMap((object) => (object !== null && kinds.includes(object.kind) ? [object] : []));
    for (const { metadata } of objects) {
      metadata.namespace ??= "default";
      const name = metadata.namespace;
      if ((await plane.api.get(`/api/v1/namespaces/${name}`)) === null)
        await plane.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    return objects.map((object) => {
      if (object.kind === "Namespace") delete object.metadata.namespace;
      return completed(object);
    });
  }

  /**
   * Adds required fields, because the objects in stories contain only the fields that the rules read. Without the
   * required fields, the API server would reject the objects before it evaluates the policies.
   */
  function completed(object: ApiObject): ApiObject {
    const { kind, spec } = object;
    const template = kind === "CronJob" ? spec.jobTemplate.spec.template : spec?.template;
    if (template === undefined) return object;
    if (kind === "Job" || kind === "CronJob") {
      template.spec.restartPolicy ??= "Never";
      if (kind === "CronJob") spec.schedule ??= "0 0 * * *";
      return object;
    }
    template.metadata ??= {};
    template.metadata.labels ??= { app: "a" };
    spec.selector ??= { matchLabels: template.metadata.labels };
    if (kind === "StatefulSet") spec.serviceName ??= "a";
    return object;
  }

  /** Applies the objects of a manifest in a dry run. Returns the messages of the policies that deny objects. */
  async function denied(text: string): Promise<string[]> {
    const messages: string[] = [];
    for (const object of await admissible(text))
      try {
        await plane.api.dryRun(object);
      } catch (error) {
        const { message } = error as Error;
        // Ignores other errors, because the API server can also reject an object whose required fields are missing.
        if (message.includes("ValidatingAdmissionPolicy")) messages.push(message);
      }
    return messages;
  }

  function refusals(rule: string, side: "bad" | "good"): Promise<string[]> {
    return denied(readFileSync(join(projectRoot, `test/stories/manifests/${rule}/${side}.yaml`), "utf8"));
  }

  describe.each(exportedRules)("%s", (rule) => {
    test("denies an object in bad.yaml of the rule's story, and admits all objects in good.yaml", async () => {
      const found = await refusals(rule, "bad");
      expect(found.filter((message) => message.includes(`(meshops rule ${rule})`))).not.toEqual([]);
      expect(await refusals(rule, "good")).toEqual([]);
    });
  });

  test.each(linkerdReleases.map(({ version }) => version))("admit all objects that the charts of %s render", async (version) => {
    await applyPolicies("--linkerd", version);
    const release = linkerdReleases.find((each) => each.version === version);
    let count = 0;
    for (const [chart, chartVersion] of Object.entries(release?.charts ?? {})) {
      const folder = join(referenceFolder, "charts", chart, chartVersion);
      for (const file of readdirSync(folder).filter((name) => name.startsWith("rendered"))) {
        const text = readFileSync(join(folder, file), "utf8");
        expect(await denied(text), `${chart} ${file}`).toEqual([]);
        count += (await admissible(text)).length;
      }
    }
    expect(count).toBeGreaterThan(15);
  });
});
