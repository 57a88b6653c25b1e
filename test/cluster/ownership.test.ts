import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { decryptFile } from "../../generator/sops/file.ts";
import { meshops } from "../support/cli.ts";
import { withCluster, withTools } from "../support/guards.ts";
import { objectsIn } from "../support/objects.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { kustomizeBuild } from "../support/roads.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, referenceFolder, run, type ToolName, tool } from "../support/tools.ts";
import type { ApiObject } from "./harness/api.ts";
import type { ControlPlane } from "./harness/control-plane.ts";
import { startApiOnLoopback } from "./harness/simulated-nodes.ts";

/*
 * Tests objects that another tool applies before meshops. The other tool is kubectl, Flux, Helm 3 or Helm 4. kubectl,
 * Helm and the API server are real.
 */
withTools(["helm4"], "objects that another tool has applied before", () =>
  withCluster("on a real API server", () => {
    let plane: ControlPlane;
    let root: string;
    let path: string;

    beforeAll(async () => {
      plane = await startApiOnLoopback(scratchFolder("plane"));
      root = makePlatform({ own: specText({}, "own") });
      expect(await generateIn(root)).toBe(0);
      const bin = scratchFolder("bin");
      writeFileSync(join(bin, "meshops"), `#!/bin/sh\nexec "${process.execPath}" "${join(projectRoot, "dist/cli.js")}" "$@"\n`);
      chmodSync(join(bin, "meshops"), 0o755);
      path = [bin, join(tool("kubectl"), ".."), process.env["PATH"]].join(":");
      const crds = join(referenceFolder, "charts/linkerd-crds/2026.8.3/rendered.yaml");
      await plane.api.applyAll(readFileSync(crds, "utf8"));
      for (const name of ["linkerd", "linkerd-viz", "dgraph", "flux-system"])
        await plane.api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    });
    afterAll(() => plane?.stop());

    const env = (): Record<string, string> => ({
      PATH: path,
      KUBECONFIG: plane.kubeconfigFile("admin"),
      HOME: plane.folder,
      SOPS_AGE_KEY: testIdentity().clusterKey,
    });
    const kubectl = (args: readonly string[], input?: string): Promise<string> =>
      run(tool("kubectl"), args, { env: env(), ...(input === undefined ? {} : { input }) });
    const applyIdentity = (): Promise<string> =>
      run(join(root, "bases/identity/apply.sh"), ["."], { cwd: join(root, "overlays/own"), env: env() });

    const name = "tap-k8s-tls";
    const secretPath = `/api/v1/namespaces/linkerd-viz/secrets/${name}`;
    const data = { "tls.crt": "YQ==", "tls.key": "Yg==", "extra.txt": "Yw==" };
    const other = (more: object = {}): string =>
      stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace: "linkerd-viz", ...more },
        type: "kubernetes.io/tls",
        data,
      });

    /** Creates a chart with one template file. Returns the folder of the chart. */
    function chart(version: string, templates: string): string {
      const folder = scratchFolder("chart");
      mkdirSync(join(folder, "templates"));
      writeFileSync(join(folder, "Chart.yaml"), stringify({ apiVersion: "v2", name: "chart", version }));
      writeFileSync(join(folder, "templates/all.yaml"), templates);
      return folder;
    }
    const helm = (program: ToolName, release: string, folder: string, namespace = "linkerd-viz"): Promise<string> =>
      run(tool(program), ["upgrade", "--install", release, folder, "--namespace", namespace], { env: env() });

    /**
     * Ways in which another tool can write the Secret `tap-k8s-tls` before apply.sh applies it. Each way results in a
     * different field manager of the Secret's data.
     */
    const formerManagers: Readonly<Record<string, () => Promise<unknown>>> = {
      "kubectl create": () => kubectl(["create", "-f", "-"], other()),
      "kubectl apply": () => kubectl(["apply", "-f", "-"], other()),
      "kubectl replace": async () => {
        await applyIdentity();
        await kubectl(["replace", "-f", "-"], other());
      },
      "kubectl edit": async () => {
        await applyIdentity();
        const editor = join(plane.folder, "editor.sh");
        writeFileSync(editor, `#!/bin/sh\nsed -i 's/^  tls.key: .*/  tls.key: Yg==/' "$1"\n`);
        chmodSync(editor, 0o755);
        await run(tool("kubectl"), ["edit", "secret", name, "--namespace", "linkerd-viz"], {
          env: { ...env(), KUBE_EDITOR: editor },
        });
      },
      "Flux (kustomize-controller)": () =>
        kubectl(["apply", "--server-side", "--field-manager=kustomize-controller", "-f", "-"], other()),
      "Helm 3": () => helm("helm", "viz", chart("1.0.0", other())),
      "Helm 4": () => helm("helm4", "viz", chart("1.0.0", other())),
    };

    describe("bases/identity/apply.sh takes over fields of other managers", () => {
      test.each(Object.keys(formerManagers))("%s", async (manager) => {
        await plane.api.delete(secretPath).catch(() => {});
        for (const release of await plane.api.list("/api/v1/namespaces/linkerd-viz/secrets?labelSelector=owner=helm"))
          await plane.api.delete(`/api/v1/namespaces/linkerd-viz/secrets/${release.metadata.name}`);
        await formerManagers[manager]?.();
        expect((await plane.api.get(secretPath))?.["data"]["tls.key"]).toBe(data["tls.key"]);
        await applyIdentity();
        const found = await plane.api.get(secretPath);
        const text = readFileSync(join(root, `overlays/own/identity/${name}.sops.yaml`), "utf8");
        const [wanted] = objectsIn(
          await decryptFile(text, { identities: [testIdentity().clusterKey] }),
        ) as unknown as ApiObject[];
        for (const key of ["tls.crt", "tls.key"]) expect(found?.["data"][key]).toBe(wanted?.["data"][key]);
        expect(found?.metadata.annotations?.["helm.sh/resource-policy"]).toBe("keep");
      });
    });

    describe.each(["helm", "helm4"] as const)(
      "an upgrade with %s to a chart version that no longer contains the Secrets",
      (program) => {
        /**
         * Installs a chart with two Secrets. apply.sh then applies one of these Secrets, and sets the annotation
         * `helm.sh/resource-policy: keep`. The test then upgrades the release to a chart version without Secrets.
         */
        test("keeps the Secret that apply.sh has applied, and deletes the other Secret", async () => {
          await plane.api.delete(secretPath).catch(() => {});
          const unkept = other({ name: "other" });
          await helm(program, `take-${program}`, chart("1.0.0", `${other()}\n---\n${unkept}`));
          await applyIdentity();
          await helm(program, `take-${program}`, chart("2.0.0", "{{- /* none */ -}}\n"));
          expect(await plane.api.get(secretPath)).not.toBeNull();
          expect(await plane.api.get("/api/v1/namespaces/linkerd-viz/secrets/other")).toBeNull();
        });
      },
    );

    test("the Secrets that Flux applies also have the annotation helm.sh/resource-policy: keep", async () => {
      const secrets = objectsIn(await kustomizeBuild(join(root, "overlays/own/identity"))).filter(
        ({ kind }) => kind === "Secret",
      );
      expect(secrets).toHaveLength(6);
      for (const { metadata } of secrets as unknown as ApiObject[])
        expect(metadata.annotations).toEqual({ "helm.sh/resource-policy": "keep" });
    });

    describe("custom resources under helmfile, with Helm 3", () => {
      const policies = "/apis/policy.linkerd.io/v1alpha1/namespaces/dgraph";
      const [edited, deleted] = [
        `${policies}/authorizationpolicies/demo-dgraph-alpha-grpc`,
        `${policies}/meshtlsauthentications/demo-dgraph-alpha-http`,
      ];
      let folder: string;
      const status = async (): Promise<{ readonly nodes: readonly Node[]; readonly text: string }> => {
        const args = [
          "status",
          "own",
          "--engine",
          "helmfile",
          "--kubeconfig",
          plane.kubeconfigFile("admin"),
          "--context",
          "harness",
        ];
        const { stdout } = await meshops(root, [...args, "-o", "json"]);
        return { ...(JSON.parse(stdout) as { nodes: Node[] }), text: (await meshops(root, args)).stdout };
      };
      interface Node {
        readonly name: string;
        readonly kind: string;
        readonly state: string;
        readonly cause: { readonly code: string; readonly reason: string; readonly fix: string } | null;
        readonly children: readonly Node[];
      }
      const drift = async (): Promise<string[]> =>
        (await status()).nodes
          .flatMap(({ children }) => children)
          .filter(({ cause }) => cause?.code === "drift")
          .map(({ kind, name: object, cause }) => `${kind} ${object}: ${cause?.reason}`);

      beforeAll(async () => {
        folder = chart("1.0.0", await kustomizeBuild(join(root, "overlays/own/dgraph-policy")));
        await helm("helm", "dgraph-policy", folder, "dgraph");
      });

      test("status reports no drift after an install, and reports missing releases", async () => {
        const { nodes, text } = await status();
        expect(await drift()).toEqual([]);
        expect(nodes.filter(({ state }) => state === "ready").map(({ name: release }) => release)).toEqual(["dgraph-policy"]);
        expect(nodes.find(({ name: release }) => release === "demo")?.cause?.fix).toBe("helmfile -e own -l name=demo sync");
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
      });

      test("Helm 3 restores a deleted resource, but not an edited resource; the command that status prints restores the edited resource", async () => {
        await plane.api.merge(edited, { spec: { requiredAuthenticationRefs: [] } });
        await plane.api.delete(deleted);
        expect(await drift()).toEqual([
          expect.stringMatching(
            /^AuthorizationPolicy demo-dgraph-alpha-grpc: spec\.requiredAuthenticationRefs is \[\] in the cluster but \[\{.* in the Helm release; with Helm 3, helmfile sync does not correct the object$/,
          ),
          "MeshTLSAuthentication demo-dgraph-alpha-http: the object does not exist in the cluster; the next helmfile sync will create the object",
        ]);
        await helm("helm", "dgraph-policy", folder, "dgraph");
        expect(await plane.api.get(deleted)).not.toBeNull();
        expect((await plane.api.get(edited))?.["spec"].requiredAuthenticationRefs).toEqual([]);
        const [node] = (await status()).nodes.flatMap(({ children }) => children.filter(({ cause }) => cause?.code === "drift"));
        // The printed command pipes the output of helmfile to kubectl. In this test, `helm template` renders the same
        // objects.
        const [, apply = ""] = node?.cause?.fix.split(" | ") ?? [];
        const rendered = await run(tool("helm"), ["template", "dgraph-policy", folder, "--namespace", "dgraph"], { env: env() });
        const [program, ...words] = apply.split(" ");
        expect(program).toBe("kubectl");
        await kubectl(words, rendered);
        expect(await drift()).toEqual([]);
        expect((await plane.api.get(edited))?.["spec"].requiredAuthenticationRefs).toHaveLength(1);
      });

      test("a field that was added by hand is reported, and the command that status prints removes the field", async () => {
        const server = "/apis/policy.linkerd.io/v1beta3/namespaces/dgraph/servers/demo-dgraph-alpha-grpc";
        await plane.api.merge(server, { spec: { accessPolicy: "all-unauthenticated" } });
        expect(await drift()).toEqual([
          'Server demo-dgraph-alpha-grpc: spec.accessPolicy is "all-unauthenticated" in the cluster but not set in the Helm release; with Helm 3, helmfile sync does not correct the object',
        ]);
        const [node] = (await status()).nodes.flatMap(({ children }) => children.filter(({ cause }) => cause?.code === "drift"));
        const [, words = "", patch = ""] = /^kubectl (.*) '(.*)'$/.exec(node?.cause?.fix ?? "") ?? [];
        await kubectl([...words.split(" "), patch], "");
        expect(await drift()).toEqual([]);
      });
    });
  }),
);
