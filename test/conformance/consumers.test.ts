import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { emitFlux, fluxNamespace } from "../../generator/bundle/emit/flux.ts";
import { plainPatches } from "../../generator/bundle/emit/patches.ts";
import { chartFacts } from "../../generator/catalog/charts.ts";
import { consumers } from "../../generator/catalog/consumers.ts";
import { linkerdRelease } from "../../generator/catalog/linkerd.ts";
import { probePod } from "../../generator/cluster/verify/probe.ts";
import { buildModel } from "../../generator/components/build.ts";
import type { Release } from "../../generator/components/component.ts";
import { type ComponentModel, type Model, releaseOf } from "../../generator/components/model.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { isMap } from "../../generator/system/data.ts";
import { releaseMatrix } from "../support/matrix.ts";
import { field, objectsIn } from "../support/objects.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * Each row of generator/catalog/consumers.ts describes a part of the generated files that another program reads. This
 * file either checks the row, or contains the path of the test file that checks the row.
 */

/**
 * One model per environment of the release matrix. The matrix contains every release of Linkerd, every version of
 * Dgraph's chart, and all options that change the generated files.
 */
const models: readonly Model[] = releaseMatrix.map(({ name, spec }) =>
  buildModel({ environment: environmentOf(spec, name), identity: sampleIdentity() }),
);

const bases: readonly KubernetesObject[] = readdirSync(join(projectRoot, "bases"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".yaml"))
  .flatMap((file) => objectsIn(readFileSync(join(projectRoot, "bases", file), "utf8")));

const components: readonly ComponentModel[] = models.flatMap((model) => model.components);

/**
 * All objects and patches of the models, the objects in bases/, the Namespace of Flux that bootstrap applies, and the
 * pod of a probe.
 */
const objects: readonly KubernetesObject[] = [
  ...components.flatMap(({ objects, patches }) => [...Object.values(objects).flat(), ...plainPatches(patches)]),
  ...bases,
  fluxNamespace(),
  probePod(
    { name: "p", namespace: "n", serviceAccount: "s", meshed: true, calls: [], protoVariable: "PROTO" },
    "image",
    "run",
    60,
  ),
];

/** Yields the value of every key with the given name in a nested value, at any depth. */
function* valuesOf(value: unknown, key: string): Iterable<unknown> {
  if (Array.isArray(value)) for (const item of value) yield* valuesOf(item, key);
  if (!isMap(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === key) yield inner;
    yield* valuesOf(inner, key);
  }
}

/**
 * Returns all values of a key in the generated objects and in the values for charts. Fails if there is no such value.
 */
function written(key: string): string[] {
  const found = [...objects, ...components.map((component) => releaseOf(component)?.values ?? {})].flatMap((each) => [
    ...valuesOf(each, key),
  ]);
  expect(found.length, key).toBeGreaterThan(0);
  return found.map(String);
}

/**
 * Returns the dotted paths of the values that meshops sets for a chart, but that no template of the chart reads. Leaves
 * out `highAvailability`: `linkerd check` reads this value in the ConfigMap linkerd-config, which contains all values
 * of the chart.
 */
function unreadValues({ chart, version, values }: Release): string[] {
  const unread = chartFacts(chart, version)?.unread ?? [`no facts about ${chart} ${version}`];
  return unread.filter((path) => path !== "highAvailability" && field(values, ...path.split(".")) !== undefined);
}

function releases(chart: string): { readonly model: Model; readonly values: unknown; readonly version: string }[] {
  const found = models.flatMap((model) =>
    model.components
      .map(releaseOf)
      .flatMap((release) =>
        release?.chart === chart
          ? [{ model, values: release.values, version: model.environment.spec.linkerd.version as string }]
          : [],
      ),
  );
  expect(found.length, chart).toBeGreaterThan(0);
  return found;
}

function ofKind(kind: string): KubernetesObject[] {
  const found = objects.filter((object) => object.kind === kind && object["spec"] !== undefined);
  expect(found.length, kind).toBeGreaterThan(0);
  return found;
}

const everyMatches = (values: readonly string[], pattern: RegExp): void => {
  for (const value of values) expect(value).toMatch(pattern);
};
const ports = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;
const domain = "cluster.local";

/**
 * The check of each row, keyed by the id of the row. The check is a function, or the path of the test file that checks
 * the row.
 */
const checks: Readonly<Record<string, string | (() => void)>> = {
  ...Object.fromEntries(
    consumers.filter(({ id }) => id.startsWith("key/")).map(({ id }) => [id, "conformance/identity.test.ts"]),
  ),
  "issuer-secret": "conformance/identity.test.ts",
  "issuer-ca": "conformance/identity.test.ts",
  "webhook-certificate": "conformance/identity.test.ts",
  "sops-age": "cluster/loop.test.ts",
  "flux-credentials": "azure/bootstrap.test.ts",
  "resource-policy": "cluster/ownership.test.ts",
  "trust-anchors": () => {
    for (const { values } of releases("linkerd-control-plane"))
      expect(field(values, "identityTrustAnchorsPEM")).toMatch(/^-----BEGIN CERTIFICATE-----[\s\S]*-----END CERTIFICATE-----$/);
  },
  "webhook-values": () => {
    for (const [chart, keys] of [
      ["linkerd-control-plane", ["proxyInjector", "profileValidator", "policyValidator"]],
      ["linkerd-viz", ["tap", "tapInjector"]],
      ["linkerd-jaeger", ["webhook"]],
    ] as const)
      for (const { values } of releases(chart))
        for (const key of keys)
          expect(field(values, key)).toMatchObject({ externalSecret: true, caBundle: expect.stringMatching(/^-----BEGIN CERT/) });
  },
  "control-plane-values": () => {
    for (const chart of ["linkerd-crds", "linkerd-control-plane", "linkerd-viz", "linkerd-jaeger"])
      for (const model of models)
        for (const release of model.components.map(releaseOf))
          if (release?.chart === chart) expect(unreadValues(release), `${chart} ${release.version}`).toEqual([]);
  },
  "policy-resources": () => {
    for (const { values, version } of releases("linkerd-control-plane")) {
      expect(field(values, "policyControllerResources")).toBeUndefined();
      expect(field(values, "controllerResources")).toBeUndefined();
      const wanted = version === "stable-2.14.10" && field(values, "highAvailability") === true;
      expect(field(values, "policyController", "resources") !== undefined).toBe(wanted);
    }
  },
  tracing: () => {
    for (const { values, version } of releases("linkerd-control-plane"))
      expect(field(values, "proxy", "tracing", "enabled") === true).toBe(
        linkerdRelease(version as never).traits.tracing === "built-in",
      );
    everyMatches(written("endpoint"), /^[a-z.-]+:\d+$|^0\.0\.0\.0:\d+$/);
  },
  "control-plane-tracing": () => {
    for (const { values, version } of releases("linkerd-control-plane"))
      expect(field(values, "controlPlaneTracing") === true).toBe(version === "stable-2.14.10");
  },
  "viz-values": () => {
    everyMatches(written("jaegerUrl"), /^[a-z.-]+:\d+$/);
    everyMatches(
      releases("linkerd-viz").flatMap(({ values }) => (field(values, "grafana", "url") as string | undefined) ?? []),
      /^[a-z.-]+(:\d+)?$/,
    );
  },
  "crds-values": () => {
    for (const { values, version } of releases("linkerd-crds")) {
      const { value } = linkerdRelease(version as never).traits.gatewayApi;
      expect(Object.keys(values as object)).toEqual([value]);
      expect(typeof field(values, value)).toBe("boolean");
    }
  },
  "jaeger-values": () => {
    for (const { values, model } of releases("linkerd-jaeger")) {
      expect(field(values, "clusterDomain")).toBe(model.environment.spec.linkerd.identity.trustDomain);
      expect(field(values, "podAnnotations")).toBeUndefined();
    }
  },
  "dgraph-values": "conformance/catalog.test.ts",
  "dgraph-whitelist": () => {
    everyMatches(written("extraFlags"), /^--security whitelist=[\d./,]+$/);
  },
  "dgraph-container": () => {
    const sets = ofKind("StatefulSet").filter((set) => field(set, "spec", "template", "spec", "containers") !== undefined);
    expect(sets.length).toBeGreaterThan(0);
    for (const set of sets) {
      const containers = field(set, "spec", "template", "spec", "containers") as { name: string; lifecycle?: unknown }[];
      expect(containers.map(({ name }) => name)).toEqual([set.metadata.name]);
      for (const { lifecycle } of containers)
        expect([{ preStop: { sleep: { seconds: 5 } } }, { preStop: { exec: { command: ["sleep", "5"] } } }]).toContainEqual(
          lifecycle,
        );
    }
  },
  "grafana-values": () => {
    for (const { values } of releases("grafana"))
      expect(field(values, "env", "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION")).toBe("true");
  },
  "jaeger-config": () => {
    const file = readFileSync(join(projectRoot, "bases/linkerd-jaeger/standalone/jaeger.yaml"), "utf8");
    const config = objectsIn(file)[0];
    const extensions = Object.keys(field(config, "extensions") as object);
    for (const name of field(config, "service", "extensions") as string[]) expect(extensions).toContain(name);
    expect(extensions).toEqual(expect.arrayContaining(["jaeger_query", "jaeger_storage", "healthcheckv2"]));
    const pipeline = field(config, "service", "pipelines", "traces") as Record<string, string[]>;
    for (const [kind, names] of Object.entries(pipeline))
      for (const name of names) expect(Object.keys(field(config, kind) as object), kind).toContain(name);
  },
  inject: () => {
    everyMatches(written("linkerd.io/inject"), /^(enabled|disabled|ingress)$/);
  },
  "opaque-ports": () => {
    everyMatches(written("config.linkerd.io/opaque-ports"), ports);
  },
  "skip-ports": () => {
    everyMatches(written("config.linkerd.io/skip-inbound-ports"), ports);
    everyMatches(written("config.linkerd.io/skip-outbound-ports"), ports);
  },
  "proxy-await": () => {
    everyMatches(written("config.linkerd.io/proxy-await"), /^(enabled|disabled)$/);
  },
  "admission-webhooks": () => {
    everyMatches(written("config.linkerd.io/admission-webhooks"), /^disabled$/);
  },
  "extension-label": () => {
    for (const model of models) {
      const namespaces = model.components.flatMap(({ objects: resources }) => Object.values(resources).flat());
      const labels = namespaces.flatMap(({ kind, metadata }) =>
        kind === "Namespace" ? [metadata.labels?.["linkerd.io/extension"]] : [],
      );
      const set = labels.filter((label) => label !== undefined).map(String);
      everyMatches(set, /^(viz|jaeger)$/);
      expect(new Set(set).size).toBe(set.length);
    }
  },
  "pod-security": () => {
    everyMatches(written("pod-security.kubernetes.io/enforce"), /^(privileged|baseline|restricted)$/);
  },
  "namespace-selectors": () => {
    for (const { spec } of ofKind("NetworkPolicy"))
      for (const selector of valuesOf(spec, "namespaceSelector"))
        if (Object.keys(selector as object).length > 0)
          expect(Object.keys(field(selector, "matchLabels") as object)).toEqual(["kubernetes.io/metadata.name"]);
    const labels = ofKind("NetworkPolicy").flatMap(({ spec }) => [...valuesOf(spec, "linkerd.io/control-plane-ns")]);
    everyMatches(labels.map(String), /^linkerd$/);
    expect(labels.length).toBeGreaterThan(0);
  },
  "requested-at": "cluster/verify.test.ts",
  "container-fields": () => {
    const pods = objects.flatMap((object) =>
      object.kind === "Pod" ? [object["spec"]] : [...valuesOf(object["spec"], "template")],
    );
    const specs = pods
      .map((pod) => field(pod, "spec") ?? pod)
      .filter((pod) => field(pod, "containers", 0, "image") !== undefined);
    expect(specs.length).toBeGreaterThan(2);
    for (const pod of specs)
      for (const container of field(pod, "containers") as object[]) {
        const context = { ...(field(pod, "securityContext") as object), ...(field(container, "securityContext") as object) };
        expect(context).toMatchObject({
          runAsNonRoot: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          seccompProfile: { type: "RuntimeDefault" },
        });
      }
  },
  "app-protocol": () => {
    everyMatches(written("appProtocol"), /^(http|kubernetes\.io\/h2c|linkerd\.io\/(tcp|opaque))$/);
  },
  "route-annotations": () => {
    everyMatches(
      written("retry.linkerd.io/grpc"),
      /^(cancelled|deadline-exceeded|internal|resource-exhausted|unavailable)(,(cancelled|deadline-exceeded|internal|resource-exhausted|unavailable))*$/,
    );
    everyMatches(written("timeout.linkerd.io/request"), /^\d+(ms|s|m|h|d)$/);
  },
  prune: () => {
    everyMatches(written("kustomize.toolkit.fluxcd.io/prune"), /^disabled$/);
  },
  server: () => {
    for (const server of ofKind("Server"))
      expect(["unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"]).toContain(field(server, "spec", "proxyProtocol"));
  },
  "mesh-tls": () => {
    for (const { spec } of ofKind("MeshTLSAuthentication") as {
      spec?: { identities?: []; identityRefs?: { kind: string }[] };
    }[]) {
      expect((spec?.identities === undefined) !== (spec?.identityRefs === undefined)).toBe(true);
      for (const { kind } of spec?.identityRefs ?? []) expect(["ServiceAccount", "Namespace"]).toContain(kind);
    }
  },
  "authorization-policy": () => {
    for (const policy of ofKind("AuthorizationPolicy")) {
      const references = field(policy, "spec", "requiredAuthenticationRefs") as { kind: string }[];
      expect(references.map(({ kind }) => kind).filter((kind) => kind !== "NetworkAuthentication")).toHaveLength(1);
    }
  },
  "service-profile": () => {
    for (const profile of ofKind("ServiceProfile")) {
      expect(profile.metadata.name).toMatch(new RegExp(`^[a-z-]+\\.[a-z-]+\\.svc\\.${domain.replace(".", "\\.")}$`));
      for (const { timeout = "1s" } of field(profile, "spec", "routes") as { timeout?: string }[])
        expect(timeout).toMatch(/^\d+(ms|s|m|h)$/);
    }
  },
  "grpc-route": () => {
    for (const route of ofKind("GRPCRoute"))
      for (const key of ["parentRefs", "backendRefs"])
        for (const references of valuesOf(route, key))
          for (const { port } of references as { port: unknown }[]) expect(typeof port, key).toBe("number");
  },
  "flux-objects": "cluster/admission.test.ts",
  "feature-gate": "cluster/faults.test.ts",
  "values-configmap": "conformance/two-roads.test.ts",
  "encrypted-secret": "cluster/loop.test.ts",
  "sops-metadata": "conformance/sops.test.ts",
  helmfile: "conformance/two-roads.test.ts",
  azure: "azure/bootstrap.test.ts",
};

describe("generated files that other programs read", () => {
  test.each(consumers.map(({ id, reader, source }) => [id, reader, source] as const))("%s, for %s (%s)", (id) => {
    const check = checks[id];
    if (check === undefined) throw new Error(`no check for the row ${id}`);
    if (typeof check === "string") expect(existsSync(join(projectRoot, "test", check)), check).toBe(true);
    else check();
  });

  test("each row has a unique id, and each check has a row", () => {
    const ids = consumers.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(checks).sort()).toEqual([...ids].sort());
  });

  test("the row flux-objects lists all kinds of Flux objects that meshops generates", () => {
    const kinds = models.flatMap((model) => [...emitFlux(model)].flatMap(([, text]) => objectsIn(text).map(({ kind }) => kind)));
    const row = consumers.find(({ id }) => id === "flux-objects");
    for (const kind of new Set(kinds)) expect(row?.artefact).toContain(kind);
  });
});
