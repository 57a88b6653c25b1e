import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { emitFlux } from "../../generator/bundle/emit/flux.ts";
import { emitHelmfile } from "../../generator/bundle/emit/helmfile.ts";
import { testsOf } from "../../generator/cluster/verify/tests.ts";
import { modelOf } from "../../generator/components/build.ts";
import { isDelivered } from "../../generator/components/model.ts";
import { meshops } from "../support/cli.ts";
import { field } from "../support/objects.ts";
import { generateIn, makePlatform, scratchFolder } from "../support/platform.ts";
import { environmentOf, loadFiles, specOf } from "../support/specs.ts";

const noClient = { pydgraphClient: { enabled: false } };
const existing = { linkerd: { lifecycle: "existing" }, dgraph: {}, ...noClient };
const external = { linkerd: { identity: { provider: "external" } }, dgraph: {}, ...noClient };

/** Returns the text of a spec that has no section `secrets`. */
function withoutSecrets(spec: Record<string, unknown>, name = "own"): string {
  const { spec: all, ...others } = specOf(spec, name) as { spec: Record<string, unknown> };
  const { secrets: _, ...rest } = all;
  return JSON.stringify({ ...others, spec: rest });
}

/** Creates a platform repository whose environment `own` has no certificates and no encrypted files. */
function platformOf(specs: Readonly<Record<string, string>>): string {
  const root = makePlatform(specs);
  for (const folder of ["environments/own/identity", "overlays/own/identity"])
    rmSync(join(root, folder), { recursive: true, force: true });
  return root;
}

describe("linkerd.lifecycle: existing", () => {
  const environment = environmentOf(existing);
  const model = modelOf(environment);

  test("delivers no component of Linkerd, but verify still runs the tests of the mesh", () => {
    const delivered = model.components.filter(isDelivered).map(({ id }) => id);
    expect(delivered.sort()).toEqual(["dgraph", "dgraph-policy", "namespaces", "service-profile"]);
    const all = testsOf(model).map(({ id }) => id);
    const managed = testsOf(modelOf(environmentOf(noClient))).map(({ id }) => id);
    expect(all).toEqual(managed);
    expect(model.components.filter((component) => !isDelivered(component)).flatMap(({ images }) => images)).toEqual([]);
  });

  test("no generated file contains an object in a namespace of Linkerd", async () => {
    const root = platformOf({ own: withoutSecrets(existing) });
    expect(await generateIn(root)).toBe(0);
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
      /^(overlays|flux).*\.yaml$/.test(file),
    );
    expect(files.length).toBeGreaterThan(10);
    const objects = files.flatMap((file) => parseAllDocuments(readFileSync(join(root, file), "utf8")).map((each) => each.toJS()));
    const namespaces = objects.flatMap((object) => [
      field(object, "metadata", "namespace"),
      field(object, "kind") === "Namespace" ? field(object, "metadata", "name") : field(object, "namespace"),
    ]);
    expect(new Set(namespaces)).toEqual(new Set([undefined, "flux-system", "dgraph"]));
  });

  test("the policies wait for the namespaces with Flux; with helmfile, their release has the hook that applies the namespaces", () => {
    const flux = [...emitFlux(model)].find(([path]) => path.endsWith("/dgraph-policy.yaml"))?.[1] ?? "";
    expect(field(parseAllDocuments(flux)[0]?.toJS(), "spec", "dependsOn")).toEqual([{ name: "namespaces" }]);
    const releases = field(parseAllDocuments(emitHelmfile(model)[1])[1]?.toJS(), "releases") as Record<string, unknown>[];
    expect(releases.map(({ name, hooks, needs }) => [name, hooks !== undefined, needs])).toEqual([
      ["dgraph-policy", true, undefined],
      ["demo", false, ["dgraph/dgraph-policy"]],
      ["service-profile", false, ["dgraph/demo"]],
    ]);
  });

  test("an environment without Dgraph has no Flux objects, and bootstrap and teardown fail with an error", async () => {
    const look = { linkerd: { lifecycle: "existing" }, dgraph: { enabled: false }, pydgraphClient: undefined };
    const looked = modelOf(environmentOf(look));
    expect([...emitFlux(looked)]).toEqual([]);
    const root = platformOf({ own: withoutSecrets(look) });
    expect(await generateIn(root)).toBe(0);
    for (const command of ["bootstrap", "teardown"])
      expect(await meshops(root, [command, "own"])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          "meshops installs no component of environment own, because other tools install all components",
        ),
      });
  });

  test("an override of a component that another tool delivers is an error", () => {
    const found = loadFiles(
      { test: JSON.stringify(specOf({ ...existing, components: { "linkerd-viz": { timeout: "9m" } } })) },
      "test",
    );
    expect(found.diagnostics).toMatchObject([
      {
        code: "override-refused",
        severity: "error",
        message: "another tool installs linkerd-viz, so meshops cannot change this component",
      },
    ]);
  });
});

describe("external certificates", () => {
  test.each([
    ["linkerd.lifecycle is existing", existing],
    ["linkerd.identity.provider is external", external],
  ])("if %s, the repository needs no recipients and no identity", async (field, spec) => {
    const root = platformOf({ own: withoutSecrets(spec) });
    expect(await meshops(root, ["validate"])).toMatchObject({ code: 0, stdout: "1 environment checked, all valid\n" });
    expect(await generateIn(root)).toBe(0);
    const files = readdirSync(root, { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => /sops|identity\//.test(file) && !file.startsWith("bases"))).toEqual([]);
    const bootstrap = await meshops(root, ["bootstrap", "own"]);
    expect(bootstrap).toMatchObject({ code: 0 });
    expect(bootstrap.stdout).not.toMatch(/age.key|AGE_SECRET/i);
    for (const command of ["init", "rotate-issuer", "rotate-webhooks", "rotate-anchor", "updatekeys"])
      expect(await meshops(root, ["identity", command, "own"])).toMatchObject({
        code: 1,
        stderr: `meshops: meshops does not issue the certificates of own, because ${field}\nfix: change the certificates with the program that issues them; meshops status own shows when the certificates expire\n`,
      });
    expect(await meshops(root, ["identity", "age-key", "own"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("own has no age key: spec.secrets is not set"),
    });
    expect(await meshops(root, ["identity", "status"])).toMatchObject({
      code: 0,
      stdout: "own: another program issues the certificates; to see when the certificates expire, run meshops status own\n",
    });
    expect((await meshops(root, ["doctor"])).stdout).not.toContain("own, Secrets");
    expect(await meshops(root, ["generate", "--check"])).toMatchObject({ code: 0 });
  });

  test("if meshops issues the certificates, the spec must contain recipients", async () => {
    const root = platformOf({ own: withoutSecrets(noClient) });
    const { code, stdout } = await meshops(root, ["validate"]);
    expect(code).toBe(1);
    expect(stdout).toContain("missing key spec.secrets");
    expect(stdout).toContain("run meshops identity keygen own --write");
  });

  test("files of an identity that meshops created earlier cause a warning", async () => {
    const root = makePlatform({ own: withoutSecrets(external) });
    const { code, stdout } = await meshops(root, ["validate"]);
    expect(code).toBe(0);
    expect(stdout).toContain("warning identity-unused\n  11 identity files of own are not used");
    expect(stdout).toContain(
      "run git rm -r overlays/own/identity environments/own/identity, and remove the rules for these files",
    );
  });

  test("two environments without recipients do not cause the finding that environments share a key", () => {
    const loaded = loadFiles({ a: withoutSecrets(external, "a"), b: withoutSecrets(external, "b") }, "a");
    expect(loaded.diagnostics).toEqual([]);
  });

  test("the charts use Secrets that another program writes, and cert-manager sets caBundle", () => {
    const [values, ignored] = controlPlane({ provider: "external" });
    expect(values).toMatchObject({
      identity: { externalCA: true, issuer: { scheme: "kubernetes.io/tls" } },
      proxyInjector: { externalSecret: true, injectCaFrom: "linkerd/linkerd-proxy-injector" },
      profileValidator: { externalSecret: true, injectCaFrom: "linkerd/linkerd-sp-validator" },
      policyValidator: { externalSecret: true, injectCaFrom: "linkerd/linkerd-policy-validator" },
    });
    expect(values).not.toHaveProperty("identityTrustAnchorsPEM");
    expect(ignored).toContain("/webhooks/0/clientConfig/caBundle");
  });

  test("with webhooks: chart, the charts create the certificates of the webhooks", () => {
    const [values, ignored] = controlPlane({ provider: "external", webhooks: "chart" });
    for (const name of ["proxyInjector", "profileValidator", "policyValidator"]) expect(values).not.toHaveProperty(name);
    expect(ignored).not.toContain("/webhooks/0/clientConfig/caBundle");
  });

  test("with trustAnchors.secretRef, the HelmRelease reads the trust anchors from the Secret, after all other values", async () => {
    const identity = { provider: "external", trustAnchors: { secretRef: { name: "mesh-ca" } } };
    const components = { "linkerd-control-plane": { valuesFrom: [{ configMapRef: { name: "mesh-values" } }], values: { a: 1 } } };
    const root = platformOf({ own: withoutSecrets({ ...external, linkerd: { identity }, components }) });
    expect(await generateIn(root)).toBe(0);
    const release = readFileSync(join(root, "overlays/own/linkerd-control-plane/release.yaml"), "utf8");
    expect(field(parseAllDocuments(release)[0]?.toJS(), "spec", "valuesFrom")).toEqual([
      { kind: "ConfigMap", name: "linkerd-control-plane-values" },
      { kind: "ConfigMap", name: "mesh-values", valuesKey: "values.yaml" },
      { kind: "ConfigMap", name: "linkerd-control-plane-values", valuesKey: "values-last.yaml" },
      { kind: "Secret", name: "mesh-ca", valuesKey: "ca.crt", targetPath: "identityTrustAnchorsPEM" },
    ]);
  });

  test("chart values about certificates cannot be overridden", () => {
    const components = { "linkerd-control-plane": { values: { identity: { externalCA: false } } } };
    const found = loadFiles({ test: JSON.stringify(specOf({ ...external, components })) }, "test");
    expect(found.diagnostics.map(({ code }) => code)).toEqual(["override-owned"]);
  });

  function controlPlane(identity: Record<string, unknown>): [values: unknown, ignored: unknown] {
    const model = modelOf(environmentOf({ ...external, linkerd: { identity } }));
    const component = model.components.find(({ id }) => id === "linkerd-control-plane");
    return [field(component, "delivery", "release", "values"), component?.ignoredDrift.flatMap(({ paths }) => paths)];
  }
});

test("validate and generate fail if the folder bases/ is missing, and init --keep writes this folder", async () => {
  const root = platformOf({ own: withoutSecrets(existing) });
  rmSync(join(root, "bases"), { recursive: true });
  for (const command of [["validate"], ["generate"], ["generate", "--check"]]) {
    const { code, stdout, stderr } = await meshops(root, command);
    expect([command, code]).toEqual([command, 1]);
    expect(stdout + stderr).toContain("the folder bases/dgraph does not exist, but the generated files refer to it");
  }
  expect((await meshops(root, ["init", ".", "--keep", "--yes", "--cluster", "own", "--existing-linkerd"])).code).toBe(0);
  expect((await meshops(root, ["validate", "own"])).code).toBe(0);
  expect(await generateIn(root, {}, ["own"])).toBe(0);
});

test("init --existing-linkerd writes a repository without an identity, whose README has no step for certificates", async () => {
  const work = scratchFolder("init");
  const made = await meshops(work, ["init", "mesh", "--yes", "--cluster", "own", "--existing-linkerd", "--no-dgraph"]);
  expect(made.code).toBe(0);
  expect(made.stdout).not.toContain("identity");
  const root = join(work, "mesh");
  expect((await meshops(root, ["validate"])).code).toBe(0);
  expect(await generateIn(root)).toBe(0);
  const readme = readFileSync(join(root, "README.md"), "utf8");
  expect(readme).not.toMatch(/identity|keygen|bootstrap/);
  expect(readme).toContain("npx meshops status dev\nnpx meshops verify dev --only M\n");
  const added = await meshops(root, ["env", "add", "staging", "--extends", "base"]);
  expect(added).toMatchObject({ code: 0, stdout: expect.not.stringContaining("identity") });
});

test("if identity.provider is wrong, meshops reports only this, and not missing recipients", () => {
  const found = loadFiles(
    { test: withoutSecrets({ ...noClient, linkerd: { identity: { provider: "cert-manager" } } }, "test") },
    "test",
  );
  expect(found.diagnostics).toMatchObject([
    { code: "not-allowed", fix: "use external if another program issues the certificates, and sops if meshops issues them" },
  ]);
});

test("a component of meshops cannot wait for a component of another tool", () => {
  const components = { dgraph: { dependsOn: [{ component: "linkerd-control-plane" }] } };
  const found = loadFiles({ test: JSON.stringify(specOf({ ...existing, components })) }, "test");
  expect(found.diagnostics).toMatchObject([
    {
      code: "override-refused",
      message: "another tool installs linkerd-control-plane, so dgraph cannot wait for this component",
    },
  ]);
});

test("a missing section `secrets` is an error only if meshops issues the certificates", async () => {
  const root = platformOf({ own: withoutSecrets(noClient) });
  expect((await meshops(root, ["validate"])).code).toBe(1);
  writeFileSync(join(root, "environments/own.yaml"), withoutSecrets(external));
  expect((await meshops(root, ["validate"])).code).toBe(0);
});
