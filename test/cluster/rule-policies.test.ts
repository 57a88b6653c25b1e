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

/* The policies that `meshops rules export` prints, on a real API server. */
withCluster("exported rules", () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startSimulatedNodes(scratchFolder("plane"));
    await applyPolicies();
  });
  afterAll(() => plane?.stop());

  /** Applies the policies for a release. A policy takes effect some time after its creation. */
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

  /** Objects of a story that the policies check. The namespaces of the objects are created. */
  async function admissible(text: string): Promise<ApiObject[]> {
    const kinds = ["Namespace", "Service", "Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob"];
    // kubectl reads YAML 1.1, in which `yes` is a boolean.
    // Flux replaces variables before it applies an object.
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
   * Adds the required fields that the objects of stories omit. The API server checks the fields before it applies the
   * policies.
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

  /** Creates the objects of a manifest in a dry run, and returns the messages of the policies. */
  async function denied(text: string): Promise<string[]> {
    const messages: string[] = [];
    for (const object of await admissible(text))
      try {
        await plane.api.dryRun(object);
      } catch (error) {
        const { message } = error as Error;
        // The objects of stories contain only the fields that the rules read, so the API server can reject them, too.
        if (message.includes("ValidatingAdmissionPolicy")) messages.push(message);
      }
    return messages;
  }

  function refusals(rule: string, side: "bad" | "good"): Promise<string[]> {
    return denied(readFileSync(join(projectRoot, `test/stories/manifests/${rule}/${side}.yaml`), "utf8"));
  }

  describe.each(exportedRules)("%s", (rule) => {
    test("refuses its bad case with the title of the rule, and admits the corrected case", async () => {
      const found = await refusals(rule, "bad");
      expect(found.filter((message) => message.includes(`(meshops rule ${rule})`))).not.toEqual([]);
      expect(await refusals(rule, "good")).toEqual([]);
    });
  });

  test.each(linkerdReleases.map(({ version }) => version))("admit everything that the charts of %s render", async (version) => {
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
