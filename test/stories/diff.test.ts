import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Risk, risks } from "../../generator/components/risk-levels.ts";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/*
 * What a reviewer sees of one edit of the sample environment production, a story a file. UPDATE=1 rewrites them; read the diff.
 */
const folder = join(projectRoot, "test/stories/diff");

type Edit = readonly [from: string | RegExp, to: string];

/** Edits of environments/production.yaml, and the gravest risk of what follows. */
const stories: Readonly<Record<string, { readonly risk: Risk; readonly edits: readonly Edit[] }>> = {
  "harmless: a longer interval": { risk: "harmless", edits: [["interval: 30m", "interval: 1h"]] },
  "rollout: internal ports through the mesh": {
    risk: "rollout",
    edits: [["  dgraph:\n", "  dgraph:\n    internalPorts: mesh\n"]],
  },
  "stalled-rollout: internal ports around the mesh": {
    risk: "stalled-rollout",
    edits: [["  dgraph:\n", "  dgraph:\n    internalPorts: skip\n"]],
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
  "wider-access: a renamed client": {
    risk: "wider-access",
    edits: [["  dgraph:\n", "  dgraph:\n    clients: [{namespace: pydgraph-client, serviceAccount: reports}]\n"]],
  },
  "wider-access: no policy any more": { risk: "wider-access", edits: [["  dgraph:\n", "  dgraph:\n    networkPolicy: false\n"]] },
  "webhook-policy: pods may start unmeshed": {
    risk: "webhook-policy",
    edits: [["  linkerd:\n", "  linkerd:\n    webhookFailurePolicy: Ignore\n"]],
  },
  "trust-anchor: another trust domain": {
    risk: "trust-anchor",
    edits: [["  linkerd:\n", "  linkerd:\n    identity: {trustDomain: mesh.example.org}\n"]],
  },
  "crd-removal: back to stable-2.14.10": {
    risk: "crd-removal",
    edits: [["  linkerd:\n", "  linkerd:\n    version: stable-2.14.10\n    jaeger: {enabled: false}\n"]],
  },
  "immutable-field: 24.1.4 to 25.0.0-preview6": {
    risk: "immutable-field",
    edits: [["  dgraph:\n", "  dgraph:\n    chart: 25.0.0-preview6\n"]],
  },
  "volume-claim: larger volumes": { risk: "volume-claim", edits: [["storage: 128Gi", "storage: 256Gi"]] },
  "data-loss: another release": { risk: "data-loss", edits: [["  dgraph:\n", "  dgraph:\n    release: live\n"]] },
};

/** The samples in a Git repository of their own. */
async function samples(edits: readonly Edit[] = []): Promise<string> {
  const root = scratchFolder("diff");
  for (const path of ["environments", "bases", "overlays", "flux", "helmfile.yaml", ".meshops"])
    cpSync(join(projectRoot, path), join(root, path), { recursive: true });
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

describe("what a reviewer sees", () => {
  test.each(Object.entries(stories))("%s", async (story, { risk, edits }) => {
    const root = await samples();
    edit(root, edits);
    const { code, stdout } = await meshops(root, ["diff", "production"]);
    if (process.env["UPDATE"] === "1") writeFileSync(join(folder, fileOf(story)), stdout);
    expect(stdout).toBe(readFileSync(join(folder, fileOf(story)), "utf8"));
    expect(code).toBe(1);
    const found = await rows(root, "production");
    expect(found[0]?.["risk"]).toBe(risk);
    // What is shown is what generate does: afterwards nothing is left to change but the commit.
    expect(await generateIn(root, {}, ["production"])).toBe(0);
    expect(await rows(root, "production")).toEqual(found);
    await commit(root);
    expect(await meshops(root, ["diff"])).toMatchObject({ code: 0, stdout: "no changes (compared with HEAD)\n" });
  });

  test("an upgrade of Linkerd, edge-25.10.7 to edge-26.8.3", async () => {
    const older: Edit = ["  linkerd:\n", "  linkerd:\n    version: edge-25.10.7\n"];
    const root = await samples([older]);
    edit(root, [["    version: edge-25.10.7\n", ""]]);
    const { stdout } = await meshops(root, ["diff", "production"]);
    const file = join(folder, "rollout-an-upgrade-of-linkerd.txt");
    if (process.env["UPDATE"] === "1") writeFileSync(file, stdout);
    expect(stdout).toBe(readFileSync(file, "utf8"));
  });

  test("every risk has its story, and no text is left over", () => {
    const told = new Set(Object.values(stories).map(({ risk }) => risk));
    expect(risks.filter((risk) => !told.has(risk))).toEqual([]);
    const files = [...Object.keys(stories).map(fileOf), "rollout-an-upgrade-of-linkerd.txt"];
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

  test("another issuer is told as such, whether a key is at hand or not, and no key is shown", async () => {
    expect(await meshops(root, ["identity", "rotate-issuer", "dev"], { env: keys() })).toMatchObject({ code: 0 });
    const opened = await meshops(root, ["diff", "-o", "json"], { env: keys() });
    const secret = (JSON.parse(opened.stdout) as Record<string, unknown>[]).find(({ kind }) => kind === "Secret");
    expect(secret).toMatchObject({ name: "linkerd-identity-issuer", change: "changed", risk: "trust-anchor" });
    expect(secret?.["fields"]).toEqual([{ path: "data", before: "(encrypted)", after: "(encrypted; plaintext differs)" }]);
    const closed = await rows(root);
    expect(closed.find(({ kind }) => kind === "Secret")?.["reason"]).toContain("no available age key can decrypt both versions");
    for (const output of ["text", "json", "markdown"])
      expect((await meshops(root, ["diff", "-o", output], { env: keys() })).stdout).not.toMatch(/ENC\[|PRIVATE KEY|AGE-SECRET/);
    expect(brief(closed)).toContain("dev changed ConfigMap meshops-identity trust-anchor");
  });

  /** The administrator of the sample production. */
  const someoneElse = "age1km4masd5672gsnj4wf0693swrfkrsfkt7a7qf4hc6tgans6jyqas6q09g5";

  test("encrypted anew to one more administrator is harmless, and no key is needed to see that", async () => {
    await git(root, "checkout", "-q", ".");
    edit(root, [[/(admin:\n)( +- )/, `$1$2${someoneElse}\n$2`]], "environments/dev.yaml");
    expect(await meshops(root, ["identity", "updatekeys", "dev"], { env: keys() })).toMatchObject({ code: 0 });
    const found = await rows(root);
    expect(found.length).toBeGreaterThan(5);
    expect(new Set(found.map(({ kind, change, risk, reason }) => [kind, change, risk, reason].join(" ")))).toEqual(
      new Set(["Secret changed harmless re-encrypted; the plaintext is the same"]),
    );
  });
});

describe("against what", () => {
  test("a branch, a tag or a hash; the working tree counts, committed or not", async () => {
    const root = await samples();
    await git(root, "tag", "first");
    edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
    expect(await generateIn(root)).toBe(0);
    await commit(root);
    expect(await meshops(root, ["diff"])).toMatchObject({ code: 0 });
    expect(brief(await rows(root, "--from", "first"))).toEqual(["production changed HelmRelease dgraph volume-claim"]);
    expect(brief(await rows(root, "dev", "--from", "first"))).toEqual([]);
  });

  test("--fail-on draws the line", async () => {
    const root = await samples();
    edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
    expect((await meshops(root, ["diff", "--fail-on", "data-loss"])).code).toBe(0);
    expect((await meshops(root, ["diff", "--fail-on", "volume-claim"])).code).toBe(1);
    expect((await meshops(root, ["diff", "--fail-on", "harmless"])).code).toBe(1);
    expect((await meshops(root, ["diff", "--fail-on", "grave"])).code).toBe(2);
  });

  test("an environment that is new, and one that is gone", async () => {
    const root = await samples();
    rmSync(join(root, "environments/production.yaml"));
    const gone = await rows(root);
    expect(gone[0]).toMatchObject({
      environment: "production",
      change: "removed",
      kind: "HelmRelease",
      name: "dgraph",
      risk: "data-loss",
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

  test("what others put beside our files is none of our changes; what somebody changed in ours is", async () => {
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

  test("a manifest that the commit lost, or that holds a conflict, hides nothing", async () => {
    for (const manifest of [null, "<<<<<<< ours\n"]) {
      const root = await samples();
      if (manifest === null) rmSync(join(root, ".meshops/production.json"));
      else writeFileSync(join(root, ".meshops/production.json"), manifest);
      await commit(root);
      edit(root, [["storage: 128Gi", "storage: 256Gi"]]);
      expect(brief(await rows(root))[0]).toBe("production changed HelmRelease dgraph volume-claim");
    }
  });

  test("a committed file that is no YAML is told as what it is", async () => {
    const root = await samples();
    writeFileSync(join(root, "overlays/dev/dgraph/values.yaml"), "<<<<<<< ours\nalpha: {\n=======\n");
    await commit(root);
    const [first] = await rows(root);
    expect(first).toMatchObject({ kind: "File", name: "overlays/dev/dgraph/values.yaml", risk: "data-loss" });
  });

  test("what is committed cannot steer a terminal", async () => {
    const root = await samples();
    edit(root, [["size: 10Gi", '"\\e[31mred\\a": 1\n    size: 10Gi']], "overlays/dev/dgraph/values.yaml");
    writeFileSync(join(root, ".meshops/\u001b[31mred.json"), "{}");
    await commit(root);
    const { stdout, stderr } = await meshops(root, ["diff"]);
    expect(stdout).toContain("red");
    expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test("a key file that is not there costs certainty alone", async () => {
    const root = await samples();
    writeFileSync(
      join(root, "overlays/dev/identity/tap-k8s-tls.sops.yaml"),
      readFileSync(join(root, "overlays/dev/identity/tap-injector-k8s-tls.sops.yaml"), "utf8").replace(
        "name: tap-injector-k8s-tls",
        "name: tap-k8s-tls",
      ),
    );
    const { code, stderr, stdout } = await meshops(root, ["diff"], { env: { SOPS_AGE_KEY_FILE: "/nonexistent" } });
    expect([code, stderr]).toEqual([1, expect.stringContaining("encrypted files are not decrypted")]);
    expect(stdout).toContain("Secret tap-k8s-tls");
  });

  test("markdown is a table that a pull request shows, with what would break it escaped", async () => {
    const root = await samples();
    edit(root, [["    alpha:\n", "    alpha:\n      whitelist: [10.0.0.0/8, 192.168.0.0/16]\n"]]);
    const { stdout } = await meshops(root, ["diff", "-o", "markdown", "production"]);
    expect(stdout).toMatch(/^### meshops: 1 object changes: 1 wider-access \(compared with `HEAD`\)\n\n#### production/);
    expect(stdout).toContain(
      "| risk | object | why |\n|---|---|---|\n| **wider-access** | ~ HelmRelease dgraph/dgraph | 192.168.0.0/16 joins",
    );
    expect(stdout).toContain("<details><summary>1 field</summary>");
    await git(root, "checkout", "-q", ".");
    expect((await meshops(root, ["diff", "-o", "markdown"])).stdout).toBe("meshops: no changes compared with `HEAD`.\n");
  });

  test.each([
    [
      ["--from", "nowhere"],
      3,
      "meshops: there is no commit nowhere\nfix: run `git fetch`, or pick a commit from `git log --oneline`\n",
    ],
    [["--from", "--exec=x"], 3, "meshops: there is no commit --exec=x\n"],
    [["prodution"], 2, 'did you mean "production"?'],
    [["base"], 2, "base is abstract"],
  ])("%j exits %d", async (args, code, said) => {
    const result = await meshops(await samples(), ["diff", ...args]);
    expect([result.code, result.stdout]).toEqual([code, ""]);
    expect(result.stderr).toContain(said);
  });

  test("outside of Git it says so", async () => {
    const root = await samples();
    rmSync(join(root, ".git"), { recursive: true });
    expect(await meshops(root, ["diff"])).toMatchObject({ code: 3, stdout: "" });
  });
});
