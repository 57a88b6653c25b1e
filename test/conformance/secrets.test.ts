import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { keyFormOf } from "../../generator/identity/key-form.ts";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { objectsIn } from "../support/objects.ts";
import { generateIn, makePlatform, scratchFolder, testIdentity } from "../support/platform.ts";
import { recordingKubectl } from "../support/roads.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, run, tool } from "../support/tools.ts";

interface Encrypted {
  readonly data: Record<string, string>;
  readonly sops: { readonly age: { readonly recipient: string }[]; readonly mac_only_encrypted: boolean };
}

describe("the committed files", () => {
  test("contain no private key in plaintext", async () => {
    const files = (await run("git", ["ls-files", "-z"], { cwd: projectRoot })).split("\0").filter(Boolean);
    const pattern = new RegExp(["-----BEGIN (EC |RSA )?PRIVATE", " KEY-----|AGE-SECRET", "-KEY-1[0-9A-Z]{20}"].join(""));
    // The key files of frozen repositories are an exception, because only tests use the keys in these files. A comment
    // in each of these files must say so.
    const frozenKeys = /^test\/frozen\/[0-9a-f]{7}\/keys\.txt$/;
    for (const file of files) {
      const text = readFileSync(join(projectRoot, file), "utf8");
      if (frozenKeys.test(file)) expect(text).toMatch(/^# The age keys of this frozen repository\. They were made for its tests/);
      else expect(pattern.test(text), file).toBe(false);
    }
    expect(files.length).toBeGreaterThan(100);
  });

  test.each(["dev", "production"])(
    "%s: the cluster and the administrators can decrypt the Secrets, and only the administrators can decrypt the trust anchor's key",
    (name) => {
      const spec = parse(readFileSync(join(projectRoot, `environments/${name}.yaml`), "utf8")) as {
        spec: { secrets: { age: string[]; admin: string[] } };
      };
      const { age, admin } = spec.spec.secrets;
      const folder = join(projectRoot, `overlays/${name}/identity`);
      const secrets = readdirSync(folder).filter((file) => file.endsWith(".sops.yaml"));
      expect(secrets.length).toBeGreaterThanOrEqual(6);
      for (const file of secrets) expect(recipientsOf(join(folder, file)), file).toEqual([...age, ...admin]);
      expect(recipientsOf(join(projectRoot, `environments/${name}/identity/trust-anchor.sops.yaml`))).toEqual(admin);
    },
  );
});

/** Returns the age recipients of an encrypted file. Expects that all values in `data` are encrypted. */
function recipientsOf(path: string): string[] {
  const { data, sops } = parse(readFileSync(path, "utf8")) as Encrypted;
  for (const value of Object.values(data)) expect(value).toMatch(/^ENC\[AES256_GCM,/);
  expect(sops.mac_only_encrypted).toBe(true);
  return sops.age.map(({ recipient }) => recipient);
}

withTools(["sops", "kubectl", "kustomize"], "bases/identity/apply.sh", () => {
  test.each(["meshops", "sops"])("applies the namespaces, and then the Secrets, which %s decrypts", async (decryptor) => {
    const root = makePlatform({ dev: specText({}, "dev") });
    expect(await generateIn(root)).toBe(0);
    const { bin, log } = recordingKubectl();
    // The PATH contains only one of the two programs that can decrypt the Secrets.
    const cli = `#!/bin/sh\nexec "${process.execPath}" "${projectRoot}dist/cli.js" "$@"\n`;
    if (decryptor === "meshops") writeFileSync(join(bin, "meshops"), cli, { mode: 0o755 });
    const path = decryptor === "sops" ? [bin, dirname(tool("sops"))] : [bin];
    const env = {
      PATH: [...path, "/usr/bin", "/bin"].join(delimiter),
      SOPS_AGE_KEY: testIdentity().clusterKey,
    };
    await run(join(root, "bases/identity/apply.sh"), [".", "the-cluster"], { cwd: join(root, "overlays/dev"), env });
    const applied = objectsIn(readFileSync(log, "utf8"));
    const calls = readFileSync(log, "utf8").match(/^# kubectl .*$/gm) ?? [];
    expect(new Set(calls)).toEqual(
      new Set(["# kubectl --context the-cluster apply --server-side --force-conflicts --field-manager=meshops -f -"]),
    );
    const kinds = applied.map(({ kind }) => kind);
    expect(kinds.lastIndexOf("Namespace")).toBeLessThan(kinds.indexOf("Secret"));
    const secrets = applied.filter(({ kind }) => kind === "Secret");
    // The folder also contains the Secret of the jaeger webhook, because environments with any release can use this
    // identity. The release of this environment has no jaeger webhook. Therefore kustomization.yaml does not list this
    // Secret, and the script must not apply the Secret.
    expect(secrets.map(({ metadata }) => metadata.name).sort()).toEqual([
      "linkerd-identity-issuer",
      "linkerd-policy-validator-k8s-tls",
      "linkerd-proxy-injector-k8s-tls",
      "linkerd-sp-validator-k8s-tls",
      "tap-injector-k8s-tls",
      "tap-k8s-tls",
    ]);
    for (const secret of secrets) {
      const { "tls.key": key } = secret["data"] as Record<string, string>;
      const form = keyFormOf(Buffer.from(key ?? "", "base64").toString());
      expect(form).toBe(secret.metadata.name === "linkerd-identity-issuer" ? "SEC1" : "PKCS#8");
      expect(secret.metadata.annotations).toMatchObject({ "helm.sh/resource-policy": "keep" });
      expect(secret).not.toHaveProperty("sops");
    }
  });

  test("if another program writes the certificates, the script applies only the namespaces and needs no age key", async () => {
    const root = makePlatform({ dev: specText({ linkerd: { identity: { provider: "external" } } }, "dev") });
    expect(await generateIn(root)).toBe(0);
    const { bin, log } = recordingKubectl();
    const env = { PATH: [bin, "/usr/bin", "/bin"].join(delimiter), HOME: bin };
    rmSync(join(root, "overlays/dev/identity"), { recursive: true });
    await run(join(root, "bases/identity/apply.sh"), [".", "the-cluster", ""], { cwd: join(root, "overlays/dev"), env });
    const applied = objectsIn(readFileSync(log, "utf8"));
    expect(new Set(applied.map(({ kind }) => kind))).toEqual(new Set(["Namespace"]));
    expect(applied.map(({ metadata }) => metadata.name)).toContain("linkerd");
  });

  test("meshops secrets decrypt prints nothing to stdout if one of several files cannot be decrypted", async () => {
    const root = makePlatform({ dev: specText({}, "dev") });
    expect(await generateIn(root)).toBe(0);
    const folder = "overlays/dev/identity";
    const [first = "", second = ""] = readdirSync(join(root, folder)).filter((file) => file.endsWith(".sops.yaml"));
    const files = [join(folder, first), join(folder, second)];
    const env = { SOPS_AGE_KEY: `${testIdentity().clusterKey}\n${testIdentity().adminKey}` };
    const both = await meshops(root, ["secrets", "decrypt", ...files], { env });
    expect(both).toMatchObject({ code: 0, stderr: "" });
    expect(both.stdout.match(/^---$/gm)).toHaveLength(1);
    expect(objectsIn(both.stdout)).toHaveLength(2);
    writeFileSync(join(root, files[1] ?? ""), "a: 1\n");
    const damaged = await meshops(root, ["secrets", "decrypt", ...files], { env });
    expect(damaged).toMatchObject({ stdout: "", stderr: expect.stringContaining(second) });
    expect(damaged.code).not.toBe(0);
  });

  test("fails if no age key can decrypt a Secret", async () => {
    const root = makePlatform({ dev: specText({}, "dev") });
    expect(await generateIn(root)).toBe(0);
    const bin = scratchFolder("bin");
    writeFileSync(join(bin, "kubectl"), "#!/bin/sh\ncat >/dev/null\n", { mode: 0o755 });
    const env = {
      PATH: [bin, dirname(tool("sops")), process.env["PATH"]].join(delimiter),
      SOPS_AGE_KEY: "",
      HOME: bin,
      XDG_CONFIG_HOME: bin,
    };
    await expect(run(join(root, "bases/identity/apply.sh"), ["."], { cwd: join(root, "overlays/dev"), env })).rejects.toThrow(
      /failed/,
    );
  });
});
