import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
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

/**
 * Creates a repository that contains only bases/ and the spec of `dev`. By default, the recipients in the spec are
 * those of the test run.
 */
function emptyPlatform(secrets?: object): string {
  const root = scratchFolder("identity");
  cpSync(join(projectRoot, "bases"), join(root, "bases"), { recursive: true });
  const { clusterRecipient, adminRecipient } = testIdentity();
  const spec = {
    secrets: secrets ?? { age: [clusterRecipient], admin: [adminRecipient] },
    linkerd: { jaeger: { enabled: true } },
  };
  writeTree(root, { "environments/dev.yaml": specText(spec, "dev") });
  return root;
}

/**
 * Returns environment variables for meshops and sops. With these variables, both programs find only one age key: `key`,
 * or by default the administrators' key.
 */
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

  test("needs no private key, and creates all files that validate and generate require", async () => {
    expect(await meshops(root, ["validate"], { env: asAdmin("") })).toMatchObject({
      code: 0,
      stdout: "1 environment checked, all valid\n",
    });
    expect(await generateIn(root)).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toBe(
      "1 environment checked, all valid; 7 encrypted files decrypted, MACs verified\n",
    );
    expect((await meshops(root, ["validate"], { env: asAdmin(testIdentity().clusterKey) })).stdout).toContain(
      "6 encrypted files decrypted",
    );
  });

  test("a copied identity is a finding, and a new identity fixes it", async () => {
    const copy = emptyPlatform();
    cpSync(root, copy, { recursive: true });
    const spec = readFileSync(join(copy, "environments/dev.yaml"), "utf8");
    writeFileSync(join(copy, "environments/copy.yaml"), spec.replace("name: dev", "name: copy"));
    cpSync(join(copy, "environments/dev"), join(copy, "environments/copy"), { recursive: true });
    const found = await meshops(copy, ["validate"], { env: asAdmin("") });
    expect(found.stdout).toContain("environments/dev/identity/issuer.crt:1:1 warning issuer-shared");
    expect(found.stdout).toContain("fix: if dev does not run yet, run meshops identity init dev --force;");
    expect((await meshops(copy, ["identity", "init", "dev", "--force"], { env: asAdmin("") })).code).toBe(0);
    expect((await meshops(copy, ["validate"], { env: asAdmin("") })).stdout).not.toContain("issuer-shared");
  });

  test("replaces no file without --force", async () => {
    const before = readTree(root, "environments/dev/identity");
    const { code, stderr } = await meshops(root, ["identity", "init", "dev"]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      "meshops: dev already has an identity, or parts of an identity:\n  environments/dev/identity/trust-anchors.crt",
    );
    expect(stderr).toContain("fix: to renew certificates, run meshops identity rotate-issuer");
    expect(readTree(root, "environments/dev/identity")).toEqual(before);
  });

  test("keeps all other rules and comments in .sops.yaml, and writes the rules of meshops only once", async () => {
    const own = readFileSync(join(root, ".sops.yaml"), "utf8");
    writeFileSync(
      join(root, ".sops.yaml"),
      own.replace("creation_rules:", "creation_rules:\n  # ours\n  - path_regex: other\n    age: age1x\n"),
    );
    expect((await meshops(root, ["identity", "init", "dev", "--force"])).code).toBe(0);
    const text = readFileSync(join(root, ".sops.yaml"), "utf8");
    expect(text).toContain("# ours");
    const { creation_rules: rules } = parse(text) as { creation_rules: { path_regex: string }[] };
    // The rules of meshops must be before the existing rules, because sops uses the first rule that matches a file.
    expect(rules.map((rule) => rule.path_regex)).toEqual([
      expect.stringContaining("overlays"),
      expect.stringContaining("environments"),
      "other",
    ]);
  });
});

withTools(["sops"], "the real sops", () => {
  test("writes a .sops.yaml with which sops can edit files, encrypt files, and change their recipients", async () => {
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

describe("an environment without an identity", () => {
  test("is an error for validate and for generate, unless --no-identity is set", async () => {
    const root = emptyPlatform();
    const found = await meshops(root, ["validate"]);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(
      "error identity-missing\n  the environment dev has no identity (certificates and encrypted keys)\n",
    );
    expect(found.stdout).toContain(
      "fix: run meshops identity init dev; if Linkerd already runs in the cluster, set linkerd.identity.provider: external",
    );
    expect((await meshops(root, ["generate"])).code).toBe(1);
    writeTree(root, { ".meshops/dev.json": "{}\n" });
    expect((await meshops(root, ["validate"])).stdout).toContain(
      "fix: restore the identity from Git: the generated files of dev still contain its certificates",
    );
    rmSync(join(root, ".meshops"), { recursive: true });
    expect(await meshops(root, ["validate", "--no-identity"])).toEqual({
      code: 0,
      stdout: "1 environment checked, all valid; certificates and encrypted files were not checked\n",
      stderr: "",
    });
    const json = await meshops(root, ["validate", "--no-identity", "-o", "json"]);
    expect(JSON.parse(json.stdout)).toMatchObject([
      { file: "environments/dev.yaml", code: "identity-skipped", silenced: "--no-identity" },
    ]);
    expect((await meshops(root, ["identity", "init", "dev"])).code).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
  });

  test("if the user renamed the spec by hand, the fix moves the old identity and creates no new identity", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const anchor = readFileSync(join(root, "environments/dev/identity/trust-anchors.crt"), "utf8");
    const spec = readFileSync(join(root, "environments/dev.yaml"), "utf8");
    writeFileSync(join(root, "environments/test.yaml"), spec.replace("name: dev", "name: test"));
    rmSync(join(root, "environments/dev.yaml"));
    const { code, stdout } = await meshops(root, ["validate"]);
    expect(code).toBe(1);
    const [, command = ""] = /fix: if test is the new name of dev, run meshops ([^;]*);/.exec(stdout) ?? [];
    expect(command).toBe("env rename dev test");
    expect((await meshops(root, command.split(" "))).code).toBe(0);
    expect(readFileSync(join(root, "environments/test/identity/trust-anchors.crt"), "utf8")).toBe(anchor);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
  });
});

describe("validate", () => {
  const issuer = "overlays/dev/identity/linkerd-identity-issuer.sops.yaml";
  const anchor = "environments/dev/identity/trust-anchor.sops.yaml";
  const changed: [string, string, (text: string) => string, string][] = [
    [
      "a Secret with another namespace",
      issuer,
      (text) => text.replace("namespace: linkerd", "namespace: default"),
      "the unencrypted fields of the file have wrong names or values. Expected: only apiVersion: v1, kind: Secret, type: kubernetes.io/tls, metadata.namespace: linkerd and metadata.name: linkerd-identity-issuer",
    ],
    [
      "a plaintext value among encrypted values",
      issuer,
      (text) => text.replace("\ndata:", "\ndata:\n  more: YQ=="),
      "a value in the field data is not encrypted",
    ],
    [
      "a Secret without its private key",
      issuer,
      (text) => text.replace(/ {2}tls\.key: .*\n/, ""),
      "the field data must have exactly the keys ca.crt, tls.crt, tls.key",
    ],
    [
      "a Secret without encryption",
      issuer,
      (text) => text.slice(0, text.indexOf("sops:")),
      "the file is not encrypted: the top-level field `sops` is missing",
    ],
    ["a missing MAC", issuer, (text) => text.replace(/ {2}mac: .*\n/, ""), "the file has no MAC"],
    [
      "a MAC that covers unencrypted fields, which labels would break",
      issuer,
      (text) => text.replace("  mac_only_encrypted: true\n", ""),
      "the file is encrypted with the wrong settings. Use encrypted_regex",
    ],
    [
      "a trust anchor file that the cluster can decrypt",
      anchor,
      (text) => text.replace(/recipient: .*/, `recipient: ${testIdentity().clusterRecipient}`),
      "the file is encrypted to",
    ],
  ];
  test.each(changed)("finds without a key: %s", async (_, file, change, message) => {
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
      "a plaintext private key",
      (text: string) => `backup: |\n  -----BEGIN EC PRIVATE ${"KEY"}-----\n${text}`,
      "the file contains a private key in plaintext",
    ],
    [
      "a private key in a comment",
      (text: string) => `# LS0tLS1CRUdJTiBFQyBQUklWQVRF\n${text}`,
      "the file contains a private key in plaintext",
    ],
    [
      "a rule that encrypts nothing",
      (text: string) => text.replace("^(data|stringData)$", "^secret$"),
      "the file is encrypted with the wrong settings. Use encrypted_regex",
    ],
    [
      "an additional field",
      (text: string) => `more: a\n${text}`,
      "the unencrypted fields of the file have wrong names or values. Expected: no unencrypted fields except sops",
    ],
    [
      "another key service",
      (text: string) => text.replace("sops:\n", "sops:\n  pgp:\n    - fp: ABC\n      enc: x\n"),
      "the file is encrypted to age recipients and to PGP, but the spec lists only age recipients",
    ],
  ])("finds in the administrators' file, with or without a key: %s", async (_, change, message) => {
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

  test("finds, with a key, a Secret that does not match the public certificates", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const secret = readFileSync(join(root, issuer), "utf8");
    await meshops(root, ["identity", "rotate-issuer", "dev"], { env: asAdmin() });
    writeFileSync(join(root, issuer), secret);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin() });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${issuer}:1:1 error identity-invalid\n  the certificate in this Secret is not the certificate in issuer.crt`,
    );
  });

  test("finds, with a key, webhook certificates of another CA or for another webhook", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const ca = join(root, "environments/dev/identity/webhook-ca.crt");
    const own = readFileSync(ca, "utf8");
    writeFileSync(ca, readFileSync(join(root, "environments/dev/identity/trust-anchors.crt"), "utf8"));
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toContain(
      "the certificate in this Secret was not signed by a certificate in webhook-ca.crt",
    );
    writeFileSync(ca, own);
    const [tap, injector] = ["tap-k8s-tls", "tap-injector-k8s-tls"].map((name) =>
      join(root, `overlays/dev/identity/${name}.sops.yaml`),
    );
    const text = readFileSync(tap ?? "", "utf8");
    writeFileSync(injector ?? "", text.replace("name: tap-k8s-tls", "name: tap-injector-k8s-tls"));
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toContain(
      "the certificate in this Secret is not valid for tap-injector.linkerd-viz.svc",
    );
  });

  test("if SOPS_AGE_KEY_FILE does not exist, validate skips only the check of the MACs; decrypt reports a damaged key", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const missing = await meshops(root, ["validate"], { env: { ...asAdmin(""), SOPS_AGE_KEY_FILE: "/nowhere/keys.txt" } });
    expect(missing).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(
        "the age keys of SOPS_AGE_KEY_FILE cannot be read: ENOENT; the MACs of encrypted files are not checked",
      ),
    });
    const damaged = await meshops(root, ["secrets", "decrypt", issuer], { env: asAdmin("AGE-SECRET-KEY-1AAAA") });
    expect(damaged).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("an age key is damaged") });
  });

  test("finds, only with a key, that two encrypted values were swapped; Flux does not detect this change", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const text = readFileSync(join(root, issuer), "utf8");
    // Swaps two encrypted values, so that both values are still encrypted.
    const swapped = text.replace(/ {2}ca\.crt: (.*)\n {2}tls\.crt: (.*)\n/, "  ca.crt: $2\n  tls.crt: $1\n");
    expect(swapped).not.toBe(text);
    writeFileSync(join(root, issuer), swapped);
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).code).toBe(0);
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin() });
    expect(code).toBe(1);
    expect(stdout).toContain(`${issuer}:1:1 error identity-invalid\n  data.ca.crt: the value was changed, was moved`);
  });
});

describe("webhook keys in the format that older versions wrote", () => {
  const validator = "overlays/dev/identity/linkerd-policy-validator-k8s-tls.sops.yaml";
  const injector = "overlays/dev/identity/linkerd-proxy-injector-k8s-tls.sops.yaml";

  /** Creates a repository with two webhook keys in SEC1 format. meshops wrote this format until commit 1e5175a. */
  async function platformWithSec1Keys(): Promise<string> {
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
    ["with a key", undefined],
  ])("validate finds them %s; it reports an error if the reader rejects the format, and otherwise a warning", async (_, key) => {
    const root = await platformWithSec1Keys();
    const { code, stdout } = await meshops(root, ["validate"], { env: asAdmin(key) });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${validator}:9:12 error webhook-key-form\n  the private key is in SEC1 format. The container \`policy\` of linkerd-destination cannot read this format, so the control plane does not start\n  expected PKCS#8 or PKCS#1\n  fix: run meshops identity rotate-webhooks dev`,
    );
    expect(stdout).toContain(
      `${injector}:9:12 warning webhook-key-form\n  the private key is in the old SEC1 format. The container \`proxy-injector\` of linkerd-proxy-injector can read this format, but meshops now writes PKCS#8\n  expected PKCS#8\n  fix: run meshops identity rotate-webhooks dev`,
    );
  });

  test("identity status finds these keys without an age key, generate rejects them, and the fix replaces them", async () => {
    const root = await platformWithSec1Keys();
    const status = await meshops(root, ["identity", "status"], { env: asAdmin("") });
    expect(status).toMatchObject({ code: 1, stdout: expect.stringContaining(`${validator}:9:12 error webhook-key-form`) });
    expect((await meshops(root, ["generate"], { env: asAdmin("") })).code).toBe(1);
    expect((await meshops(root, ["identity", "rotate-webhooks", "dev"], { env: asAdmin() })).code).toBe(0);
    expect(await meshops(root, ["identity", "status"], { env: asAdmin("") })).toMatchObject({ code: 0, stderr: "" });
    expect((await meshops(root, ["validate"], { env: asAdmin() })).code).toBe(0);
    expect((await meshops(root, ["generate"], { env: asAdmin("") })).code).toBe(0);
  });
});

describe("the life cycle of an identity", () => {
  test("init, status and all rotations work", async () => {
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
      stdout: expect.stringContaining("a new issuer is created, signed by the trust anchor that signed the old issuer: 2 files"),
    });
    expect(await go("rotate-webhooks", "dev")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("new server certificates for the webhooks are created: 6 files"),
    });
    expect(await go("rotate-anchor", "dev")).toMatchObject({ code: 0, stdout: expect.stringContaining("step 1 of 3") });
    expect((await go("rotate-anchor", "dev")).stderr).toContain("fix: run meshops generate dev, commit and push");
    expect(await generateIn(root)).toBe(0);
    const waiting = await go("rotate-anchor", "dev");
    expect(waiting.code).toBe(1);
    expect(waiting.stderr).toMatch(
      /do not run the next step before [-0-9: ]+ UTC\. Wait until every meshed pod has restarted and trusts both trust anchors/,
    );
    expect((await go("status")).stdout).toContain("trust anchor rotation in progress: step 1 of 3 is done");
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

  test("updatekeys re-encrypts the files to the recipients in the spec", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const { clusterRecipient, adminRecipient } = testIdentity();
    const colleague = await generateX25519Identity();
    const newAdmin = await identityToRecipient(colleague);
    const spec = (admin: string[]): string =>
      specText({ secrets: { age: [clusterRecipient], admin }, linkerd: { jaeger: { enabled: true } } }, "dev");
    writeTree(root, { "environments/dev.yaml": spec([adminRecipient, newAdmin]) });
    const before = await meshops(root, ["validate"], { env: asAdmin("") });
    expect(before.stdout).toContain(`the file is not encrypted to ${newAdmin}, but the spec lists this recipient for the file`);
    expect(before.stdout).toContain("fix: run meshops identity updatekeys dev");
    expect(await meshops(root, ["identity", "updatekeys", "dev"], { env: asAdmin() })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("the identity's files are encrypted to the recipients in the spec: 8 files"),
    });
    expect((await meshops(root, ["validate"], { env: asAdmin(colleague) })).stdout).toContain(
      "7 encrypted files decrypted, MACs verified",
    );
    // If the user removes a recipient from the spec, updatekeys also rotates the data keys. Therefore the removed
    // administrator cannot decrypt the new files.
    writeTree(root, { "environments/dev.yaml": spec([newAdmin]) });
    expect((await meshops(root, ["identity", "updatekeys", "dev"], { env: asAdmin(colleague) })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env: asAdmin() })).stdout).toBe("1 environment checked, all valid\n");
    expect((await meshops(root, ["validate"], { env: asAdmin(colleague) })).stdout).toContain("7 encrypted files decrypted");
    expect(readFileSync(join(root, ".sops.yaml"), "utf8")).not.toContain(adminRecipient);
  });

  test("a rotation without the administrators' key fails and changes nothing", async () => {
    const root = emptyPlatform();
    await meshops(root, ["identity", "init", "dev"]);
    const before = readTree(root);
    const { code, stderr } = await meshops(root, ["identity", "rotate-issuer", "dev"], {
      env: asAdmin(testIdentity().clusterKey),
    });
    expect(code).toBe(3);
    expect(stderr).toContain(
      "meshops: environments/dev/identity/trust-anchor.sops.yaml: the available age key cannot decrypt the file",
    );
    expect(stderr).toContain(`add the age key of one of these recipients to`);
    expect(stderr).toContain(`: ${testIdentity().adminRecipient}`);
    expect(readTree(root)).toEqual(before);
  });

  test("keygen writes key files that only the user can read, and age-key prints the cluster's key to a pipe", async () => {
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
    const parsed = parse(stdout) as { secrets: { age: string[]; admin: string[] } };
    const { secrets } = parsed;
    writeTree(root, { "environments/dev.yaml": specText({ secrets }, "dev") });
    const { stdout: exported } = await meshops(root, ["identity", "age-key", "dev"], { env });
    expect(await identityToRecipient(exported.trim())).toBe(secrets.age[0]);
    // If the spec lists two recipients of the cluster, age-key prints both keys. The spec lists two recipients while a
    // user replaces the cluster's key.
    const later = parse((await meshops(root, ["identity", "keygen", "dev"], { env })).stdout) as typeof parsed;
    const both = { ...secrets, age: [...secrets.age, ...later.secrets.age] };
    writeTree(root, { "environments/dev.yaml": specText({ secrets: both }, "dev") });
    const { stdout: keys } = await meshops(root, ["identity", "age-key", "dev"], { env });
    expect(await Promise.all(keys.trim().split("\n").map(identityToRecipient))).toEqual(both.age);
    expect(await meshops(root, ["identity", "age-key", "dev"], { env: asAdmin("") })).toMatchObject({
      code: 3,
      stdout: "",
    });
    // The key is invalid, because one letter was changed. The error message of meshops must not contain the invalid
    // key.
    const damaged = exported.trim().replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
    const refused = await meshops(root, ["identity", "age-key", "dev"], { env: asAdmin(damaged) });
    expect(refused).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("1 age key on this machine is damaged"),
    });
    expect(refused.stderr).not.toContain("SECRET");
  });

  withProgram("script", "age-key on a terminal", () => {
    test("does not print the private key", async () => {
      const root = emptyPlatform();
      // The program `script` provides a terminal for the command, because the test itself has no terminal.
      const command = `node ${projectRoot}dist/cli.js identity age-key dev`;
      const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
        cwd: root,
        env: { ...process.env, ...asAdmin(testIdentity().clusterKey) },
        encoding: "utf8",
      });
      expect(stdout).toContain("meshops does not print a private key to a terminal");
      expect(stdout).not.toContain("AGE-SECRET");
    });
  });
});

describe("secrets", () => {
  const plain = "kind: Secret\nmetadata:\n  name: a # named\ndata:\n  password: c2VjcmV0\n";

  test("updatekeys changes no file if the recipients have not changed, even with the rules of two environments", async () => {
    const root = emptyPlatform();
    const spec = readFileSync(join(root, "environments/dev.yaml"), "utf8");
    writeFileSync(join(root, "environments/test.yaml"), spec.replace("name: dev", "name: test"));
    for (const name of ["dev", "test"]) await meshops(root, ["identity", "init", name]);
    const before = readTree(root);
    for (const name of ["dev", "test", "dev"])
      expect(await meshops(root, ["identity", "updatekeys", name], { env: asAdmin() })).toEqual({
        code: 0,
        stdout: "the identity's files are encrypted to the recipients in the spec: no file changed\n",
        stderr: "",
      });
    expect(readTree(root)).toEqual(before);
    // If an existing rule in .sops.yaml also matches files of the environment, updatekeys moves the environment's own
    // rules before the existing rule.
    const rules = readFileSync(join(root, ".sops.yaml"), "utf8");
    writeFileSync(
      join(root, ".sops.yaml"),
      rules.replace("creation_rules:\n", "creation_rules:\n  - path_regex: .*\n    age: age1x\n"),
    );
    await meshops(root, ["identity", "updatekeys", "dev"], { env: asAdmin() });
    const after = parse(readFileSync(join(root, ".sops.yaml"), "utf8")) as { creation_rules: { path_regex: string }[] };
    const patterns = after.creation_rules.map(({ path_regex: pattern }) => pattern);
    expect(patterns.slice(0, 2).every((pattern) => pattern.includes("/dev/"))).toBe(true);
    expect(patterns.indexOf(".*")).toBe(2);
  });

  test("encrypt, decrypt and updatekeys work for any YAML file", async () => {
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
      stderr: "meshops: a.yaml: the file is already encrypted\n",
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
  test("the sops binary encrypts the files for the cluster, and reads the plaintext from a pipe", async () => {
    const { clusterRecipient, adminRecipient } = testIdentity();
    const azureKeyVault = `https://platform.vault.azure.net/keys/flux/${"0".repeat(32)}`;
    const root = emptyPlatform({ age: [clusterRecipient], admin: [adminRecipient], azureKeyVault });
    // Azure is not available in the tests. Therefore a stand-in replaces sops. The stand-in records its arguments,
    // removes the Azure key from the creation rules, and runs the real sops.
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
    // The stand-in does not encrypt to Azure Key Vault. Therefore validate reports that the entry for the vault is
    // missing.
    expect((await meshops(root, ["validate"], { env: asAdmin("") })).stdout).toContain(
      "the file is encrypted only to age recipients, but the spec also lists the key https://platform.vault",
    );
    // After the test has added an entry for the vault to the files, validate passes. After the vault is removed from
    // the spec, validate reports the entry, and updatekeys removes it.
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
      "the file is encrypted to age recipients and to Azure Key Vault, but the spec lists only age recipients",
    );
    expect((await meshops(root, ["identity", "updatekeys", "dev"], { env })).code).toBe(0);
    expect((await meshops(root, ["validate"], { env })).stdout).toBe(
      "1 environment checked, all valid; 7 encrypted files decrypted, MACs verified\n",
    );
  });

  test("if the sops binary is missing, identity init fails with a fix, and writes no file", async () => {
    const { clusterRecipient, adminRecipient } = testIdentity();
    const azureKeyVault = `https://platform.vault.azure.net/keys/flux/${"0".repeat(32)}`;
    const root = emptyPlatform({ age: [clusterRecipient], admin: [adminRecipient], azureKeyVault });
    const { code, stderr } = await meshopsProcess(root, ["identity", "init", "dev"], {
      env: { ...asAdmin(), PATH: "/usr/bin:/bin" },
    });
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr:
        "meshops: encryption with Azure Key Vault requires the sops binary, but sops is not on the PATH\nfix: install sops from https://github.com/getsops/sops/releases\n",
    });
    expect(Object.keys(readTree(root, "environments"))).toEqual(["environments/dev.yaml"]);
  });
});

describe("a transaction of several files", () => {
  const changes = new Map(
    [".sops.yaml", "environments/dev/identity/issuer.crt", "overlays/dev/identity/tap-k8s-tls.sops.yaml"].map((path) => [
      path,
      `new ${path}`,
    ]),
  );

  test("if a transaction stops at any of its files, the next run completes the transaction", async () => {
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
    ["a file outside the repository", "../x.sops.yaml"],
    ["a nested folder", "overlays/dev/identity/a/b.sops.yaml"],
  ])("cannot be forged to write %s", async (_, path) => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": JSON.stringify([[path, null, "planted"]]) });
    await expect(finishChanges(root)).rejects.toThrow(
      /is not an identity file|is outside the repository, or a folder in its path is a symbolic link/,
    );
    expect(Object.keys(readTree(root))).toEqual([".meshops/pending/identity.json"]);
  });

  test.each(["{}", "null", "[1]", '[["a",null]]', "no JSON"])("is rejected if the transaction file contains %s", async (text) => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": text });
    await expect(finishChanges(root)).rejects.toThrow("the journal is damaged");
  });

  test("does not overwrite a file that was changed after the transaction was interrupted", async () => {
    const root = realpathSync(scratchFolder("journal"));
    writeTree(root, { ".meshops/pending/identity.json": JSON.stringify([[".sops.yaml", null, "old"]]), ".sops.yaml": "newer" });
    await expect(finishChanges(root)).rejects.toThrow(".sops.yaml has changed since the interrupted run");
    expect(readFileSync(join(root, ".sops.yaml"), "utf8")).toBe("newer");
  });
});

describe("a rotation that is killed at any moment", () => {
  const runs = process.env["SLOW"] === "1" ? 24 : 4;
  test(`leaves, after the next command, the files of either the previous or the next step (${runs} kills)`, async () => {
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
      // The next `generate` or `identity` command completes an interrupted transaction.
      expect((await meshops(root, ["generate", "dev"], { env })).code).toBe(0);
      const { stdout, stderr } = await meshops(root, ["validate"], { env });
      expect(stdout, stderr).toContain("7 encrypted files decrypted, MACs verified");
      expect([before, String((Number(before) + 1) % 3)]).toContain(await stage());
    }
    expect((await meshops(root, ["identity", "rotate-anchor", "dev", "--pods-restarted"], { env })).code).toBe(0);
  });
});

withProgram("strace", "private keys", () => {
  test("meshops never writes private keys in plaintext to a file, or to arguments or environment variables of another process", async () => {
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
      // strace has recorded all data that the process wrote. The recorded data must contain certificates, which shows
      // that the trace is complete. The data must contain neither a private key nor the age key.
      expect(trace, args.join(" ")).toContain("-----BEGIN CERTIFICATE-----");
      // Texts that occur in private keys: the PEM header, the start of a PEM file in base64, and the start of the DER
      // in base64. The list contains the last two texts for each format of keys: SEC1 and PKCS#8.
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
