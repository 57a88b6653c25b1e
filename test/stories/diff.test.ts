import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Risk, risks } from "../../generator/components/risk-levels.ts";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/*
 * Each file in test/stories/diff contains the text output of `meshops diff` after one edit of the sample environment
 * production. To rewrite the files, set UPDATE=1. Then review the Git diff.
 */
const folder = join(projectRoot, "test/stories/diff");

type Edit = readonly [from: string | RegExp, to: string];

const shop = `  workloads:
    shop:
      namespace: shop
      source: {chart: {repository: https://charts.example.org, name: shop, version: 1.4.2}}
      pods:
        api:
          workloadRef: {kind: Deployment, name: shop-api}
          selector: {matchLabels: {app: shop}}
          serviceAccountName: shop
          inject: enabled
          ports: {http: {port: 8080, protocol: HTTP/1}}
          access: {mode: enforce, clients: {web: {serviceAccountRef: {namespace: web, name: web}}}}
`;

/**
 * Edits of environments/production.yaml, and the highest risk of the resulting changes. The test makes the edits in
 * `before` before the first commit, and the edits in `edits` after this commit. The keys and the values of `appended`
 * are paths of files. The test appends the content of the second file (the value) to the first file (the key).
 */
const stories: Readonly<
  Record<
    string,
    {
      readonly risk: Risk;
      readonly before?: readonly Edit[];
      readonly edits: readonly Edit[];
      readonly appended?: Readonly<Record<string, string>>;
    }
  >
> = {
  "harmless: a longer interval": { risk: "harmless", edits: [["interval: 30m", "interval: 1h"]] },
  "not-assessed: a workload with a chart": { risk: "not-assessed", edits: [[/$/, shop]] },
  "not-assessed: another version of a workload": {
    risk: "not-assessed",
    before: [[/$/, shop]],
    edits: [["version: 1.4.2}", "version: 1.5.0}"]],
  },
  "rollout: other settings of the proxies of a workload": {
    risk: "rollout",
    before: [[/$/, shop]],
    edits: [["inject: enabled\n", "inject: enabled\n          proxy: {proxy-cpu-request: 50m}\n"]],
  },
  "data-loss: another name of a workload": {
    risk: "data-loss",
    before: [[/$/, shop]],
    edits: [["    shop:\n", "    store:\n"]],
  },
  "mesh-restart: another trust domain with a workload": {
    risk: "mesh-restart",
    before: [[/$/, shop]],
    edits: [["  linkerd:\n", "  linkerd:\n    identity: {trustDomain: mesh.example.org}\n"]],
  },
  "data-loss: a name prefix": {
    risk: "data-loss",
    edits: [["    interval: 30m\n", "    interval: 30m\n    namePrefix: mesh-\n"]],
  },
  "data-loss: another tool installs Linkerd": {
    risk: "data-loss",
    edits: [["  linkerd:\n", "  linkerd:\n    lifecycle: existing\n"]],
  },
  "data-loss: external certificates": {
    risk: "data-loss",
    edits: [["  linkerd:\n", "  linkerd:\n    identity: {provider: external}\n"]],
  },
  "webhook-policy: the charts create the certificates of the webhooks": {
    risk: "webhook-policy",
    before: [["  linkerd:\n", "  linkerd:\n    identity: {provider: external}\n"]],
    edits: [["{provider: external}", "{provider: external, webhooks: chart}"]],
  },
  "mesh-restart: meshops installs an existing Linkerd": {
    risk: "mesh-restart",
    before: [["  linkerd:\n", "  linkerd:\n    lifecycle: existing\n"]],
    edits: [["    lifecycle: existing\n", "    identity: {provider: external}\n"]],
  },
  "trust-anchor: trust anchors from a Secret": {
    risk: "trust-anchor",
    before: [["  linkerd:\n", "  linkerd:\n    identity: {provider: external}\n"]],
    edits: [["{provider: external}", "{provider: external, trustAnchors: {secretRef: {name: mesh-ca}}}"]],
  },
  "narrower-access: a stricter policy of a namespace": {
    risk: "narrower-access",
    before: [[/$/, "  namespaces: {shop: {mesh: {inject: enabled}}}\n"]],
    edits: [
      ["{inject: enabled}", "{inject: enabled, defaultInboundPolicy: cluster-authenticated, proxy: {proxy-cpu-request: 50m}}"],
    ],
  },
  "wider-access: a more open policy of a namespace": {
    risk: "wider-access",
    before: [[/$/, "  namespaces: {shop: {mesh: {inject: enabled, defaultInboundPolicy: deny}}}\n"]],
    edits: [["defaultInboundPolicy: deny", "defaultInboundPolicy: all-authenticated"]],
  },
  "stalled-rollout: another folder and source": {
    risk: "stalled-rollout",
    edits: [
      [
        "    interval: 30m\n",
        "    interval: 30m\n    path: platform\n    sourceRef: {name: fleet}\n    root: {kustomization: {name: mesh, namespace: flux-system}}\n",
      ],
    ],
  },
  "rollout: internal ports through the mesh": {
    risk: "rollout",
    edits: [["  dgraph:\n", "  dgraph:\n    internalPorts: mesh\n"]],
  },
  "rollout: internal ports around the mesh": {
    risk: "wider-access",
    edits: [["  dgraph:\n", "  dgraph:\n    internalPorts: skip\n"]],
  },
  "stalled-rollout: internal ports back into the mesh": {
    risk: "stalled-rollout",
    before: [["  dgraph:\n", "  dgraph:\n    internalPorts: skip\n"]],
    edits: [["    internalPorts: skip\n", ""]],
  },
  "narrower-access: a client loses its proxy": { risk: "narrower-access", edits: [[/$/, "  pydgraphClient: {inject: false}\n"]] },
  "wider-access: one more client": {
    risk: "wider-access",
    edits: [
      [
        "  dgraph:\n",
        "  dgraph:\n    clients:\n      - {namespace: pydgraph-client, serviceAccount: pydgraph-client}\n      - {namespace: shop, serviceAccount: cart, ports: [grpc]}\n",
      ],
    ],
  },
  "not-assessed: an override of a value and a patch": {
    risk: "not-assessed",
    edits: [
      [
        /$/,
        [
          "  components:",
          "    dgraph: {values: {alpha: {service: {type: LoadBalancer}}}}",
          "    linkerd-viz:",
          "      patches:",
          '        web: {target: {kind: Deployment, name: web}, patch: "- {op: replace, path: /spec/replicas, value: 2}"}',
          "    dgraph-policy:",
          "      patches:",
          '        open: {target: {kind: NetworkPolicy}, patch: "- {op: add, path: /spec/ingress, value: [{}]}"}',
          "        gone:",
          "          patch: |-",
          "            apiVersion: policy.linkerd.io/v1beta3",
          "            kind: Server",
          "            metadata: {name: demo-dgraph-alpha-http, namespace: dgraph}",
          "            $patch: delete",
          "",
        ].join("\n"),
      ],
    ],
  },
  "narrower-access: an upgrade from stable-2.14.10 with clients": {
    risk: "narrower-access",
    before: [["  linkerd:\n", "  linkerd:\n    version: stable-2.14.10\n    jaeger: {enabled: false}\n"]],
    edits: [["    version: stable-2.14.10\n    jaeger: {enabled: false}\n", ""]],
  },
  "narrower-access: an upgrade from stable-2.14.10 with a workload": {
    risk: "narrower-access",
    before: [
      ["  linkerd:\n", "  linkerd:\n    version: stable-2.14.10\n    jaeger: {enabled: false}\n"],
      [/$/, shop],
    ],
    edits: [["    version: stable-2.14.10\n    jaeger: {enabled: false}\n", ""]],
  },
  "rollout: without Jaeger": { risk: "rollout", edits: [["  linkerd:\n", "  linkerd:\n    jaeger: {enabled: false}\n"]] },
  "rollout: an override of resources": {
    risk: "rollout",
    edits: [[/$/, "  components: {linkerd-control-plane: {values: {proxy: {resources: {memory: {limit: 300Mi}}}}}}\n"]],
  },
  "harmless: a suspended release with another value": {
    risk: "harmless",
    edits: [[/$/, "  components: {linkerd-viz: {suspend: true, values: {tap: {replicas: 2}}}}\n"]],
  },
  "harmless: another timeout": { risk: "harmless", edits: [[/$/, "  components: {dgraph: {timeout: 30m}}\n"]] },
  "wider-access: a renamed client": {
    risk: "wider-access",
    edits: [["  dgraph:\n", "  dgraph:\n    clients: [{namespace: pydgraph-client, serviceAccount: reports}]\n"]],
  },
  "wider-access: no policy any more": { risk: "wider-access", edits: [["  dgraph:\n", "  dgraph:\n    networkPolicy: false\n"]] },
  "webhook-policy: pods may start unmeshed": {
    risk: "webhook-policy",
    edits: [["  linkerd:\n", "  linkerd:\n    webhookFailurePolicy: Ignore\n"]],
  },
  "not-assessed: overrides of a component": {
    risk: "not-assessed",
    edits: [
      [
        /$/,
        "  components:\n    linkerd-viz:\n      values: {prometheus: {resources: {memory: {limit: 2Gi}}}}\n      patches:\n        priority:\n          target: {kind: Deployment, name: web}\n          patch: |-\n            - {op: add, path: /spec/template/spec/priorityClassName, value: high}\n",
      ],
    ],
  },
  "trust-anchor: one more trust anchor": {
    risk: "trust-anchor",
    edits: [],
    appended: { "environments/production/identity/trust-anchors.crt": "environments/dev/identity/trust-anchors.crt" },
  },
  "mesh-restart: another cluster domain": {
    risk: "mesh-restart",
    edits: [["  linkerd:\n", "  linkerd:\n    clusterDomain: k8s.example.org\n"]],
  },
  "mesh-restart: another trust domain": {
    risk: "mesh-restart",
    edits: [["  linkerd:\n", "  linkerd:\n    identity: {trustDomain: mesh.example.org}\n"]],
  },
  "stalled-rollout: back to stable-2.14.10": {
    risk: "stalled-rollout",
    edits: [["  linkerd:\n", "  linkerd:\n    version: stable-2.14.10\n    jaeger: {enabled: false}\n"]],
  },
  "crd-removal: the Gateway API, from stable-2.14.10": {
    risk: "crd-removal",
    before: [
      ["  linkerd:\n", "  linkerd:\n    version: stable-2.14.10\n    jaeger: {enabled: false}\n    gatewayApi: linkerd\n"],
    ],
    edits: [["    gatewayApi: linkerd\n", "    gatewayApi: external\n"]],
  },
  "data-loss: a later version": {
    risk: "data-loss",
    edits: [["  dgraph:\n", "  dgraph:\n    chart: 25.0.0-preview6\n"]],
  },
  "data-loss: an earlier version": {
    risk: "data-loss",
    edits: [["  dgraph:\n", "  dgraph:\n    chart: 0.3.0\n"]],
  },
  "data-loss: another namespace": { risk: "data-loss", edits: [["  dgraph:\n", "  dgraph:\n    namespace: graph\n"]] },
  "data-loss: fewer Alphas and Zeros": {
    risk: "data-loss",
    before: [
      ["    alpha:\n", "    alpha:\n      replicas: 6\n"],
      ["    zero:\n", "    zero:\n      replicas: 5\n"],
    ],
    edits: [
      ["      replicas: 6\n", "      replicas: 3\n"],
      ["      replicas: 5\n", "      replicas: 3\n"],
    ],
  },
  "stalled-rollout: another Secret with the age key": {
    risk: "stalled-rollout",
    edits: [["  gitops:\n", "  gitops:\n    decryption: {secretRef: {name: my-age}}\n"]],
  },
  "volume-claim: smaller volumes": { risk: "volume-claim", edits: [["storage: 128Gi", "storage: 64Gi"]] },
  "volume-claim: larger volumes": { risk: "volume-claim", edits: [["storage: 128Gi", "storage: 256Gi"]] },
  "data-loss: no database": { risk: "data-loss", edits: [["  dgraph:\n", "  dgraph:\n    enabled: false\n"]] },
  "data-loss: another release": { risk: "data-loss", edits: [["  dgraph:\n", "  dgraph:\n    release: live\n"]] },
};

/** Files with expected output for the tests that do not consist of a single edit of a spec. */
const otherStories = [
  "data-loss-a-removed-environment.txt",
  "harmless-a-new-environment.txt",
  "rollout-an-upgrade-of-linkerd.txt",
];

/**
 * Files and folders with the sample environments, and with the files that meshops generated from these environments.
 */
const sampleFiles = ["environments", "bases", "overlays", "flux", "helmfile.yaml", ".meshops"];

/** Copies the sample environments and their generated files to a new Git repository, and commits the copies. */
async function samples(edits: readonly Edit[] = []): Promise<string> {
  const root = scratchFolder("diff");
  for (const path of sampleFiles) cpSync(join(projectRoot, path), join(root, path), { recursive: true });
  if (edits.length > 0) {
    edit(root, edits);
    expect(await generateIn(root)).toBe(0);
  }
  await git(root, "init", "-q");
  await commit(root);
  return root;
}

function edit(root: string, edits: readonly Edit[], file = "environments/production.yaml"): void {
  const path = join(root, file);
  for (const [from, to] of edits) {
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(path, after);
  }
}

async function git(root: string, ...args: string[]): Promise<string> {
  return run("git", ["-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args]);
}

async function commit(root: string): Promise<void> {
  await git(root, "add", "-A");
  await git(root, "commit", "-qm", "state");
}

async function rows(root: string, ...args: string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await meshops(root, ["diff", "-o", "json", ...args]);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

const brief = (found: readonly Record<string, unknown>[]): string[] =>
  found.map(
    ({ environment, change, kind, name, risk }) =>
      `${String(environment)} ${String(change)} ${String(kind)} ${String(name)} ${String(risk)}`,
  );

const fileOf = (story: string): string => `${story.replace(/[^a-z0-9.]+/g, "-")}.txt`;

describe("text output of one edit", () => {
  test.each(Object.entries(stories))("%s", async (story, { risk, before, edits, appended = {} }) => {
    const root = await samples(before);
    edit(root, edits);
    for (const [to, from] of Object.entries(appended)) appendFileSync(join(root, to), readFileSync(join(root, from)));
    const { code, stdout } = await meshops(root, ["diff", "production"]);
    if (process.env["UPDATE"] === "1") writeFileSync(join(folder, fileOf(story)), stdout);
    expect(stdout).toBe(readFileSync(join(folder, fileOf(story)), "utf8"));
    expect(code).toBe(1);
    const found = await rows(root, "production");
    expect(found[0]?.["risk"]).toBe(risk);
    // Before `generate`, diff reports the changes that `generate` will make. After `generate`, diff reports the same
    // changes until the user commits them.
    expect(await generateIn(root, {}, ["production"])).toBe(0);
    expect(await rows(root, "production")).toEqual(found);
    await commit(root);
    expect(await meshops(root, ["diff"])).toMatchObject({
      code: 0,
      stdout: "no generated object changes (compared with HEAD)\n",
    });
  });

  test("an upgrade of Linkerd from edge-25.10.7 to edge-26.8.3", async () => {
    const older: Edit = ["  linkerd:\n", "  linkerd:\n    version: edge-25.10.7\n"];
    const root = await samples([older]);
    edit(root, [["    version: edge-25.10.7\n", ""]]);
    await expectOutput(root, "rollout-an-upgrade-of-linkerd.txt", "production");
  });

  test("a whole environment is added or removed", async () => {
    const root = await samples();
    rmSync(join(root, "environments/production.yaml"));
    await expectOutput(root, "data-loss-a-removed-environment.txt");
    expect(await generateIn(root)).toBe(0);
    await commit(root);
    await git(root, "checkout", "-q", "HEAD~1", "--", "environments/production.yaml");
    await expectOutput(root, "harmless-a-new-environment.txt", "production");
  });

  /** Runs `meshops diff`, and expects that its text output equals the content of a file. */
  async function expectOutput(root: string, name: string, ...args: string[]): Promise<void> {
    const { stdout } = await meshops(root, ["diff", ...args]);
    const file = join(folder, name);
    if (process.env["UPDATE"] === "1") writeFileSync(file, stdout);
    expect(stdout).toBe(readFileSync(file, "utf8"));
  }

  test("every risk except immutable-field has a story, and every file belongs to a story", () => {
    const tested = new Set(Object.values(stories).map(({ risk }) => risk));
    // A story about `immutable-field` needs two charts in the catalog with the same data format. The catalog contains
    // no such charts. test/unit/diff.test.ts tests this risk.
    expect(risks.filter((risk) => !tested.has(risk))).toEqual(["immutable-field"]);
    const files = [...Object.keys(stories).map(fileOf), ...otherStories];
    expect(readdirSync(folder).sort()).toEqual(files.sort());
  });
});

describe("certificates and encrypted files", () => {
  let root: string;
  const keys = (): Record<string, string> => ({ SOPS_AGE_KEY: testIdentity().adminKey });

  beforeAll(async () => {
    const spec = readFileSync(join(projectRoot, "environments/dev.yaml"), "utf8");
    root = makePlatform({ base: readFileSync(join(projectRoot, "environments/base.yaml"), "utf8"), dev: spec });
    expect(await generateIn(root)).toBe(0);
    await git(root, "init", "-q");
    await commit(root);
  });

  test("diff reports a new issuer, with or without an age key, and prints no key", async () => {
    expect(await meshops(root, ["identity", "rotate-issuer", "dev"], { env: keys() })).toMatchObject({ code: 0 });
    const opened = await meshops(root, ["diff", "-o", "json"], { env: keys() });
    const secret = (JSON.parse(opened.stdout) as Record<string, unknown>[]).find(({ kind }) => kind === "Secret");
    expect(secret).toMatchObject({ name: "linkerd-identity-issuer", change: "changed", risk: "trust-anchor" });
    expect(secret?.["fields"]).toEqual([{ path: "data", before: "(encrypted)", after: "(encrypted; plaintext differs)" }]);
    const closed = await rows(root);
    expect(closed.find(({ kind }) => kind === "Secret")?.["reason"]).toContain("No available age key can decrypt both versions");
    for (const output of ["text", "json", "markdown"])
      expect((await meshops(root, ["diff", "-o", output], { env: keys() })).stdout).not.toMatch(/ENC\[|PRIVATE KEY|AGE-SECRET/);
    expect(brief(closed)).toContain("dev changed ConfigMap meshops-identity trust-anchor");
  });

  test("steps 1 and 2 of a trust anchor rotation must not be in one push", async () => {
    await git(root, "checkout", "-q", ".");
    const rotate = async (...flags: string[]): Promise<void> => {
      const { code, stderr } = await meshops(root, ["identity", "rotate-anchor", "dev", ...flags], { env: keys() });
      expect(code, stderr).toBe(0);
      expect(await generateIn(root)).toBe(0);
    };
    const ofIssuer = async (): Promise<Record<string, unknown> | undefined> =>
      (await rows(root)).find(({ kind, name }) => kind === "ConfigMap" && name === "meshops-identity");
    await rotate();
    expect(await ofIssuer()).toMatchObject({ risk: "trust-anchor" });
    await rotate("--pods-restarted");
    const found = await ofIssuer();
    expect(found).toMatchObject({ risk: "mesh-restart" });
    expect(found?.["reason"]).toContain("This change contains step 1 and step 2 of a trust anchor rotation.");
    expect(((found?.["steps"] ?? []) as { text: string }[]).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Do not push this change\. First push only step 1/),
      expect.stringMatching(/^Restart all meshed pods/),
    ]);
  });

  test("steps 2 and 3 of a trust anchor rotation must not be in one push", async () => {
    await git(root, "checkout", "-q", ".");
    const start = (await git(root, "rev-parse", "HEAD")).trim();
    const rotate = async (...flags: string[]): Promise<void> => {
      const { code, stderr } = await meshops(root, ["identity", "rotate-anchor", "dev", ...flags], { env: keys() });
      expect(code, stderr).toBe(0);
      expect(await generateIn(root)).toBe(0);
    };
    await rotate();
    await commit(root);
    await rotate("--pods-restarted");
    await rotate("--pods-restarted");
    const found = (await rows(root)).find(({ kind, name }) => kind === "ConfigMap" && name === "meshops-identity");
    expect(found).toMatchObject({ risk: "mesh-restart" });
    expect(found?.["reason"]).toContain("This change contains step 2 and step 3 of a trust anchor rotation.");
    expect(JSON.stringify(found?.["steps"])).toContain("Do not push this change. First push only step 2");
    await git(root, "reset", "-q", "--hard", start);
  });

  test("during a trust anchor rotation, diff refuses a new trust domain, because it needs a new issuer", async () => {
    await git(root, "checkout", "-q", ".");
    await meshops(root, ["identity", "rotate-anchor", "dev"], { env: keys() });
    edit(
      root,
      [["  extends: base\n", "  extends: base\n  linkerd: {identity: {trustDomain: mesh.example.org}}\n"]],
      "environments/dev.yaml",
    );
    const steps = (await rows(root)).flatMap((row) => row["steps"] as { text: string; command: string | null }[]);
    const texts = steps.map(({ text }) => text);
    expect(texts).toContain(
      "Do not push this change. Set linkerd.identity.trustDomain: cluster.local, and complete the rotation in separate commits with the following command. Then change the trust domain.",
    );
    expect(JSON.stringify(steps)).not.toContain("rotate-issuer");
    await git(root, "checkout", "-q", ".");
  });

  /** Age recipient of an administrator of the sample environment production. */
  const otherAdmin = "age1km4masd5672gsnj4wf0693swrfkrsfkt7a7qf4hc6tgans6jyqas6q09g5";

  test("without a key, diff detects that re-encryption to an additional administrator is harmless", async () => {
    await git(root, "checkout", "-q", ".");
    edit(root, [[/(admin:\n)( +- )/, `$1$2${otherAdmin}\n$2`]], "environments/dev.yaml");
    expect(await meshops(root, ["identity", "updatekeys", "dev"], { env: keys() })).toMatchObject({ code: 0 });
    const found = await rows(root);
    expect(found.length).toBeGreaterThan(5);
    expect(new Set(found.map(({ kind, change, risk, reason }) => [kind, change, risk, reason].join(" ")))).toEqual(
      new Set(["Secret changed harmless the file was encrypted again; the plaintext is the same as before"]),
    );
  });
});

describe("comparison with Git", () => {
  test("with --from, diff compares a tag with the working tree", async () => {
    const root = await samples();
    await git(root, "tag", "first");
    edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
    expect(await generateIn(root)).toBe(0);
    await commit(root);
    expect(await meshops(root, ["diff"])).toMatchObject({ code: 0 });
    expect(brief(await rows(root, "--from", "first"))).toEqual(["production changed HelmRelease dgraph volume-claim"]);
    expect(brief(await rows(root, "dev", "--from", "first"))).toEqual([]);
  });

  test("a moved platform folder is compared with the old folder, and its environments are not reported as new", async () => {
    const top = scratchFolder("monorepo");
    for (const path of sampleFiles) cpSync(join(projectRoot, path), join(top, "platform", path), { recursive: true });
    const pathTo = (folder: string): Edit => [/^ {2}gitops:\n( {4}path: .*\n)?/m, `  gitops:\n    path: ${folder}\n`];
    await git(top, "init", "-q");
    edit(join(top, "platform"), [pathTo("platform")], "environments/base.yaml");
    expect(await generateIn(join(top, "platform"))).toBe(0);
    await commit(top);
    await git(top, "mv", "platform", "mesh");
    edit(join(top, "mesh"), [pathTo("mesh")], "environments/base.yaml");
    const found = await rows(join(top, "mesh"), "production");
    expect(found.filter(({ change }) => change === "added")).toEqual([]);
    const moved = found.find(({ kind, name }) => kind === "Kustomization" && name === "namespaces");
    expect(moved).toMatchObject({ change: "changed", risk: "stalled-rollout" });
    const steps = ((moved?.["steps"] ?? []) as { text: string; command: string | null }[]).map(
      ({ text, command }) => command ?? text,
    );
    expect(steps).toEqual([
      expect.stringContaining("If you have not done so, move the folder"),
      expect.stringContaining("flux/production/flux-system/gotk-sync.yaml, change spec.path"),
      "Push the commit.",
      "MESHOPS_TAKE_OVER=yes meshops bootstrap production --run",
    ]);
  });

  test.each([
    ["the new release is not in the catalog", [], [["  linkerd:\n", "  linkerd:\n    version: edge-26.8.4\n"]]],
    [
      "linkerd-crds is suspended",
      [["  linkerd:\n", "  linkerd:\n    version: edge-25.10.7\n"]],
      [
        ["    version: edge-25.10.7\n", ""],
        ["  linkerd:\n", "  components: {linkerd-crds: {suspend: true}}\n  linkerd:\n"],
      ],
    ],
  ] satisfies [string, Edit[], Edit[]][])(
    "after an upgrade of Linkerd, pods keep their old proxies: %s",
    async (_, before, after) => {
      const root = await samples(before);
      edit(root, after);
      const plane = (await rows(root, "production")).find(({ name }) => name === "linkerd-control-plane");
      expect(plane?.["reason"]).toContain("meshed pods keep their old proxies until they restart");
      expect(JSON.stringify(plane?.["steps"])).toContain("restart the meshed pods that still have the old proxy");
      const ahead = "the HelmRelease linkerd-crds is suspended, so the cluster keeps the CRDs of the old release";
      expect(String(plane?.["reason"]).includes(ahead)).toBe(before.length > 0);
    },
  );

  test("--fail-on sets the lowest risk for which diff exits with code 1", async () => {
    const root = await samples();
    edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
    expect((await meshops(root, ["diff", "--fail-on", "data-loss"])).code).toBe(0);
    expect((await meshops(root, ["diff", "--fail-on", "volume-claim"])).code).toBe(1);
    expect((await meshops(root, ["diff", "--fail-on", "harmless"])).code).toBe(1);
    expect((await meshops(root, ["diff", "--fail-on", "grave"])).code).toBe(2);
  });

  test("a removed environment and an added environment are reported", async () => {
    const root = await samples();
    rmSync(join(root, "environments/production.yaml"));
    const gone = await rows(root);
    expect(gone[0]).toMatchObject({
      environment: "production",
      change: "removed",
      risk: "data-loss",
      steps: [
        { command: null },
        { command: "meshops teardown production --run" },
        { command: "meshops env remove production --purge" },
      ],
    });
    expect(brief(gone)).toContain(" changed Helmfile  harmless");
    expect(gone.filter(({ environment }) => environment === "dev")).toEqual([]);
    expect(await generateIn(root)).toBe(0);
    await commit(root);
    await git(root, "checkout", "-q", "HEAD~1", "--", "environments/production.yaml");
    const back = (await rows(root)).filter(({ environment }) => environment === "production");
    expect(back.length).toBeGreaterThan(30);
    expect(new Set(back.map(({ change, risk }) => `${String(change)} ${String(risk)}`))).toEqual(new Set(["added harmless"]));
  });

  test("diff reports a renamed environment as one change with steps, and the objects in the cluster keep their names", async () => {
    const root = await samples();
    await meshops(root, ["env", "rename", "production", "prod"]);
    const found = await rows(root);
    expect(found[0]).toMatchObject({ environment: "prod", kind: "Environment", change: "changed", risk: "stalled-rollout" });
    expect(JSON.stringify(found[0]?.["steps"])).toContain("MESHOPS_TAKE_OVER=yes meshops bootstrap prod --run");
    expect(found.filter(({ change }) => change !== "changed")).toEqual([]);
    const risky = found.filter(({ risk }) => risk !== "harmless").map(({ kind, name }) => `${String(kind)} ${String(name)}`);
    expect(risky).toEqual(["Environment prod"]);
    expect(await rows(root, "prod")).toEqual(found);
  });

  test("files that meshops did not generate are ignored; manual changes to generated files are reported", async () => {
    const root = await samples();
    writeFileSync(join(root, "flux/production/own.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n");
    writeFileSync(join(root, "overlays/production/namespaces/kustomization.yaml"), "# by hand\nresources: []\n");
    edit(root, [[/$/, "\n# the end\n"]], "overlays/dev/namespaces/namespaces.yaml");
    await commit(root);
    expect(brief(await rows(root))).toEqual([
      "dev changed File overlays/dev/namespaces/namespaces.yaml harmless",
      "production changed Overlay overlays/production/namespaces harmless",
    ]);
  });

  test("diff reports all changes, even if the inventory is missing in the commit or contains a merge conflict", async () => {
    for (const inventory of [null, "<<<<<<< ours\n"]) {
      const root = await samples();
      if (inventory === null) rmSync(join(root, ".meshops/production.json"));
      else writeFileSync(join(root, ".meshops/production.json"), inventory);
      await commit(root);
      edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
      expect(brief(await rows(root))[0]).toBe("production changed HelmRelease dgraph volume-claim");
    }
  });

  test("if a committed file is not YAML, diff reports the file instead of its objects", async () => {
    const root = await samples();
    writeFileSync(join(root, "overlays/dev/dgraph/values.yaml"), "<<<<<<< ours\nalpha: {\n=======\n");
    await commit(root);
    const [first] = await rows(root);
    expect(first).toMatchObject({ kind: "File", name: "overlays/dev/dgraph/values.yaml", risk: "data-loss" });
  });

  test("diff does not print control characters of committed files to the terminal", async () => {
    const root = await samples();
    edit(root, [["size: 10Gi", '"\\e[31mred\\a": 1\n    size: 10Gi']], "overlays/dev/dgraph/values.yaml");
    writeFileSync(join(root, ".meshops/\u001b[31mred.json"), "{}");
    await commit(root);
    const { stdout, stderr } = await meshops(root, ["diff"]);
    expect(stdout).toContain("red");
    expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test("if the age key file does not exist, diff does not decrypt files, and prints a note about this", async () => {
    const root = await samples();
    writeFileSync(
      join(root, "overlays/dev/identity/tap-k8s-tls.sops.yaml"),
      readFileSync(join(root, "overlays/dev/identity/tap-injector-k8s-tls.sops.yaml"), "utf8").replace(
        "name: tap-injector-k8s-tls",
        "name: tap-k8s-tls",
      ),
    );
    const { code, stderr, stdout } = await meshops(root, ["diff"], { env: { SOPS_AGE_KEY_FILE: "/nonexistent" } });
    expect([code, stderr]).toEqual([1, expect.stringContaining("encrypted files are compared without decryption")]);
    expect(stdout).toContain("Secret tap-k8s-tls");
  });

  test("the markdown output is a summary with a table, for pull requests", async () => {
    const root = await samples();
    edit(root, [["    alpha:\n", "    alpha:\n      whitelist: [10.0.0.0/8, 192.168.0.0/16]\n"]]);
    const { stdout } = await meshops(root, ["diff", "-o", "markdown", "production"]);
    expect(stdout).toMatch(/^### meshops: 1 object changes: 1 wider-access \(compared with `HEAD`\)\n\n#### production/);
    expect(stdout).toContain(
      "| risk | object | reason |\n|---|---|---|\n| **wider-access** | ~ HelmRelease dgraph/dgraph | this change adds 192.168.0.0/16",
    );
    expect(stdout).toContain("<details><summary>1 field</summary>");
    await git(root, "checkout", "-q", ".");
    expect((await meshops(root, ["diff", "-o", "markdown"])).stdout).toBe("meshops: no changes compared with `HEAD`.\n");
  });

  test.each([
    [
      ["--from", "nowhere"],
      3,
      "meshops: commit nowhere does not exist\nfix: run `git fetch`, or use a commit that `git log --oneline` lists\n",
    ],
    [["--from", "--exec=x"], 3, "meshops: commit --exec=x does not exist\n"],
    [["prodution"], 2, 'did you mean "production"?'],
    [["base"], 2, 'environment "base" is abstract'],
  ])("%j exits %d", async (args, code, message) => {
    const result = await meshops(await samples(), ["diff", ...args]);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toContain(message);
  });

  test("outside a Git repository, diff exits with code 3 and an error", async () => {
    const root = await samples();
    rmSync(join(root, ".git"), { recursive: true });
    expect(await meshops(root, ["diff"])).toMatchObject({ code: 3, stdout: "" });
  });
});
