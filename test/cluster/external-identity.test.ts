import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import {
  makeServerCertificate,
  makeTrustAnchor,
  makeWebhookCa,
  pairOf,
  privateKeyPem,
} from "../../generator/identity/authority.ts";
import { meshops } from "../support/cli.ts";
import { withCertManager } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run, tool } from "../support/tools.ts";
import { goVerifier } from "../support/x509.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { makeGitPlatform, type Platform } from "./harness/platform.ts";
import { until } from "./harness/processes.ts";

const names = { trustDomain: "cluster.local", anchorValidity: "10y", issuerValidity: "1y", webhookValidity: "1h" };

/** A spec with external certificates. The example in docs/identity.md creates these certificates. */
const spec = {
  secrets: null,
  dgraph: { enabled: false },
  linkerd: {
    jaeger: { enabled: false },
    identity: { provider: "external", trustAnchors: { secretRef: { name: "linkerd-trust-anchor", key: "tls.crt" } } },
  },
  components: {
    "linkerd-control-plane": { dependsOn: [{ kustomization: { name: "mesh-certificates", namespace: "flux-system" } }] },
  },
};

withCertManager("certificates that cert-manager's controllers write", () => {
  let cluster: Cluster;
  let platform: Platform;

  beforeAll(async () => {
    platform = await makeGitPlatform(spec);
    for (const folder of ["environments", "overlays"].flatMap((top) => [`${top}/own/identity`, `${top}/base/identity`]))
      rmSync(join(platform.root, folder), { recursive: true, force: true });
    writeTree(platform.root, {
      "certificates/all.yaml": certificates()
        .map((each) => stringify(each))
        .join("---\n"),
      "flux/own/mesh-certificates.yaml": stringify(kustomization),
    });
    cluster = await Cluster.startFor(platform);
    const crds = join(dirname(tool("cert-manager")), "crds");
    for (const file of readdirSync(crds).filter((name) => name.endsWith(".yaml")))
      await cluster.api.applyAll(readFileSync(join(crds, file), "utf8"));
    for (const namespace of ["linkerd", "cert-manager"])
      await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as ApiObject);
    const now = new Date();
    await secret("linkerd", "linkerd-trust-anchor", makeTrustAnchor(names, now));
    await secret("cert-manager", "webhook-issuer-tls", makeWebhookCa(names, now));
    cluster.plane.processes.start("cert-manager", tool("cert-manager"), [cluster.plane.kubeconfigFile("admin")]);
  });
  afterAll(() => cluster?.stop());

  async function secret(namespace: string, name: string, pair: ReturnType<typeof makeTrustAnchor>): Promise<void> {
    const stringData = { "tls.crt": pair.certificate, "tls.key": privateKeyPem(pair) };
    await cluster.api.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace },
      type: "kubernetes.io/tls",
      stringData,
    });
  }

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  async function data(path: string): Promise<Record<string, string>> {
    const found = (await cluster.api.get(path))?.["data"] ?? {};
    return Object.fromEntries(
      Object.entries(found as Record<string, string>).map(([key, value]) => [
        key,
        path.includes("/secrets/") ? Buffer.from(value, "base64").toString() : value,
      ]),
    );
  }

  const issuerSecret = "/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer";

  test("the repository contains no key, no encrypted file and no recipient", () => {
    const files = readdirSync(platform.root, { recursive: true, encoding: "utf8" }).filter((file) => !file.startsWith(".git/"));
    const texts = files.filter((file) => !/^bases/.test(file) && existsSync(join(platform.root, file)));
    expect(texts.filter((file) => /sops|\.crt$/.test(file))).toEqual([]);
    const generated = texts.filter((file) => /^(overlays|flux).*yaml$/.test(file));
    expect(generated.length).toBeGreaterThan(10);
    for (const file of generated)
      expect(readFileSync(join(platform.root, file), "utf8")).not.toMatch(/decryption|sops|age1|BEGIN CERTIFICATE/);
  });

  test("Linkerd becomes ready with the objects of docs/identity.md, without an age key", async () => {
    expect(await cluster.bootstrap()).not.toContain("age key");
    await cluster.settled(await cluster.git.publish());
    expect(await cluster.api.get("/api/v1/namespaces/flux-system/secrets/sops-age")).toBeNull();
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^first certificate to expire: (issuer|linkerd-|tap)/m);
    const bundle = await data("/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots");
    const anchor = await data("/api/v1/namespaces/linkerd/secrets/linkerd-trust-anchor");
    expect(bundle["ca-bundle.crt"]?.trim()).toBe(anchor["tls.crt"]?.trim());
  });

  test("while the issuer and the webhooks are renewed twice, openssl and Go verify each leaf, and the API server trusts the webhooks", async () => {
    const verify = await goVerifier();
    const seen = { issuers: new Set<string>(), injectors: new Set<string>() };
    let moments = 0;
    await until(
      "the certificates have been renewed twice",
      async () => {
        const issuer = await data(issuerSecret);
        const injector = await data("/api/v1/namespaces/linkerd/secrets/linkerd-proxy-injector-k8s-tls");
        const pair = pairOf(issuer["tls.crt"] ?? "", issuer["tls.key"] ?? "");
        if (pair === null) throw new Error("the issuer's key belongs to another certificate");
        const { certificate: leaf } = makeServerCertificate(leafName, names, pair, new Date());
        const bundle = await data("/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots");
        await verified(verify, { roots: bundle["ca-bundle.crt"] ?? "", issuer: issuer["tls.crt"] ?? "", leaf });
        await createsPod();
        seen.issuers.add(issuer["tls.crt"] ?? "");
        seen.injectors.add(injector["tls.crt"] ?? "");
        moments += 1;
        return seen.issuers.size > 2 && seen.injectors.size > 2;
      },
      180,
    );
    expect(moments).toBeGreaterThan(4);
  });

  test("verify accepts the certificates, and reports an issuer that was not renewed", async () => {
    const passed = await command("verify", "own", "--only", "M1,M2,M3,M4", "-o", "json");
    expect(passed.code, passed.stdout + passed.stderr).toBe(0);
    await cluster.plane.processes.kill("cert-manager");
    await until("less than a quarter of the issuer's validity is left", async () => {
      const { code, stdout } = await command("verify", "own", "--only", "M3");
      return code === 1 && stdout.includes("does not renew the certificate");
    });
  });

  /**
   * Creates and deletes a pod with the annotation for injection. Expects that the API server calls the injector, and
   * that the pod has a proxy. If the API server does not trust the injector's certificate, the call of the injector
   * fails.
   */
  async function createsPod(): Promise<void> {
    const before = cluster.webhooks.calls.get("linkerd-proxy-injector.linkerd") ?? 0;
    const pod = { metadata: { name: "probe", namespace: "default", annotations: { "linkerd.io/inject": "enabled" } } };
    const path = "/api/v1/namespaces/default/pods/probe";
    await cluster.api.apply({ apiVersion: "v1", kind: "Pod", ...pod, spec: { containers: [{ name: "probe", image: "probe" }] } });
    const made = await cluster.api.get(path);
    await cluster.api.delete(`${path}?gracePeriodSeconds=0`);
    expect(cluster.webhooks.calls.get("linkerd-proxy-injector.linkerd")).toBeGreaterThan(before);
    expect(made?.["spec"].containers.map(({ name }: { name: string }) => name)).toContain("linkerd-proxy");
  }
});

const leafName = "web.shop.serviceaccount.identity.linkerd.cluster.local";

async function verified(go: string, files: Readonly<Record<"roots" | "issuer" | "leaf", string>>): Promise<void> {
  const folder = scratchFolder("leaf");
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  expect(
    await run("openssl", ["verify", "-x509_strict", "-CAfile", "roots", "-untrusted", "issuer", "leaf"], { cwd: folder }),
  ).toContain("leaf: OK");
  await run(go, ["roots", "issuer", "leaf", leafName, "any-depth"], { cwd: folder });
}

/**
 * Returns the objects in docs/identity.md, with Certificates that are valid for 30 seconds. cert-manager's webhook
 * would reject durations of less than an hour, but this webhook does not run in the test.
 */
function certificates(): object[] {
  const text = readFileSync(join(projectRoot, "docs/identity.md"), "utf8");
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);
  const block = blocks.find((each) => each.includes("kind: ClusterIssuer")) ?? "";
  const objects = parseAllDocuments(block).map((document) => document.toJS() as ApiObject);
  expect(objects.filter(({ kind }) => kind === "Certificate")).toHaveLength(6);
  return objects.map((object) =>
    object.kind === "Certificate" ? { ...object, spec: { ...object["spec"], duration: "30s", renewBefore: "20s" } } : object,
  );
}

const kustomization = {
  apiVersion: "kustomize.toolkit.fluxcd.io/v1",
  kind: "Kustomization",
  metadata: { name: "mesh-certificates", namespace: "flux-system" },
  spec: {
    dependsOn: [{ name: "namespaces" }],
    interval: "10m",
    retryInterval: "2s",
    path: "./certificates",
    prune: true,
    wait: true,
    timeout: "2m",
    sourceRef: { kind: "GitRepository", name: "flux-system" },
  },
};
