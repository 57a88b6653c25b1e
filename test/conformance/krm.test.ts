import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { idOf, objectsIn } from "../support/objects.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

/*
 * Tests meshops as a KRM function of the real kustomize: as a generator, as a transformer, and with `kustomize fn run`.
 */
const env = { PATH: `${dirname(tool("kustomize"))}:${process.env["PATH"]}` };
let root: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "meshops-krm-")));
  for (const folder of ["environments", "bases", "overlays"])
    cpSync(join(projectRoot, folder), join(root, folder), { recursive: true });
  writeFileSync(join(root, "fn.sh"), `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, "dist/cli.js")}' krm\n`);
  chmodSync(join(root, "fn.sh"), 0o755);
});

afterAll(() => rmSync(root, { recursive: true }));

withTools(["kustomize"], "kustomize with meshops as a function", () => {
  test("a generator emits the same objects as all generated overlays, including encrypted Secrets", async () => {
    writeFunction("environments/dev.yaml", "./fn.sh", "environments/dev.yaml");
    write("kustomization.yaml", "generators: [environments/dev.yaml]\n");
    const generated = objectsIn(await kustomizeBuild("."));
    const { code } = await meshops(root, ["generate", "dev", "--force"]);
    expect(code).toBe(0);
    const folders = readdirSync(join(root, "overlays/dev"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const built = await Promise.all(folders.map(({ name }) => kustomizeBuild(`overlays/dev/${name}`)));
    expect(sorted(generated)).toEqual(sorted(built.flatMap(objectsIn)));
    expect(generated.length).toBeGreaterThan(40);
  });

  test("a transformer injects the resources of a kustomization.yaml in a subfolder, and has the same output as inject", async () => {
    write("apps/shop/deployment.yaml", workload);
    writeFunctionText("apps/shop/mesh.yaml", "../../fn.sh", injection);
    write("apps/shop/kustomization.yaml", "resources: [deployment.yaml]\ntransformers: [mesh.yaml]\n");
    const objects = objectsIn(await kustomizeBuild("apps/shop"));
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      "AuthorizationPolicy web-8080",
      "Deployment web",
      "MeshTLSAuthentication web-8080",
      "NetworkPolicy web-mesh",
      "Server web-8080",
    ]);
    expect(JSON.stringify(objects)).toContain('"linkerd.io/inject":"enabled"');
    // `meshops inject`, the post-renderer, must have the same output for the same input.
    write("mesh.yaml", injection);
    const { stdout } = await meshops(root, ["inject", "mesh.yaml"], { input: workload });
    expect(sorted(objects)).toEqual(sorted(objectsIn(stdout)));
  });

  test.each(["generators", "transformers"])("an error in %s stops the build, and kustomize prints the error", async (list) => {
    writeFunctionText("apps/wrong/mesh.yaml", "../../fn.sh", injection.replace("edge-26.8.3", "edge-26.8"));
    write("apps/wrong/deployment.yaml", workload);
    write("apps/wrong/kustomization.yaml", `resources: [deployment.yaml]\n${list}: [mesh.yaml]\n`);
    await expect(kustomizeBuild("apps/wrong")).rejects.toThrow(/linkerd\W+cannot be \W+edge-26\.8\W/);
  });

  test("`fn run` writes objects to the paths in their annotations, changes nothing in a second run, and removes obsolete files", async () => {
    cpSync(join(projectRoot, "environments/dev.yaml"), join(root, "out/dev.yaml"));
    writeFunction("out/dev.yaml", join(root, "fn.sh"), "environments/dev.yaml");
    await fnRun("out");
    const first = filesBelow("out");
    expect([...first.keys()]).toContain("overlays/dev/dgraph-policy/network-policies.yaml");
    expect(new Set([...first.values()].flatMap(objectsIn).map(idOf)).size).toBe([...first.values()].flatMap(objectsIn).length);
    await fnRun("out");
    expect(filesBelow("out")).toEqual(first);
    const spec = readFileSync(join(root, "out/dev.yaml"), "utf8");
    write("out/dev.yaml", `${spec.trimEnd()}\n  pydgraphClient: {enabled: false}\n`);
    await fnRun("out");
    const gone = [...first.keys()].filter((path) => !filesBelow("out").has(path));
    expect(gone.sort()).toEqual([
      "overlays/dev/pydgraph-client/deployment.yaml",
      "overlays/dev/pydgraph-client/serviceaccount.yaml",
    ]);
  });

  test("`fn run` writes the findings to the folder of --results-dir", async () => {
    writeFunctionText(
      "results/mesh.yaml",
      join(root, "fn.sh"),
      injection.replace("clients:", "skipInboundPorts: [8080]\n  clients:"),
    );
    write("results/deployment.yaml", workload);
    mkdirSync(join(root, "results-out"));
    await run(tool("kustomize"), ["fn", "run", "results", "--enable-exec", "--results-dir", join(root, "results-out")], {
      cwd: root,
      env,
    });
    const [file = ""] = readdirSync(join(root, "results-out"));
    const written = readFileSync(join(root, "results-out", file), "utf8");
    expect(written).toContain("severity: warning");
    expect(written).toContain("code: ports-skipped");
    expect(written).toContain("path: deployment.yaml");
  });

  test("a function works under the conditions of a container: no home folder, no network, the user nobody, and a read-only repository", (context) => {
    if (process.getuid?.() !== 0) return context.skip("needs root to become nobody");
    writeFunction("environments/dev.yaml", "./fn.sh", "environments/dev.yaml");
    const spec = readFileSync(join(root, "environments/dev.yaml"), "utf8").replace(/^/gm, "  ");
    const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\nfunctionConfig:\n${spec}`;
    // Copies kustomize, because the user `nobody` cannot read the cache of the test tools.
    cpSync(tool("kustomize"), join(root, "kustomize"));
    execFileSync("chmod", ["-R", "go+rX", root]);
    const before = filesBelow(".");
    const output = execFileSync(
      "unshare",
      [
        "--net",
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "env",
        "-i",
        `PATH=${root}:/usr/bin:/bin`,
        process.execPath,
        join(projectRoot, "dist/cli.js"),
        "krm",
      ],
      { input: list, cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 },
    );
    expect(output).toContain("kind: HelmRelease");
    expect(filesBelow(".")).toEqual(before);
  });
});

const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.org/web:1
          ports: [{containerPort: 8080}]
`;
const injection = `apiVersion: meshops.dev/v1alpha1
kind: MeshInjection
metadata:
  name: shop
spec:
  linkerd: edge-26.8.3
  clients: [{namespace: ingress, serviceAccount: nginx}]
`;

/**
 * Copies a spec of this repository, and adds the annotation `config.kubernetes.io/function` to the copy. The annotation
 * specifies the program that kustomize runs as the KRM function.
 */
function writeFunction(path: string, program: string, from: string): void {
  writeFunctionText(path, program, readFileSync(join(projectRoot, from), "utf8"));
}

function writeFunctionText(path: string, program: string, text: string): void {
  const annotation = `  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ${program}}\n`;
  write(
    path,
    text.replace(/^metadata:\n {2}name: .*\n/m, (metadata) => metadata + annotation),
  );
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function kustomizeBuild(folder: string): Promise<string> {
  return run(tool("kustomize"), ["build", "--enable-alpha-plugins", "--enable-exec", folder], { cwd: root, env });
}

function fnRun(folder: string): Promise<string> {
  return run(tool("kustomize"), ["fn", "run", folder, "--enable-exec"], { cwd: root, env });
}

function filesBelow(folder: string): Map<string, string> {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort();
  return new Map(paths.map((path) => [path.slice(join(root, folder).length + 1), readFileSync(path, "utf8")]));
}

function sorted(objects: readonly KubernetesObject[]): KubernetesObject[] {
  return [...objects].sort((a, b) => idOf(a).localeCompare(idOf(b)));
}
