import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { type ChartServer, serveCharts } from "../support/charts.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { byId, field, idOf, objectsIn, pick } from "../support/objects.ts";
import { makePlatform, scratchFolder, writeTree } from "../support/platform.ts";
import { type Registry, serveRegistry } from "../support/registry.ts";
import { fluxRoad, helmfileRoad, kustomizeBuild } from "../support/roads.ts";
import { run, tool } from "../support/tools.ts";

/*
 * Tests workloads that meshops delivers from three sources: a chart in a repository, a chart in an OCI registry, and a
 * folder of the platform repository. The real helm, helmfile and kustomize render the workloads. The charts are small
 * charts that this file defines.
 */
withTools(["helm", "helmfile", "kustomize"], "workloads that meshops delivers", () => {
  let charts: ChartServer;
  let registry: Registry;
  let root: string;
  let flux: Map<string, KubernetesObject[]>;
  let helmfile: KubernetesObject[];

  beforeAll(async () => {
    const folder = await packCharts();
    registry = await serveRegistry([{ path: "charts/redis", version: "20.1.0", archive: join(folder, "redis-20.1.0.tgz") }]);
    const served = await serveCharts(folder, ["workload-shop"]);
    charts = { ...served, env: { ...served.env, ...registry.env } };
    root = makePlatform({ base: baseSpec, shop: shopSpec(registry) });
    writeTree(root, queueFolder);
    const { code, stderr } = await meshops(root, ["generate"]);
    expect(code, stderr).toBe(0);
    flux = await fluxRoad(root, "shop", charts);
    helmfile = await helmfileRoad(root, "shop", charts);
  });
  afterAll(() => {
    charts?.close();
    registry?.close();
  });

  test("Flux and helmfile install the same objects; helmfile installs all objects of a folder in the workload's namespace", () => {
    // Leaves out the component `namespaces`, because a hook of helmfile applies it. Leaves out the workload `tools`,
    // because this workload is suspended and helmfile does not install it.
    const left = ["namespaces", "workloads/tools"];
    const withoutHook = [...flux].filter(([component]) => !left.includes(component)).flatMap(([, objects]) => objects);
    const moved = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
      objects.map((object) =>
        object.metadata.name === "settings" ? { ...object, metadata: { ...object.metadata, namespace: "queue" } } : object,
      );
    expect(byId(helmfile)).toEqual(byId(moved(withoutHook)));
    expect(withoutHook.map(idOf)).toContain("ConfigMap/elsewhere/settings");
    expect(withoutHook.length).toBeGreaterThan(15);
  });

  test("only the pod templates of described sets of pods get annotations; the chart need not write a namespace", () => {
    const objects = flux.get("workloads/shop") ?? [];
    const of = (kind: string, name: string): Record<string, string> => annotationsOf(pick(objects, kind, name));
    const revision = { "meshops.dev/identity-revision": expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(of("Deployment", "shop-api")).toEqual({
      kept: "yes",
      "linkerd.io/inject": "enabled",
      "config.linkerd.io/proxy-cpu-request": "50m",
      ...revision,
    });
    expect(of("Deployment", "shop-batch")).toEqual({ kept: "yes", "linkerd.io/inject": "disabled" });
    expect(of("Deployment", "shop-inherited")).toEqual({ kept: "yes" });
    expect(of("CronJob", "shop-report")).toEqual({ kept: "yes", "linkerd.io/inject": "enabled", ...revision });
    expect(of("DaemonSet", "shop.node")).toEqual({ kept: "yes", "linkerd.io/inject": "ingress", ...revision });
    expect(of("DaemonSet", "shopXnode")).toEqual({ kept: "yes" });
  });

  test("with restart: manual, the pod templates do not contain the identity revision", () => {
    expect(annotationsOf(pick(flux.get("workloads/queue") ?? [], "Deployment", "queue"))).toEqual({
      "linkerd.io/inject": "enabled",
    });
  });

  test("opaque ports are in an annotation of the pods (container port) and of the Services (port of the Service)", () => {
    const objects = flux.get("workloads/cache") ?? [];
    expect(annotationsOf(pick(objects, "StatefulSet", "cache-redis"))).toMatchObject({
      "config.linkerd.io/opaque-ports": "6379",
    });
    expect(pick(objects, "Service", "cache-redis").metadata.annotations).toEqual({ "config.linkerd.io/opaque-ports": "6380" });
  });

  describe("a folder of the repository", () => {
    test("objects keep their labels and namespaces; objects without a namespace get the namespace of the workload", () => {
      const objects = flux.get("workloads/queue") ?? [];
      expect(objects.map(({ kind, metadata: { namespace, name } }) => [kind, namespace, name]).sort()).toEqual([
        ["ClusterRole", undefined, "queue"],
        ["ConfigMap", "elsewhere", "settings"],
        ["Deployment", "queue", "queue"],
        ["ServiceAccount", "queue", "queue"],
      ]);
      expect(pick(objects, "Deployment", "queue").metadata.labels).toEqual({ "app.kubernetes.io/part-of": "things" });
    });

    test("the patches of the spec are applied after the generated patches", () => {
      const queue = pick(flux.get("workloads/queue") ?? [], "Deployment", "queue");
      expect(field(queue, "spec", "template", "spec", "priorityClassName")).toBe("business");
    });
  });

  test("an environment can change one of the inherited values, and a null removes a default of the chart", () => {
    const seen = pick(flux.get("workloads/shop") ?? [], "ConfigMap", "shop-values");
    expect(field(seen, "data", "values")).toBe("chartDefault:\n  second: 2\nreplicas: 2\nzone: west\n");
  });

  test("the HelmRelease installs CRDs in crds/ as Helm does, disables drift detection, and rolls back failed upgrades", async () => {
    const built = objectsIn(await kustomizeBuild(join(root, "overlays/shop/workloads/shop")));
    const release = pick(built, "HelmRelease", "workload-shop");
    expect(field(release, "spec", "install", "crds")).toBe("Create");
    expect(field(release, "spec", "driftDetection", "mode")).toBe("disabled");
    expect(field(release, "spec", "upgrade", "remediation", "strategy")).toBe("rollback");
    expect(field(release, "spec", "releaseName")).toBe("shop");
  });

  test("a chart in a registry is pinned by its digest, with Flux and with helmfile", async () => {
    const built = objectsIn(await kustomizeBuild(join(root, "overlays/shop/workloads/cache")));
    expect(field(pick(built, "OCIRepository", "workload-cache"), "spec", "ref")).toEqual({
      tag: "20.1.0",
      digest: registry.digests["charts/redis"],
    });
    expect(field(pick(built, "HelmRelease", "workload-cache"), "spec", "chartRef", "kind")).toBe("OCIRepository");
    const other = `sha256:${"0".repeat(64)}`;
    const spec = shopSpec(registry).replace(registry.digests["charts/redis"] ?? "", other);
    writeTree(root, { "environments/shop.yaml": spec });
    expect((await meshops(root, ["generate"])).code).toBe(0);
    // Uses an empty cache. If a chart is already in the cache, helmfile does not check the digest of the chart.
    const empty = { ...charts, env: { ...charts.env, HELMFILE_CACHE_HOME: scratchFolder("cache") } };
    await expect(helmfileRoad(root, "shop", empty, ["name=cache"])).rejects.toThrow(other);
  });

  test("images that the spec lists are pulled from the mirror with unchanged tags and digests; other images are not changed", () => {
    const imagesOf = (component: string, kind: string, name: string): string[] => {
      const spec = field(pick(flux.get(component) ?? [], kind, name), "spec", "template", "spec") as PodSpec;
      return [...(spec.initContainers ?? []), ...spec.containers].map(({ image }) => image);
    };
    expect(imagesOf("workloads/shop", "Deployment", "shop-api")).toEqual([
      "harbor.example.org/mesh/docker.io/library/busybox:1.36",
      images.api.replace("ghcr.io", "harbor.example.org/mesh/ghcr.io"),
      "ghcr.io/acme/other:1",
    ]);
    expect(imagesOf("workloads/queue", "Deployment", "queue")).toEqual(["harbor.example.org/mesh/docker.io/library/queue:1.0"]);
  });

  test("meshops images lists the images of workloads, and prints the commands that copy these images", async () => {
    const { stdout } = await meshops(root, ["images", "shop"]);
    expect(stdout).toContain(`harbor.example.org/mesh/ghcr.io/acme/api:1.4.2@sha256:${"a".repeat(64)}\n`);
    const copies = (await meshops(root, ["images", "shop", "--mirror"])).stdout;
    // skopeo refuses a reference with a tag and a digest, so the source in the command has only the digest.
    expect(copies).toContain(
      `skopeo copy --all docker://ghcr.io/acme/api@sha256:${"a".repeat(64)} docker://harbor.example.org/mesh/ghcr.io/acme/api:1.4.2\n`,
    );
    expect(copies).toContain(
      "skopeo copy --all docker://docker.io/library/busybox:1.36 docker://harbor.example.org/mesh/docker.io/library/busybox:1.36\n",
    );
  });

  test("the namespace of each workload is created once, with the label that injected pods need; no other namespace is created", () => {
    const namespaces = (flux.get("namespaces") ?? []).filter(({ kind }) => kind === "Namespace");
    expect(namespaces.map(({ metadata: { name } }) => name).sort()).toEqual(["queue", "shop"]);
    expect(pick(namespaces, "Namespace", "shop").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "privileged",
    });
    // A label in the spec takes precedence over a generated label with the same key.
    expect(pick(namespaces, "Namespace", "queue").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "baseline",
    });
  });
});

interface PodSpec {
  readonly initContainers?: readonly { readonly image: string }[];
  readonly containers: readonly { readonly image: string }[];
}

function annotationsOf(object: KubernetesObject): Record<string, string> {
  const spec = field(object, "spec", ...(object.kind === "CronJob" ? ["jobTemplate", "spec"] : []));
  return (field(spec, "template", "metadata", "annotations") ?? {}) as Record<string, string>;
}

async function packCharts(): Promise<string> {
  const [source, packed] = [scratchFolder("sources"), scratchFolder("charts")];
  const pack = async (name: string, version: string, objects: readonly string[]): Promise<void> => {
    const folder = join(source, name);
    mkdirSync(join(folder, "templates"), { recursive: true });
    writeTree(folder, {
      "Chart.yaml": stringify({ apiVersion: "v2", name, version }),
      "values.yaml": "chartDefault: {first: 1, second: 2}\n",
      "templates/values.yaml":
        'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-values\n  namespace: {{ .Release.Namespace }}\ndata:\n  values: {{ printf "%s\\n" (toYaml .Values) | quote }}\n',
    });
    writeFileSync(join(folder, "templates/objects.yaml"), objects.join("---\n"));
    await run(tool("helm"), ["package", folder, "--destination", packed]);
  };
  await pack("shop", "1.4.2", [
    templated("apps/v1", "Deployment", "{{ .Release.Name }}-api", true),
    templated("apps/v1", "Deployment", "{{ .Release.Name }}-batch", false),
    templated("apps/v1", "Deployment", "{{ .Release.Name }}-inherited", false),
    templated("apps/v1", "DaemonSet", "shop.node", false),
    templated("apps/v1", "DaemonSet", "shopXnode", false),
    `apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: shop-report\nspec:\n  jobTemplate:\n    spec:\n${template("      ")}`,
  ]);
  await pack("redis", "20.1.0", [
    templated("apps/v1", "StatefulSet", "{{ .Release.Name }}-redis", true),
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}-redis\nspec:\n  ports: [{port: 6380, targetPort: 6379}]\n",
  ]);
  await run(tool("helm"), ["repo", "index", packed]);
  return packed;
}

function templated(apiVersion: string, kind: string, name: string, namespaced: boolean): string {
  const namespace = namespaced ? "  namespace: {{ .Release.Namespace }}\n" : "";
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace}spec:\n${template("  ")}`;
}

function template(margin: string): string {
  return `${margin}template:\n${margin}  metadata:\n${margin}    annotations:\n${margin}      kept: 'yes'\n${margin}  spec:\n${margin}    initContainers: [{name: init, image: "busybox:1.36"}]\n${margin}    containers: [{name: app, image: "${images.api}"}, {name: other, image: "ghcr.io/acme/other:1"}]\n`;
}

/** An image in the chart `shop`, with a tag and a digest. */
const images = { api: `ghcr.io/acme/api:1.4.2@sha256:${"a".repeat(64)}` };

const queueFolder = {
  "apps/tools/kustomization.yaml": "resources: [objects.yaml]\n",
  "apps/tools/objects.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tools}\n",
  "apps/queue/kustomization.yaml": "resources: [objects.yaml]\n",
  "apps/queue/objects.yaml": [
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: queue\n  labels: {app.kubernetes.io/part-of: things}\nspec:\n  template:\n    spec: {containers: [{name: queue, image: 'queue:1.0'}]}\n",
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: queue}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: elsewhere}\n",
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: queue}\n",
  ].join("---\n"),
};

const baseSpec = `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: base}
spec:
  abstract: true
  gitops: {url: https://github.com/acme/platform}
  linkerd: {lifecycle: existing, version: edge-26.8.3}
  dgraph: {enabled: false}
  cluster: {context: shop}
  registry: {host: harbor.example.org/mesh, images: mirror, layout: origin}
  workloads:
    shop:
      namespace: shop
      source: {chart: {repository: https://charts.example.org, name: shop, version: 1.4.1}}
      values: {replicas: 1, zone: west, chartDefault: {first: 5}}
`;

function shopSpec({ host, digests }: Registry): string {
  return `apiVersion: meshops.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  extends: base
  namespaces:
    queue: {labels: {pod-security.kubernetes.io/enforce: baseline}}
    tools: {create: false}
  workloads:
    shop:
      source: {chart: {version: 1.4.2}}
      values: {replicas: 2, chartDefault: {first: null}}
      dependsOn: [{workload: queue}]
      timeout: 10m
      images: ["${images.api}", "busybox:1.36"]
      pods:
        api:
          workloadRef: {kind: Deployment, name: shop-api}
          selector: {matchLabels: {app: shop}}
          serviceAccountName: shop-api
          inject: enabled
          proxy: {proxy-cpu-request: 50m}
          ports: {http: {port: 8080, protocol: HTTP/1}}
          access: {mode: enforce, clients: {web: {serviceAccountRef: {namespace: web, name: web}}}}
        batch: {workloadRef: {kind: Deployment, name: shop-batch}, selector: {matchLabels: {app: batch}}, inject: disabled}
        inherited: {workloadRef: {kind: Deployment, name: shop-inherited}, selector: {matchLabels: {app: inherited}}}
        report: {workloadRef: {kind: CronJob, name: shop-report}, selector: {matchLabels: {app: report}}, inject: enabled}
        node: {workloadRef: {kind: DaemonSet, name: shop.node}, selector: {matchLabels: {app: node}}, inject: ingress}
    cache:
      namespace: shop
      source: {oci: {url: "oci://${host}/charts/redis", version: 20.1.0, digest: "${digests["charts/redis"]}"}}
      pods:
        redis:
          workloadRef: {kind: StatefulSet, name: cache-redis}
          selector: {matchLabels: {app: redis}}
          inject: enabled
          services: [cache-redis]
          ports: {redis: {port: 6379, protocol: opaque, servicePort: 6380}}
          access: {mode: enforce, clients: {shop: {workload: shop/api}}}
    queue:
      namespace: queue
      source: {path: apps/queue}
      restart: manual
      images: ["queue:1.0"]
      patches:
        priority: {target: {kind: Deployment}, patch: "- {op: add, path: /spec/template/spec/priorityClassName, value: business}"}
      pods:
        worker: {workloadRef: {kind: Deployment, name: queue}, selector: {matchLabels: {app: queue}}, inject: enabled}
    tools:
      namespace: tools
      source: {path: apps/tools}
      suspend: true
`;
}
