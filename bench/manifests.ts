/**
 * `npm run bench:manifests`: measures the CPU time of `validate --manifests` and `inject` for streams of Deployments
 * and Services of 1 MB and 10 MB. Compares this time with `kustomize build` of the same stream, and with PyYAML, which
 * parses the stream with libyaml. Prints a Markdown table for bench/README.md. Needs bash, kustomize (`npm run tools`)
 * and Python 3 with PyYAML. kustomize builds only the stream of 1 MB, because kustomize needs minutes for a stream of
 * 10 MB.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedTool } from "../scripts/tools/paths.ts";

const rounds = 3;
const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "meshops-bench-"));

/** A Deployment and its Service, about 1 kB. @param annotations annotations of the pod template, with indentation */
function pair(index: number, annotations: string): string {
  const name = `web-${index}`;
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
  labels:
    app.kubernetes.io/name: ${name}
    app.kubernetes.io/part-of: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: ${name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ${name}
        app.kubernetes.io/part-of: shop
${annotations}    spec:
      serviceAccountName: ${name}
      containers:
        - name: web
          image: example.org/web:1.0
          ports:
            - name: http
              containerPort: 8080
          readinessProbe:
            httpGet:
              path: /ready
              port: http
          lifecycle:
            preStop:
              sleep:
                seconds: 5
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: shop
spec:
  selector:
    app.kubernetes.io/name: ${name}
  ports:
    - name: http
      port: 80
      targetPort: http
---
`;
}

/** Returns a stream of at least `size` bytes. */
function stream(size: number, annotations: string): string {
  const pairs: string[] = [];
  for (let bytes = 0; bytes < size; bytes += pairs.at(-1)?.length ?? 0) pairs.push(pair(pairs.length, annotations));
  return pairs.join("");
}

/** Returns the smallest CPU time (user and system) of several runs of a shell command, in seconds. */
function cpuTime(command: string): number {
  const times = Array.from({ length: rounds }, () => {
    const script = `TIMEFORMAT='%U %S'; time { ${command} >/dev/null; }`;
    const { status, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", cwd: folder, maxBuffer: 1e8 });
    if (status !== 0) throw new Error(`${command}: exit ${status}\n${stderr.slice(-2000)}`);
    const [user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
    return user + system;
  });
  return Math.min(...times);
}

const injection = (clients: string): string =>
  `apiVersion: meshops.dev/v1alpha1\nkind: MeshInjection\nmetadata: {name: shop}\nspec: {linkerd: edge-26.8.3${clients}}\n`;
const injected = "      annotations:\n        linkerd.io/inject: enabled\n";

writeFileSync(join(folder, "inject.yaml"), injection(""));
writeFileSync(join(folder, "clients.yaml"), injection(", clients: [{namespace: web, serviceAccount: web}]"));
const commands: Readonly<Record<string, (size: string) => string>> = {
  "node -e 0": () => `"${process.execPath}" -e 0`,
  "PyYAML with libyaml": (size) =>
    `python3 -c 'import sys, yaml; list(yaml.load_all(open(sys.argv[1]), Loader=yaml.CSafeLoader))' ${size}/all.yaml`,
  "kustomize build": (size) => `"${pinnedTool("kustomize")}" build ${size}`,
  "meshops validate --manifests": (size) => `"${process.execPath}" "${cli}" validate --manifests ${size}/all.yaml`,
  "meshops inject": (size) => `"${process.execPath}" "${cli}" inject inject.yaml < ${size}/plain.yaml`,
  "meshops inject, with policies": (size) => `"${process.execPath}" "${cli}" inject clients.yaml < ${size}/plain.yaml`,
};
const sizes = { "1 MB": 1e6, "10 MB": 1e7 };
for (const [index, size] of Object.values(sizes).entries()) {
  mkdirSync(join(folder, String(index)));
  writeFileSync(join(folder, String(index), "all.yaml"), stream(size, injected));
  writeFileSync(join(folder, String(index), "plain.yaml"), stream(size, ""));
  writeFileSync(join(folder, String(index), "kustomization.yaml"), "resources: [all.yaml]\n");
}
console.log(`| CPU seconds | ${Object.keys(sizes).join(" | ")} |\n|---|--:|--:|`);
for (const [name, command] of Object.entries(commands)) {
  const measured = name === "kustomize build" ? [0] : [0, 1];
  const cells = measured.map((index) => cpuTime(command(String(index))).toFixed(2));
  console.log(`| ${name} | ${[...cells, ""].slice(0, 2).join(" | ")} |`);
}
rmSync(folder, { recursive: true });
