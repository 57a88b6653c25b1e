import { chmodSync, cpSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { blockOf, blocksIn } from "../support/docs.ts";
import { withTools } from "../support/guards.ts";
import { field, idOf, objectsIn, pick } from "../support/objects.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

/* Runs the files and commands of docs/helmfile.md with the real Helm 3, Helm 4 and helmfile. */
const page = "docs/helmfile.md";
let root: string;

beforeAll(() => {
  root = scratchFolder("post-renderer");
  const files = [...blocksIn(page)].filter(([name]) => name.startsWith("file: "));
  writeTree(root, Object.fromEntries(files.map(([name, text]) => [name.slice("file: ".length), text])));
  writeTree(root, {
    "bin/meshops": `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, "dist/cli.js")}' "$@"\n`,
    "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
    "charts/shop/templates/shop.yaml": shop,
    "charts/shop/templates/hook.yaml": hook,
  });
  chmodSync(join(root, "bin/meshops"), 0o755);
  for (const part of ["helmfile.yaml", "overlays", "bases"])
    cpSync(join(projectRoot, part), join(root, "platform", part), { recursive: true });
});

withTools(["helm", "helm4", "helmfile", "kustomize"], "meshops as a post-renderer", () => {
  test("Helm 3 pipes a chart without its hooks through the post-renderer", async () => {
    const objects = objectsIn(await shell("helm", blockOf(page, "command: helm3")));
    expectInjected(objects);
    expect(injected(pick(objects, "Job", "migrate"))).toBe(false);
  });

  test("Helm 4 pipes a chart with its hooks through the post-renderer plugin", async () => {
    await shell("helm4", "helm plugin install ./meshops-plugin");
    const objects = objectsIn(await shell("helm4", blockOf(page, "command: helm4")));
    expectInjected(objects);
    expect(injected(pick(objects, "Job", "migrate"))).toBe(true);
  });

  test("an error of meshops stops Helm, and Helm prints the error", async () => {
    const wrong = blockOf(page, "file: mesh.yaml").replace("edge-26.8.3", "edge-26.8");
    writeTree(root, { "wrong.yaml": wrong });
    await expect(shell("helm", blockOf(page, "command: helm3").replace("mesh.yaml", "wrong.yaml"))).rejects.toThrow(
      /wrong\.yaml:7:12 error bad-format/,
    );
  });

  test("for a chart that renders no objects, the post-renderer prints nothing and does not fail", async () => {
    writeTree(root, { "charts/empty/Chart.yaml": "apiVersion: v2\nname: empty\nversion: 0.1.0\n" });
    for (const helm of ["helm", "helm4"] as const) {
      const command = blockOf(page, "command: helm3").replace("./charts/shop", "./charts/empty");
      expect(objectsIn(await shell(helm, command)), helm).toEqual([]);
    }
  });

  test("the helmfile in the docs pipes a user's release through the post-renderer, and includes the generated releases", async () => {
    const template = await shell("helm", `'${tool("helmfile")}' -e dev --selector name=shop --skip-deps --quiet template`);
    expectInjected(objectsIn(template));
    const list = await shell("helm", `'${tool("helmfile")}' -e dev list --output json`);
    const names = (JSON.parse(list) as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["shop", "linkerd-control-plane", "demo", "dgraph-policy"]));
    expect(names).not.toContain("grafana");
  });

  test("with the generated helmfile.yaml, helmfile fails if no environment is specified", async () => {
    await expect(shell("helm", `cd platform && '${tool("helmfile")}' list`)).rejects.toThrow(/name-an-environment--helmfile-e/);
  });
});

describe("the plugin for Helm 4", () => {
  test("runs the command meshops", () => {
    expect(blockOf(page, "file: meshops-plugin/plugin.yaml")).toContain("- command: meshops\n");
  });
});

/**
 * Runs a command of the docs in bash, and returns stdout. The program `helm` on the PATH is either Helm 3 or Helm 4.
 */
function shell(helm: "helm" | "helm4", command: string): Promise<string> {
  const bin = join(root, `bin-${helm}`);
  mkdirSync(bin, { recursive: true });
  for (const [name, target] of [
    ["helm", tool(helm)],
    ["kustomize", tool("kustomize")],
  ] as const)
    try {
      symlinkSync(target, join(bin, name));
    } catch {} // an earlier call has already created the link
  return run("bash", ["-c", command], {
    cwd: root,
    env: {
      HELM_DATA_HOME: join(root, `data-${helm}`),
      NO_COLOR: "1",
      PATH: `${bin}:${join(root, "bin")}:${process.env["PATH"]}`,
    },
  });
}

function injected(object: KubernetesObject): boolean {
  return field(object, "spec", "template", "metadata", "annotations", "linkerd.io/inject") === "enabled";
}

function expectInjected(objects: readonly KubernetesObject[]): void {
  expect(injected(pick(objects, "StatefulSet", "shop"))).toBe(true);
  expect(field(pick(objects, "Service", "shop"), "metadata", "annotations")).toEqual({
    "config.linkerd.io/opaque-ports": "3306",
  });
  expect(field(pick(objects, "Server", "shop-3306"), "spec", "proxyProtocol")).toBe("opaque");
  expect(objects.map(idOf)).toEqual(expect.arrayContaining(["NetworkPolicy//shop-mesh", "AuthorizationPolicy//shop-3306"]));
}

const shop = `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}
spec:
  serviceName: {{ .Release.Name }}
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers:
        - name: mysql
          image: example.org/mysql:8.4
          ports:
            - containerPort: 3306
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: shop}
  ports:
    - port: 3306
`;
const hook = `apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations:
    helm.sh/hook: pre-upgrade
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: migrate, image: "example.org/migrate:1"}
`;
