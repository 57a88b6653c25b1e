import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { makeIssuer, makeTrustAnchor, privateKeyPem } from "../../generator/identity/authority.ts";
import { meshops } from "../support/cli.ts";
import { withCluster } from "../support/guards.ts";
import { writeTree } from "../support/platform.ts";
import type { ApiObject } from "./harness/api.ts";
import { Cluster } from "./harness/cluster.ts";
import { fluxOfOthers, kustomizationOfOthers } from "./harness/flux-of-others.ts";
import { names, secretOf, webhookSecrets, webhookValues } from "./harness/linkerd-of-others.ts";
import { edit, fluxManifests, makeGitPlatform, type Platform } from "./harness/platform.ts";
import { policiesOf } from "./harness/policies.ts";
import { until } from "./harness/processes.ts";

/**
 * Folder with a reduced copy of a public platform repository. The folder is outside of the checkout. Flux installs
 * Linkerd from this repository.
 */
const original = fileURLToPath(new URL("../../../shared/cases/migration/one-cluster", import.meta.url));

const flux = { namespace: "flux-system" } as const;
const kustomizations = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";

/**
 * The spec that the team adds to the repository when the team adopts meshops. The spec declares the existing Linkerd,
 * and the folder of the repository in which meshops writes the generated files.
 */
const spec = {
  secrets: null,
  gitops: {
    path: "platform/mesh",
    namePrefix: "mesh-",
    root: { kustomization: { name: "mesh", ...flux } },
  },
  linkerd: { lifecycle: "existing", version: "edge-25.10.7", viz: { enabled: false }, jaeger: { enabled: false } },
  pydgraphClient: { enabled: false, image: null },
  components: { "dgraph-policy": { dependsOn: [{ kustomization: { name: "controllers", ...flux } }] } },
};

withCluster("an existing platform repository that adopts meshops", () => {
  let cluster: Cluster;
  let platform: Platform;
  let before: string;

  beforeAll(async () => {
    platform = await makeGitPlatform(spec, spec.gitops.path);
    const top = join(platform.root, "../..");
    cpSync(original, top, { recursive: true });
    // The reference data does not contain the charts of the repository's Linkerd release. Therefore the test installs
    // edge-25.10.7 instead. The charts of the harness create no certificates. Therefore the test creates the Secrets
    // that the real chart writes, and passes the CA of the webhooks as a value.
    const mesh = join(top, "infrastructure/controllers/mesh.yaml");
    const text = readFileSync(mesh, "utf8").replaceAll("2026.2.1", "2025.10.7");
    writeFileSync(
      mesh,
      text.replace("    revisionHistoryLimit: 0\n", (line) => line + webhookValues),
    );
    cluster = await Cluster.startFor(platform);
    await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: flux.namespace } } as ApiObject);
    await cluster.api.applyAll(fluxManifests);
    await cluster.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "linkerd" } } as ApiObject);
    for (const secret of secretsOfChart()) await cluster.api.apply(secret);
    for (const object of fluxOfOthers("https://example.com/harbour", "./clusters/harbour"))
      await cluster.api.apply(object as ApiObject);
    await cluster.git.push("the original repository");
    await cluster.ready(["flux-system", "controllers", "configs", "apps"]);
    await until("the pods of the workloads run", async () => {
      const lists = ["notes", "gateway"].map((name) => cluster.api.list(`/api/v1/namespaces/${name}/pods`));
      const pods = (await Promise.all(lists)).flat();
      return pods.length === 3 && pods.every(({ status }) => status?.phase === "Running");
    });
    before = await workloadsOfOthers();
  });
  afterAll(() => cluster?.stop());

  /**
   * Returns the UIDs of the Deployments and pods of Linkerd and of the original workloads, and the pod templates of the
   * Deployments, as text.
   */
  async function workloadsOfOthers(): Promise<string> {
    const paths = ["linkerd", "gateway", "notes"].flatMap((namespace) => [
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      `/api/v1/namespaces/${namespace}/pods`,
    ]);
    const found = (await Promise.all(paths.map((path) => cluster.api.list(path)))).flat();
    expect(found.length).toBeGreaterThan(8);
    return found
      .map(({ kind, metadata, spec: own }) =>
        JSON.stringify([kind, metadata.namespace, metadata.name, metadata.uid, own?.template]),
      )
      .sort()
      .join("\n");
  }

  function command(...args: string[]): ReturnType<typeof meshops> {
    const connection = ["--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--context", "harness"];
    return meshops(platform.root, [...args, ...connection]);
  }

  test("the generated objects become ready; the pod templates and pods of the original workloads do not change", async () => {
    expect(await cluster.script("bootstrap")).not.toContain("age key");
    writeTree(join(platform.root, "../.."), {
      "clusters/harbour/mesh.yaml": stringify(kustomizationOfOthers("mesh", "./platform/mesh/flux/own")),
    });
    await cluster.git.push("meshops");
    await cluster.ready([
      "mesh",
      "mesh-namespaces",
      "mesh-dgraph-policy",
      "mesh-dgraph",
      "mesh-service-profile",
      "controllers",
      "configs",
      "apps",
    ]);
    expect((await workloadsOfOthers()) === before, "workloads of others changed").toBe(true);
    const created = cluster.plane.created("dgraph");
    const firstPod = created.findIndex((line) => line.startsWith("pods "));
    expect(created.slice(0, firstPod).sort()).toEqual(policiesOf(platform.root, "own"));
  });

  test("status and verify read an issuer's Secret that Linkerd's chart wrote, with the keys crt.pem and key.pem", async () => {
    const { code, stdout } = await command("status", "own");
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok Namespace linkerd +edge-25\.10\.7, 3 workloads$/m);
    expect(stdout).toMatch(/^first certificate to expire: issuer/m);
    const verified = await command("verify", "own", "--only", "M1,M2,M5", "-o", "json");
    expect(verified.code, verified.stdout + verified.stderr).toBe(0);
  });

  test("if a workload is added in the mode audit and then changed to enforce, its pod template and its pods do not change", async () => {
    for (const mode of ["audit", "enforce"] as const) {
      await edit(platform, { workloads: workloadsWith(mode) });
      const { stdout: changes } = await meshops(platform.root, ["diff", "own"]);
      await cluster.git.push(`access: ${mode}`);
      await cluster.ready(["mesh-policy-notes"]);
      await until(`the policies are in mode ${mode}`, async () => {
        const server = await cluster.api.get("/apis/policy.linkerd.io/v1beta3/namespaces/notes/servers/notes-web-http");
        // In the mode enforce, meshops does not set `accessPolicy`, because the CRD's default is `deny`.
        return server?.spec.accessPolicy === (mode === "audit" ? "audit" : "deny");
      });
      const policy = await cluster.api.get("/apis/networking.k8s.io/v1/namespaces/notes/networkpolicies/notes-web");
      expect(policy !== null).toBe(mode === "enforce");
      expect(changes).toContain(mode === "audit" ? "this object is new" : "narrower-access");
      expect((await workloadsOfOthers()) === before, "workloads of others changed").toBe(true);
      const { stdout } = await meshops(platform.root, ["access", "own", "--to", "notes/web"]);
      expect(stdout).toMatch(/^ {2}gateway\/proxy +allowed$/m);
      expect(stdout).toMatch(
        mode === "audit" ? /^ {2}other meshed pods +counted$/m : /^ {2}other meshed pods +refused: network$/m,
      );
      const status = await command("status", "own");
      expect(status.stdout).toMatch(/^ok Pods notes\/web +2\/2, 2 meshed$/m);
    }
  });

  test("the steps that diff prints rename a workload; the old policies exist until the new policies exist", async () => {
    const { notes, gateway } = workloadsWith("enforce");
    await edit(platform, { workloads: null });
    await edit(platform, { workloads: { memos: notes, gateway } });
    const changes = JSON.parse((await meshops(platform.root, ["diff", "own", "-o", "json"])).stdout) as {
      kind: string;
      name: string;
      risk: string;
      steps: { text: string; command: string | null }[];
    }[];
    const renamed = changes.find(({ kind, name }) => kind === "Server" && name === "notes-web-http");
    expect(renamed?.risk).toBe("wider-access");
    const policies = async (): Promise<string[]> => {
      const paths = [
        "/apis/policy.linkerd.io/v1beta3/namespaces/notes/servers",
        "/apis/networking.k8s.io/v1/namespaces/notes/networkpolicies",
      ];
      const found = (await Promise.all(paths.map((path) => cluster.api.list(path)))).flat();
      return found
        .map(({ metadata }) => metadata.name)
        .filter((name) => name !== "cache")
        .sort();
    };
    await cluster.follow(renamed?.steps ?? [], async () => {
      await cluster.git.push("another name");
      await cluster.ready(["mesh-policy-memos"]);
      await until("the old Kustomization is gone", async () =>
        (await cluster.api.list(kustomizations)).every(({ metadata }) => metadata.name !== "mesh-policy-notes"),
      );
      // The steps after this push delete the old policies. Until these steps, both the old and the new policies exist.
      expect(await policies()).toEqual(["memos-web", "memos-web-http", "notes-web", "notes-web-http"]);
    });
    expect(await policies()).toEqual(["memos-web", "memos-web-http"]);
    expect((await workloadsOfOthers()) === before, "workloads of others changed").toBe(true);
  });

  test("no generated Flux object decrypts files", () => {
    const files = readdirSync(platform.root, { recursive: true, encoding: "utf8" }).filter((file) =>
      /^(overlays|flux)/.test(file),
    );
    expect(files.some((file) => file.startsWith("flux/own/"))).toBe(true);
    for (const file of files.filter((name) => name.startsWith("flux") && name.endsWith(".yaml")))
      expect(readFileSync(join(platform.root, file), "utf8")).not.toContain("decryption");
  });
});

/** Returns `spec.workloads` with the workloads of the original repository. `gateway` is a client of `notes`. */
function workloadsWith(mode: "audit" | "enforce"): Record<string, unknown> {
  return {
    notes: {
      namespace: "notes",
      pods: {
        web: {
          workloadRef: { kind: "Deployment", name: "notes" },
          selector: { matchLabels: { app: "notes" } },
          serviceAccountName: "notes",
          ports: { http: { port: 8080, protocol: "HTTP/1" } },
          access: { mode, clients: { gateway: { workload: "gateway/proxy" } } },
        },
      },
    },
    gateway: {
      namespace: "gateway",
      pods: {
        proxy: { workloadRef: { kind: "Deployment", name: "gateway" }, selector: { matchLabels: { app: "gateway" } } },
      },
    },
  };
}

/**
 * Returns the Secrets that exist before Flux installs Linkerd. One Secret contains the trust anchor and the issuer,
 * which the original repository passes to Linkerd's chart. The other Secrets are the Secrets that the real chart writes
 * (linkerd-control-plane, templates/identity.yaml and templates/*-rbac.yaml).
 */
function secretsOfChart(): ApiObject[] {
  const now = new Date();
  const anchor = makeTrustAnchor(names, now);
  const issuer = makeIssuer(names, anchor, now);
  const key = privateKeyPem(issuer);
  return [
    secretOf("mesh-ca", { roots: anchor.certificate, "issuer-crt": issuer.certificate, "issuer-key": key }),
    secretOf("linkerd-identity-issuer", { "crt.pem": issuer.certificate, "key.pem": key }),
    ...webhookSecrets(),
  ];
}
