import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { finishChanges, writeChanges } from "../../generator/identity/transaction.ts";
import { meshops, meshopsProcess } from "../support/cli.ts";
import { withProgram, withTools } from "../support/guards.ts";
import { generateIn, readTree, scratchFolder, testIdentity, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

/** A repository with one spec, for the age keys of the test run, and nothing else. */
function emptyPlatform(secrets?: object): string {
  const root = scratchFolder("identity");
  const { clusterRecipient, adminRecipient } = testIdentity();
  const spec = {
    secrets: secrets ?? { age: [clusterRecipient], admin: [adminRecipient] },
    linkerd: { jaeger: { enabled: true } },
  };
  writeTree(root, { "environments/dev.yaml": specText(spec, "dev") });
  return root;
}

/** Variables by which meshops and sops find the administrators' key, and no other. */
function asAdmin(key: string = testIdentity().adminKey): Record<string, string> {
  return { SOPS_AGE_KEY: key, HOME: "/nowhere", XDG_CONFIG_HOME: "/nowhere" };
}

const files = [
  ".sops.yaml",
  "environments/dev/identity/issuer.crt",
  "environments/dev/identity/trust-anchor.sops.yaml",
  "environments/dev/identity/trust-anchors.crt",
  "environments/dev/identity/webhook-ca.crt",
  "environments/dev/identity/webhooks.crt",
  "overlays/dev/identity/linkerd-identity-issuer.sops.yaml",
  "overlays/dev/identity/linkerd-policy-validator-k8s-tls.sops.yaml",
  "overlays/dev/identity/linkerd-proxy-injector-k8s-tls.sops.yaml",
  "overlays/dev/identity/linkerd-sp-validator-k8s-tls.sops.yaml",
  "overlays/dev/identity/tap-injector-k8s-tls.sops.yaml",
  "overlays/dev/identity/tap-k8s-tls.sops.yaml",
];

describe("identity init", () => {
  let root: string;
  beforeAll(async () => {
    root = emptyPlatform();
    expect(await meshops(root, ["identity", "init", "dev"], { env: asAdmin("") })).toEqual({
      code: 0,
      stdout: `${files.join("\n")}\na new identity for dev: 12 files changed\nnext: run meshops generate, commit and push\n`,
      stderr: "",
    });
  });

  test("needs no private key, and makes what validate and generate want", async () => {
    expect(await meshops(root, ["validate"], { env: asAdmin("") })).toMatchObject({
      code: 0,
      stdout: "1 environment checked, all valid\n",
    });
    expect(await generateIn(root)).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toBe(
      "1 environment checked, all valid; 7 encrypted files decrypted, MACs verified\n",
    );
    expect((await meshops(root, ["validate"], { env: asAdmin(testIdentity().clusterKey) })).stdout).toContain(
      "6 encrypted files opened",
    );
  });

  test("replaces nothing unasked", async () => {
    const before = readTree(root, "environments/dev/identity");
    const { code, stderr } = await meshops(root, ["identity", "init", "dev"]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "meshops: dev already has an identity, or a part of one:\n  environments/dev/identity/trust-anchors.crt",
    );
    expect(stderr).toContain("fix: renew it with rotate-issuer");
    expect(readTree(root, "environments/dev/identity")).toEqual(before);
  });

  test("keeps other rules and comments of .sops.yaml, and writes its own once", async () => {
    const own = readFileSync(join(root, ".sops.yaml"), "utf8");
    writeFileSync(
      join(root, ".sops.yaml"),
      own.replace("creation_rules:", "creation_rules:\n  # ours\n  - path_regex: other\n    age: age1x\n"),
    );
    expect((await meshops(root, ["identity", "init", "dev", "--force"])).code).toBe(0);
    const text = readFileSync(join(root, ".sops.yaml"), "utf8");
    expect(text).toContain("# ours");
    const { creation_rules: rules } = parse(text) as { creation_rules: { path_regex: string }[] };
    // The first that matches holds, so what was there before comes after ours.
    expect(rules.map((rule) => rule.path_regex)).toEqual([
      expect.stringContaining("overlays"),
      expect.stringContaining("environments"),
      "other",
    ]);
  });
});

withTools(["sops"], "the real sops", () => {
  test("edits the same files by .sops.yaml: re-keys, and encrypts new ones alike", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const file = "overlays/dev/identity/tap-k8s-tls.sops.yaml";
    const env = asAdmin();
    await run(tool("sops"), ["set", file, '["data"]["more"]', '"bW9yZQ=="'], { cwd: root, env });
    expect(
      await run(tool("sops"), ["updatekeys", "--yes", file], { cwd: root, env }).catch((error: Error) => error.message),
    ).not.toContain("failed");
    const { stdout } = await meshops(root, ["secrets", "decrypt", file], { env });
    expect(parse(stdout)).toMatchObject({ data: { more: "bW9yZQ==" } });
    const fresh = "overlays/dev/identity/fresh.sops.yaml";
    writeFileSync(join(root, fresh), "kind: Secret\ndata: {a: Yg==}\n");
    await run(tool("sops"), ["encrypt", "--in-place", fresh], { cwd: root, env });
    expect((await meshops(root, ["secrets", "decrypt", fresh], { env })).stdout).toBe("kind: Secret\ndata:\n    a: Yg==\n");
  });
});

describe("validate tells without a key", () => {
  const issuer = "overlays/dev/identity/linkerd-identity-issuer.sops.yaml";
  const anchor = "environments/dev/identity/trust-anchor.sops.yaml";
  const changed: [string, string, (text: string) => string, string][] = [
    [
      "a Secret that calls itself otherwise",
      issuer,
      (text) => text.replace("namespace: linkerd", "namespace: default"),
      "beside its data it must say kind Secret, type kubernetes.io/tls, linkerd/linkerd-identity-issuer and nothing else",
    ],
    [
      "a plaintext value beside the encrypted ones",
      issuer,
      (text) => text.replace("\ndata:", "\ndata:\n  more: YQ=="),
      "a value under data is not encrypted",
    ],
    [
      "a Secret without its key",
      issuer,
      (text) => text.replace(/ {2}tls\.key: .*\n/, ""),
      "its data must be ca.crt, tls.crt, tls.key and nothing else",
    ],
    [
      "a Secret without encryption",
      issuer,
      (text) => text.slice(0, text.indexOf("sops:")),
      "the file is not encrypted: it has no key `sops`",
    ],
    ["a MAC that is gone", issuer, (text) => text.replace(/ {2}mac: .*\n/, ""), "the file has no MAC"],
    [
      "a rule that labels would break",
      issuer,
      (text) => text.replace("  mac_only_encrypted: true\n", ""),
      "it must be encrypted by encrypted_regex",
    ],
    [
      "an anchor's file that the cluster can open",
      anchor,
      (text) => text.replace(/recipient: .*/, `recipient: ${testIdentity().clusterRecipient}`),
      "it opens to",
    ],
  ];
  test.each(changed)("%s", async (_, file, change, message) => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const before = readFileSync(join(root, file), "utf8");
    expect(change(before)).not.toBe(before);
    writeFileSync(join(root, file), change(before));
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin("") });
    expect(code).toBe(1);
    expect(stdout).toContain(`${file}:1:1 error identity-invalid\n  ${message}`);
  });

  test.each([
    [
      "a private key beside the encrypted ones",
      (text: string) => `backup: |\n  -----BEGIN EC PRIVATE ${"KEY"}-----\n${text}`,
      "it holds a key in plaintext",
    ],
    ["one in a comment", (text: string) => `# LS0tLS1CRUdJTiBFQyBQUklWQVRF\n${text}`, "it holds a key in plaintext"],
    [
      "a rule under which nothing is encrypted",
      (text: string) => text.replace("^(data|stringData)$", "^secret$"),
      "it must be encrypted by encrypted_regex",
    ],
    ["something beside the keys", (text: string) => `more: a\n${text}`, "beside its data it must say nothing and nothing else"],
    [
      "another key service",
      (text: string) => text.replace("sops:\n", "sops:\n  pgp:\n    - fp: ABC\n      enc: x\n"),
      "it opens, besides age, to PGP; the spec names none",
    ],
  ])("in the administrators' file: %s", async (_, change, message) => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const before = readFileSync(join(root, anchor), "utf8");
    expect(change(before)).not.toBe(before);
    writeFileSync(join(root, anchor), change(before));
    for (const key of ["", testIdentity().adminKey]) {
      const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin(key) });
      expect(code).toBe(1);
      expect(stdout).toContain(`${anchor}:1:1 error identity-invalid\n  ${message}`);
    }
  });

  test("and with one, that a Secret and the public certificates are of different times", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const secret = readFileSync(join(root, issuer), "utf8");
    await meshops(root, ["identity", "rotate-issuer", "dev"], { env: asAdmin() });
    writeFileSync(join(root, issuer), secret);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin() });
    expect(code).toBe(1);
    expect(stdout).toContain(`${issuer}:1:1 error identity-invalid\n  its certificate is not the one in issuer.crt`);
  });

  test("and with one, that webhooks are of another CA, or of each other's names", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const ca = join(root, "environments/dev/identity/webhook-ca.crt");
    const own = readFileSync(ca, "utf8");
    writeFileSync(ca, readFileSync(join(root, "environments/dev/identity/trust-anchors.crt"), "utf8"));
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toContain(
      "no certificate of webhook-ca.crt signed its certificate",
    );
    writeFileSync(ca, own);
    const [tap, injector] = ["tap-k8s-tls", "tap-injector-k8s-tls"].map((name) =>
      join(root, `overlays/dev/identity/${name}.sops.yaml`),
    );
    const text = readFileSync(tap ?? "", "utf8");
    writeFileSync(injector ?? "", text.replace("name: tap-k8s-tls", "name: tap-injector-k8s-tls"));
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toContain(
      "its certificate is not for tap-injector.linkerd-viz.svc",
    );
  });

  test("a key file that is named and missing costs the MACs alone; a damaged key is said", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const missing = await meshops(root, ["validate"], { env: { ...asAdmin(""), SOPS_AGE_KEY_FILE: "/nowhere/keys.txt" } });
    expect(missing).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("SOPS_AGE_KEY_FILE cannot be used: ENOENT: MACs are not checked"),
    });
    const damaged = await meshops(root, ["secrets", "decrypt", issuer], { env: asAdmin("AGE-SECRET-KEY-1AAAA") });
    expect(damaged).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("an age key is damaged") });
  });

  test("and with one, that a MAC does not hold: Flux would not notice", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const text = readFileSync(join(root, issuer), "utf8");
    // Two values change places: each is encrypted, neither where it was.
    const swapped = text.replace(/ {2}ca\.crt: (.*)\n {2}tls\.crt: (.*)\n/, "  ca.crt: $2\n  tls.crt: $1\n");
    expect(swapped).not.toBe(text);
    writeFileSync(join(root, issuer), swapped);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin() });
    expect(code).toBe(1);
    expect(stdout).toContain(`${issuer}:1:1 error identity-invalid\n  data.ca.crt: the value was changed or moved`);
  });
});

describe("webhook keys in the form that older versions wrote", () => {
  const validator = "overlays/dev/identity/linkerd-policy-validator-k8s-tls.sops.yaml";
  const injector = "overlays/dev/identity/linkerd-proxy-injector-k8s-tls.sops.yaml";

  /** A platform whose webhook keys are SEC1, as meshops wrote them until commit 1e5175a. */
  async function old(): Promise<string> {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    for (const file of [validator, injector]) {
      const { stdout } = await meshops(root, ["secrets", "decrypt", file], { env: asAdmin() });
      const sec1 = stdout.replace(/(tls\.key: )(\S+)/, (_, key: string, value: string) => {
        const pem = createPrivateKey(Buffer.from(value, "base64")).export({ type: "sec1", format: "pem" });
        return `${key}${Buffer.from(pem).toString("base64")}`;
      });
      expect(sec1).not.toBe(stdout);
      rmSync(join(root, file));
      writeFileSync(join(root, file), sec1);
      expect(await meshops(root, ["secrets", "encrypt", file, "--in-place"], { env: asAdmin() })).toMatchObject({
        stderr: "",
        code: 0,
      });
    }
    return root;
  }

  test.each([
    ["without a key", ""],
    ["with one", undefined],
  ])("validate finds them %s: an error where the reader refuses the form, a warning elsewhere", async (_, key) => {
    const root = await old();
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin(key) });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${validator}:9:12 error webhook-key-form\n  the private key is SEC1: container policy of linkerd-destination cannot read it, and the control plane does not start\n  expected PKCS#8 or PKCS#1\n  fix: meshops identity rotate-webhooks dev`,
    );
    expect(stdout).toContain(
      `${injector}:9:12 warning webhook-key-form\n  the private key is SEC1, the form that older versions of meshops wrote\n  expected PKCS#8\n  fix: meshops identity rotate-webhooks dev`,
    );
  });

  test("identity status finds them without a key, generate refuses, and the fix fixes it", async () => {
    const root = await old();
    const status = await meshops(root, ["identity", "status"], { env: asAdmin("") });
    expect(status).toMatchObject({ code: 1, stdout: expect.stringContaining(`${validator}:9:12 error webhook-key-form`) });
    expect((await meshops(root, ["generate"], { env: asAdmin("") })).code).toBe(1);
    expect((await meshops(root, ["identity", "rotate-webhooks", "dev"], { env: asAdmin() })).code).toBe(0);
    expect(await meshops(root, ["identity", "status"], { env: asAdmin("") })).toMatchObject({ code: 0, stderr: "" });
    expect((await meshops(root, ["validate"], { env: asAdmin() })).code).toBe(0);
    expect((await meshops(root, ["generate"], { env: asAdmin("") })).code).toBe(0);
  });
});

describe("the life cycle by hand", () => {
  test("status, rotations, status", async () => {
    const root = emptyPlatform();
    const env = asAdmin();
    const go = (...args: string[]): ReturnType<typeof meshops> => meshops(root, ["identity", ...args], { env });
    expect(await go("status")).toMatchObject({
      code: 1,
      stderr: "",
      stdout: "dev has no identity yet\nfix: run meshops identity init dev\n",
    });
    await go("init", "dev");
    const first = JSON.parse((await go("status", "--output", "json")).stdout) as Record<string, unknown>[];
    expect(first.map(({ name }) => name)).toEqual([
      "trust-anchor",
      "issuer",
      "webhook-ca",
      "linkerd-proxy-injector",
      "linkerd-sp-validator",
      "linkerd-policy-validator",
      "tap",
      "tap-injector",
    ]);
    expect(first[1]).toEqual({
      environment: "dev",
      name: "issuer",
      subject: "CN=identity.linkerd.cluster.local",
      notBefore: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      notAfter: expect.stringMatching(/Z$/),
      daysLeft: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      recipients: [testIdentity().clusterRecipient, testIdentity().adminRecipient],
    });
    expect(first[0]?.["recipients"]).toEqual([testIdentity().adminRecipient]);
    expect((await go("status", "--fail-within", "60d")).code).toBe(0);
    expect((await go("status", "--fail-within", "400d")).code).toBe(1);
    expect((await go("status", "--fail-within", "soon")).code).toBe(2);
    const webhooks = readFileSync(join(root, "environments/dev/identity/webhooks.crt"), "utf8");
    writeFileSync(join(root, "environments/dev/identity/webhooks.crt"), webhooks.replace("MII", "XXX"));
    expect(await go("status")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("missing or corrupt certificates in dev: linkerd-proxy-injector, linkerd-sp-validator"),
    });
    writeFileSync(join(root, "environments/dev/identity/webhooks.crt"), webhooks);

    expect(await go("rotate-issuer", "dev")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("a new issuer under the same trust anchor: 2 files"),
    });
    expect(await go("rotate-webhooks", "dev")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("new server certificates for the webhooks: 6 files"),
    });
    expect(await go("rotate-anchor", "dev")).toMatchObject({ code: 0, stdout: expect.stringContaining("step 1 of 3") });
    expect((await go("rotate-anchor", "dev")).stderr).toContain("fix: meshops generate dev, commit and push");
    expect(await generateIn(root)).toBe(0);
    const waiting = await go("rotate-anchor", "dev");
    expect(waiting.code).toBe(1);
    expect(waiting.stderr).toContain("the next step must wait until every meshed pod has restarted with both trust anchors");
    expect((await go("status")).stdout).toContain("the trust anchor is being rotated, step 1 of 3 is done");
    expect(await generateIn(root)).toBe(0);
    expect(await go("rotate-anchor", "dev", "--pods-restarted")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("step 2 of 3"),
    });
    expect(await generateIn(root)).toBe(0);
    expect(await go("rotate-anchor", "dev", "--pods-restarted")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("step 3 of 3"),
    });
    expect(await generateIn(root)).toBe(0);
    const last = JSON.parse((await go("status", "--output", "json")).stdout) as Record<string, unknown>[];
    expect(last.length).toBe(first.length);
    expect(last.filter(({ sha256 }) => first.some((before) => before["sha256"] === sha256)).map(({ name }) => name)).toEqual([
      "webhook-ca",
    ]);
    expect((await meshops(root, ["validate"], { env })).stdout).toContain("7 encrypted files decrypted, MACs verified");
  });

  test("updatekeys gives the files to the spec's new recipients", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const { clusterRecipient, adminRecipient } = testIdentity();
    const colleague = await generateX25519Identity();
    const newAdmin = await identityToRecipient(colleague);
    const spec = (admin: string[]): string =>
      specText({ secrets: { age: [clusterRecipient], admin }, linkerd: { jaeger: { enabled: true } } }, "dev");
    writeTree(root, { "environments/dev.yaml": spec([adminRecipient, newAdmin]) });
    const before = await meshops(root, ["validate"], { env: asAdmin("") });
    expect(before.stdout).toContain(`it does not open to ${newAdmin}, which the spec names`);
    expect(before.stdout).toContain("fix: meshops identity updatekeys dev");
    expect(await meshops(root, ["identity", "updatekeys", "dev"], { env: asAdmin() })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("files are encrypted to the recipients in the spec: 8 files"),
    });
    expect((await meshops(root, ["validate"], { env: asAdmin(colleague) })).stdout).toContain(
      "7 encrypted files decrypted, MACs verified",
    );
    // And one leaves: the data keys are new, so the old administrator opens nothing that is written from now on.
    writeTree(root, { "environments/dev.yaml": spec([newAdmin]) });
    expect((await meshops(root, ["identity", "updatekeys", "dev"], { env: asAdmin(colleague) })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toBe("1 environment checked, all valid\n");
    expect((await meshops(root, ["validate"], { env: asAdmin(colleague) })).stdout).toContain("7 encrypted files opened");
    expect(readFileSync(join(root, ".sops.yaml"), "utf8")).not.toContain(adminRecipient);
  });

  test("without the administrators' key nothing rotates, and nothing changes", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const before = readTree(root);
    const { code, stderr } = await meshops(root, ["identity", "rotate-issuer", "dev"], {
      env: asAdmin(testIdentity().clusterKey),
    });
    expect(code).toBe(3);
    expect(stderr).toContain(
      "meshops: environments/dev/identity/trust-anchor.sops.yaml: the age key at hand does not open the file",
    );
    expect(stderr).toContain(`fix: it opens to ${testIdentity().adminRecipient}`);
    expect(readTree(root)).toEqual(before);
  });

  test("keygen keeps new keys to their owner, and export pipes the cluster's", async () => {
    const root = emptyPlatform();
    const home = scratchFolder("home");
    const env = { HOME: home, XDG_CONFIG_HOME: "", SOPS_AGE_KEY: "" };
    const { stdout } = await meshops(root, ["identity", "keygen", "dev"], { env });
    const keyFile = join(home, ".config/sops/age/keys.txt");
    const first = readFileSync(keyFile, "utf8");
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(stdout).not.toContain("SECRET");
    await meshops(root, ["identity", "keygen", "dev"], { env });
    expect(readFileSync(keyFile, "utf8").startsWith(first)).toBe(true);
    const { secrets } = parse(stdout) as { secrets: { age: string[]; admin: string[] } };
    writeTree(root, { "environments/dev.yaml": specText({ secrets }, "dev") });
    const { stdout: exported } = await meshops(root, ["identity", "age-key", "dev"], { env });
    expect(await identityToRecipient(exported.trim())).toBe(secrets.age[0]);
    expect(await meshops(root, ["identity", "age-key", "dev"], { env: asAdmin("") })).toMatchObject({
      code: 3,
      stdout: "",
    });
    // A key with a letter changed belongs to nobody, and is not shown either.
    const damaged = exported.trim().replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
    const refused = await meshops(root, ["identity", "age-key", "dev"], { env: asAdmin(damaged) });
    expect(refused).toMatchObject({ code: 3, stdout: "", stderr: expect.stringContaining("1 key is damaged") });
    expect(refused.stderr).not.toContain("SECRET");
  });

  withProgram("script", "on a terminal", () => {
    test("does not print the private key", async () => {
      const root = emptyPlatform();
      // The test has no terminal: `script` gives the command one.
      const command = `node ${projectRoot}dist/cli.js identity age-key dev`;
      const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
        cwd: root,
        env: { ...process.env, ...asAdmin(testIdentity().clusterKey) },
        encoding: "utf8",
      });
      expect(stdout).toContain("a private key is not printed to a terminal");
      expect(stdout).not.toContain("AGE-SECRET");
    });
  });
});

describe("secrets", () => {
  const plain = "kind: Secret\nmetadata:\n  name: a # named\ndata:\n  password: c2VjcmV0\n";

  test("encrypt, decrypt and updatekeys a file of anybody's", async () => {
    const folder = scratchFolder("secrets");
    const [mine, theirs] = [await generateX25519Identity(), await generateX25519Identity()];
    const [me, them] = [await identityToRecipient(mine), await identityToRecipient(theirs)];
    writeTree(folder, {
      "a.yaml": plain,
      ".sops.yaml": `creation_rules:\n  - path_regex: \\.yaml$\n    age: ${me}\n    encrypted_regex: ^data$\n`,
    });
    const go = (args: string[], key = mine): ReturnType<typeof meshops> =>
      meshops(folder, ["secrets", ...args], { env: asAdmin(key) });
    expect(await go(["encrypt", "--in-place", "a.yaml"])).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(folder, "a.yaml"), "utf8")).not.toContain("c2VjcmV0");
    expect((await go(["decrypt", "a.yaml"])).stdout).toBe(plain);
    expect(await go(["encrypt", "a.yaml"])).toMatchObject({
      code: 1,
      stderr: "meshops: a.yaml: the file is encrypted already\n",
    });
    expect((await go(["updatekeys", "a.yaml", "--age", me, them])).stdout).toBe("update  a.yaml\n");
    expect((await go(["decrypt", "a.yaml"], theirs)).stdout).toBe(plain);
    expect((await go(["updatekeys", "a.yaml"])).stdout).toBe("update  a.yaml\n");
    expect((await go(["updatekeys", "a.yaml"])).stdout).toBe("same    a.yaml\n");
    expect(await go(["decrypt", "a.yaml"], theirs)).toMatchObject({ code: 3, stdout: "" });
    expect(await go(["decrypt", "nowhere.yaml"])).toMatchObject({
      code: 3,
      stderr: "meshops: cannot read nowhere.yaml: ENOENT\n",
    });
  });
});

withTools(["sops"], "with Azure Key Vault", () => {
  test("the sops binary encrypts what the cluster opens, and gets the plaintext through a pipe", async () => {
    const { clusterRecipient, adminRecipient } = testIdentity();
    const azureKeyVault = `https://platform.vault.azure.net/keys/flux/${"0".repeat(32)}`;
    const root = emptyPlatform({ age: [clusterRecipient], admin: [adminRecipient], azureKeyVault });
    // Azure is out of reach here: a stand-in notes how it was called, and lets the real sops encrypt to the age recipients alone.
    const bin = scratchFolder("bin");
    const script = `#!/bin/sh\ncat "$2" >> "${bin}/rules"\necho "$@" >> "${bin}/calls"\nsed -i /azure_keyvault/d "$2"\nexec "${tool("sops")}" "$@"\n`;
    writeFileSync(join(bin, "sops"), script, { mode: 0o755 });
    const env = { ...asAdmin(), PATH: `${bin}:${process.env["PATH"]}` };
    expect((await meshops(root, ["identity", "init", "dev"], { env })).code).toBe(0);
    const calls = readFileSync(join(bin, "calls"), "utf8").trim().split("\n");
    expect(calls.length).toBe(6);
    for (const call of calls)
      expect(call).toMatch(
        /--config \S+ encrypt --filename-override overlays\/dev\/identity\/\S+ --input-type yaml --output-type yaml \/dev\/stdin$/,
      );
    const rules = readFileSync(join(bin, "rules"), "utf8");
    expect(rules.match(/azure_keyvault: https:\/\/platform\.vault\.azure\.net\/keys\/flux\/0{32}/g)?.length).toBe(6);
    expect(rules + calls.join()).not.toContain("PRIVATE KEY");
    expect(readFileSync(join(root, ".sops.yaml"), "utf8").match(/azure_keyvault/g)?.length).toBe(1);
    // The stand-in could not encrypt to the vault, and validate sees that.
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).stdout).toContain(
      "it opens, besides age, to no other key service; the spec names https://platform.vault",
    );
    // With the vault's entry there, all is well; when the spec drops the vault, updatekeys encrypts anew without it.
    const entry = `sops:\n    azure_kv:\n        - vault_url: https://platform.vault.azure.net\n          name: flux\n          version: "${"0".repeat(32)}"\n          created_at: "2026-11-24T12:00:00Z"\n          enc: x\n`;
    for (const [path, text] of Object.entries(readTree(root, "overlays/dev/identity")))
      writeFileSync(join(root, path), text.replace("sops:\n", entry));
    expect((await meshops(root, ["validate"], { env })).stdout).toContain("7 encrypted files decrypted, MACs verified");
    writeTree(root, {
      "environments/dev.yaml": specText(
        { secrets: { age: [clusterRecipient], admin: [adminRecipient] }, linkerd: { jaeger: { enabled: true } } },
        "dev",
      ),
    });
    expect((await meshops(root, ["validate"], { env })).stdout).toContain(
      "it opens, besides age, to Azure Key Vault; the spec names none",
    );
    expect((await meshops(root, ["identity", "updatekeys", "dev"], { env })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env })).stdout).toBe(
      "1 environment checked, all valid; 7 encrypted files decrypted, MACs verified\n",
    );
  });

  test("without the binary that is said", async () => {
    const { clusterRecipient, adminRecipient } = testIdentity();
    const azureKeyVault = `https://platform.vault.azure.net/keys/flux/${"0".repeat(32)}`;
    const root = emptyPlatform({ age: [clusterRecipient], admin: [adminRecipient], azureKeyVault });
    const { code, stderr } = await meshopsProcess(root, ["identity", "init", "dev"], {
      env: { ...asAdmin(), PATH: "/usr/bin:/bin" },
    });
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr:
        "meshops: Azure Key Vault needs the sops binary, which is not on the PATH\nfix: https://github.com/getsops/sops/releases\n",
    });
    expect(Object.keys(readTree(root, "environments"))).toEqual(["environments/dev.yaml"]);
  });
});

describe("a change of several files", () => {
  const changes = new Map(
    [".sops.yaml", "environments/dev/identity/issuer.crt", "overlays/dev/identity/tap-k8s-tls.sops.yaml"].map((path) => [
      path,
      `new ${path}`,
    ]),
  );

  test("that stops after any of them is finished by the next run", async () => {
    for (const stopped of changes.keys()) {
      const root = realpathSync(scratchFolder("journal"));
      mkdirSync(join(root, stopped), { recursive: true });
      writeFileSync(join(root, stopped, "in-the-way"), "");
      await expect(writeChanges(root, changes)).rejects.toThrow();
      rmSync(join(root, stopped), { recursive: true });
      expect(await finishChanges(root)).toBe(true);
      for (const [path, text] of changes) expect(readFileSync(join(root, path), "utf8")).toBe(text);
      expect(await finishChanges(root)).toBe(false);
    }
  });

  test.each([
    ["another folder", ".git/config"],
    ["a workflow", ".github/workflows/x.yaml"],
    ["a spec", "environments/dev.yaml"],
    ["the bundle", "overlays/dev/identity/kustomization.yaml"],
    ["the outside", "../x.sops.yaml"],
    ["a folder below", "overlays/dev/identity/a/b.sops.yaml"],
  ])("cannot be planted to write %s", async (_, path) => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": JSON.stringify([[path, null, "planted"]]) });
    await expect(finishChanges(root)).rejects.toThrow(
      /is no file of an identity|is outside the repository, or a folder in its path is a symbolic link/,
    );
    expect(Object.keys(readTree(root))).toEqual([".meshops/pending/identity.json"]);
  });

  test.each(["{}", "null", "[1]", '[["a",null]]', "no JSON"])("is refused where it says %s", async (text) => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": text });
    await expect(finishChanges(root)).rejects.toThrow("it cannot be read");
  });

  test("does not overwrite what changed since", async () => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": JSON.stringify([[".sops.yaml", null, "old"]]), ".sops.yaml": "newer" });
    await expect(finishChanges(root)).rejects.toThrow(".sops.yaml is not what an interrupted run would have changed");
    expect(readFileSync(join(root, ".sops.yaml"), "utf8")).toBe("newer");
  });
});

describe("killed at any moment", () => {
  const runs = process.env["SLOW"] === "1" ? 24 : 4;
  test(`a rotation leaves the step before or the step after (${runs} kills)`, async () => {
    const root = emptyPlatform();
    const env = asAdmin();
    await meshops(root, ["identity", "init", "dev"]);
    const started = performance.now();
    await meshopsProcess(root, ["identity", "rotate-webhooks", "dev"], { env });
    const duration = performance.now() - started;
    const stage = async (): Promise<string> => {
      const { stdout } = await meshops(root, ["identity", "status"], { env });
      return /step (\d) of 3 is done/.exec(stdout)?.[1] ?? "0";
    };
    for (let index = 0; index < runs; index += 1) {
      const before = await stage();
      const killAfterMs = duration * (0.5 + (0.6 * index) / runs);
      await meshopsProcess(root, ["identity", "rotate-anchor", "dev", "--pods-restarted"], { env, killAfterMs });
      // The next command of any kind finishes what was begun.
      expect((await meshops(root, ["generate", "dev"], { env })).code).toBe(0);
      const { stdout, stderr } = await meshops(root, ["validate"], { env });
      expect(stdout, stderr).toContain("7 encrypted files decrypted, MACs verified");
      expect([before, String((Number(before) + 1) % 3)]).toContain(await stage());
    }
    expect((await meshops(root, ["identity", "rotate-anchor", "dev", "--pods-restarted"], { env })).code).toBe(0);
  });
});

withProgram("strace", "private keys", () => {
  test("reach no file, no argument and no variable of another process", async () => {
    const root = emptyPlatform();
    const traced = async (...args: string[]): Promise<string> => {
      const log = join(scratchFolder("trace"), "log");
      const strace = [
        "-f",
        "-s",
        "65536",
        "-xx",
        "-e",
        "trace=write,writev,pwrite64,pwritev,sendto,sendmsg,execve,memfd_create,mmap",
        "-o",
        log,
      ];
      await new Promise((resolve, reject) => {
        const child = spawn("strace", [...strace, process.execPath, `${projectRoot}dist/cli.js`, ...args], {
          cwd: root,
          env: { ...process.env, ...asAdmin() },
          stdio: "ignore",
        });
        child.on("error", reject).on("close", resolve);
      });
      const text = readFileSync(log, "utf8").replace(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      );
      rmSync(log);
      return text;
    };
    for (const args of [
      ["identity", "init", "dev"],
      ["identity", "rotate-issuer", "dev"],
      ["identity", "rotate-anchor", "dev"],
    ]) {
      const trace = await traced(...args);
      // The trace sees what is written: certificates are there, and keys are not, in PEM, in base64 of it, or as the age key that opened them.
      expect(trace, args.join(" ")).toContain("-----BEGIN CERTIFICATE-----");
      // PEM, the base64 of its beginning, and of the key's DER: SEC1 and PKCS#8.
      for (const secret of [
        "PRIVATE KEY",
        "LS0tLS1CRUdJTiBFQyBQUklWQVRF",
        "LS0tLS1CRUdJTiBQUklWQVRF",
        "MHcCAQEEI",
        "MIGHAgEAMBMGByqGSM49",
      ])
        expect(trace.includes(secret), `${args.join(" ")}: ${secret}`).toBe(false);
      const written = trace.split("\n").filter((line) => !line.includes("execve("));
      expect(written.some((line) => line.includes(testIdentity().adminKey))).toBe(false);
    }
  });
});
