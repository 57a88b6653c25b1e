import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { meshops } from "../support/cli.ts";
import { withTools } from "../support/guards.ts";
import { objectsIn, pick } from "../support/objects.ts";
import { makePlatform, scratchFolder, testIdentity, writeTree } from "../support/platform.ts";
import { kustomizeBuild, recordingKubectl } from "../support/roads.ts";
import { specText } from "../support/specs.ts";
import { run, tool } from "../support/tools.ts";

const chart = { chart: { repository: "https://charts.example.org", name: "shop", version: "1.4.2" } };
const workloads = {
  shop: { namespace: "shop", source: chart, secrets: ["apps/shop/db.sops.yaml"], dependsOn: [{ workload: "queue" }] },
  queue: { namespace: "queue", source: { path: "apps/queue" }, secrets: ["apps/queue/token.sops.yaml"] },
};

/* Tests the field `secrets` of workloads. The real sops encrypts the Secrets. */
withTools(["sops", "kubectl", "kustomize"], "secrets of workloads", () => {
  let root: string;

  beforeAll(async () => {
    root = makePlatform({ dev: specText({ workloads }, "dev") });
    writeTree(root, {
      "apps/queue/kustomization.yaml": "resources: [account.yaml]\n",
      "apps/queue/account.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: queue}\n",
      "apps/shop/db.sops.yaml": await encrypted("shop", "db"),
      "apps/queue/token.sops.yaml": await encrypted("queue", "token"),
    });
    const { code, stderr } = await meshops(root, ["generate"]);
    expect(code, stderr).toBe(0);
  });

  const read = (path: string): string => readFileSync(join(root, path), "utf8");

  test("encrypted Secrets are copied to the overlay unchanged, and the Kustomization has the settings for decryption", async () => {
    expect(read("overlays/dev/workloads/shop/db.sops.yaml")).toBe(read("apps/shop/db.sops.yaml"));
    const built = objectsIn(await kustomizeBuild(join(root, "overlays/dev/workloads/shop")));
    expect(pick(built, "Secret", "db")["stringData"]).toEqual({ password: expect.stringMatching(/^ENC\[/) });
    for (const name of ["shop", "queue"])
      expect(parse(read(`flux/dev/workload-${name}.yaml`))).toMatchObject({
        spec: { decryption: { provider: "sops", secretRef: { name: "sops-age" } } },
      });
  });

  test("encrypted Secrets are not part of the folder that helmfile installs as a release", async () => {
    expect(read("overlays/dev/helmfile.yaml")).toContain("chart: ./workloads/queue/public");
    const release = objectsIn(await kustomizeBuild(join(root, "overlays/dev/workloads/queue/public")));
    const all = objectsIn(await kustomizeBuild(join(root, "overlays/dev/workloads/queue")));
    const names = (objects: typeof all): string[] =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
    expect(names(release)).toEqual(["ServiceAccount queue/queue"]);
    expect(names(all).sort()).toEqual(["Secret queue/token", "ServiceAccount queue/queue"]);
  });

  test("the hook of helmfile decrypts the Secrets, and applies them after the namespaces", async () => {
    const { bin, log } = recordingKubectl();
    const path = [bin, dirname(tool("sops")), "/usr/bin", "/bin"].join(delimiter);
    const env = { PATH: path, SOPS_AGE_KEY: testIdentity().clusterKey };
    await run(join(root, "bases/identity/apply.sh"), [".", "a-cluster"], { cwd: join(root, "overlays/dev"), env });
    const applied = objectsIn(readFileSync(log, "utf8"));
    const kinds = applied.map(({ kind }) => kind);
    expect(kinds.lastIndexOf("Namespace")).toBeLessThan(kinds.indexOf("Secret"));
    for (const [name, namespace] of [
      ["db", "shop"],
      ["token", "queue"],
    ] as const)
      expect(pick(applied, "Secret", name)).toMatchObject({ metadata: { namespace }, stringData: { password: "tiger" } });
    expect(applied.filter(({ kind }) => kind === "Secret")).toHaveLength(8);
  });

  test("the hook also works if meshops delivers no identity and no namespaces", async () => {
    const spec = {
      linkerd: { lifecycle: "existing", version: "edge-26.8.3" },
      dgraph: { enabled: false },
      pydgraphClient: { enabled: false },
      namespaces: { shop: { create: false } },
      workloads: { shop: { ...workloads.shop, dependsOn: [] } },
    };
    const other = makePlatform({ dev: specText(spec, "dev") });
    rmSync(join(other, "environments/dev"), { recursive: true });
    rmSync(join(other, "overlays/dev/identity"), { recursive: true });
    writeTree(other, { "apps/shop/db.sops.yaml": read("apps/shop/db.sops.yaml") });
    const { code, stderr } = await meshops(other, ["generate"]);
    expect(code, stderr).toBe(0);
    expect(readFileSync(join(other, "overlays/dev/helmfile.yaml"), "utf8")).toContain("apply.sh");
    const { bin, log } = recordingKubectl();
    const path = [bin, dirname(tool("sops")), "/usr/bin", "/bin"].join(delimiter);
    const env = { PATH: path, SOPS_AGE_KEY: testIdentity().clusterKey };
    await run(join(other, "bases/identity/apply.sh"), [".", ""], { cwd: join(other, "overlays/dev"), env });
    expect(objectsIn(readFileSync(log, "utf8")).map(({ metadata }) => metadata.name)).toEqual(["db"]);
    expect((await meshops(other, ["bootstrap", "dev", "--context", "x"])).stdout).toContain("age key of the cluster");
  });

  test("with an age key, validate checks the MACs of the Secrets", async () => {
    const env = { SOPS_AGE_KEY: testIdentity().clusterKey };
    const right = await meshops(root, ["validate"], { env });
    expect(right).toMatchObject({ code: 0, stdout: expect.stringContaining("8 encrypted files decrypted, MACs verified") });
    // Replaces the MAC in the file with the MAC of a different encrypted file. The encrypted values in the file do not
    // change.
    const copy = copyOf(root);
    const [own, other] = [read("apps/shop/db.sops.yaml"), await encrypted("shop", "db", "other")];
    const mac = /^ {4}mac: .*$/m;
    writeFileSync(join(copy, "apps/shop/db.sops.yaml"), own.replace(mac, mac.exec(other)?.[0] ?? ""));
    const changed = await meshops(copy, ["validate"], { env });
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain("apps/shop/db.sops.yaml:1:1 error workload-secret");
    expect(changed.stdout).toContain("fix: restore the file from Git");
    expect((await meshops(copy, ["validate"])).code).toBe(0);
  });

  test("generate updates the overlay after a change of an encrypted file", async () => {
    const copy = copyOf(root);
    expect((await meshops(copy, ["generate", "--check"])).code).toBe(0);
    writeFileSync(join(copy, "apps/shop/db.sops.yaml"), await encrypted("shop", "db", "other"));
    expect((await meshops(copy, ["generate", "--check"])).stdout).toContain("overlays/dev/workloads/shop/db.sops.yaml");
    const { code, stderr } = await meshops(copy, ["generate"]);
    expect(code, stderr).toBe(0);
    expect((await meshops(copy, ["generate", "--check"])).code).toBe(0);
  });

  test("it is an error if two files in `secrets` have the same name, or if kustomization.yaml of the folder includes one of them", async () => {
    const copy = copyOf(root);
    const spec = parse(read("environments/dev.yaml")) as { spec: { workloads: { shop: { secrets: string[] } } } };
    spec.spec.workloads.shop.secrets.push("apps/queue/db.sops.yaml");
    writeTree(copy, {
      "environments/dev.yaml": stringify(spec),
      "apps/queue/db.sops.yaml": read("apps/shop/db.sops.yaml"),
      "apps/queue/kustomization.yaml": "resources: [account.yaml, token.sops.yaml]\n",
    });
    for (const command of ["validate", "generate"]) {
      const { code, stdout, stderr } = await meshops(copy, [command]);
      expect(code).toBe(1);
      expect(stdout + stderr).toContain("lists two files with the same name: this file and ");
      expect(stdout + stderr).toContain("helmfile would install the encrypted file token.sops.yaml without decrypting it");
    }
  });

  describe("validate", () => {
    test.each([
      ["absent", (): null => null, "apps/shop/db.sops.yaml:1:1 error workload-secret\n  the file does not exist"],
      ["plaintext", () => secretOf("shop", "db", "tiger"), "the file is not encrypted"],
      [
        "another namespace",
        () => encrypted("web", "db"),
        "the Secret is in namespace web, but the workload is in namespace shop",
      ],
      [
        "another kind",
        async () => (await encrypted("shop", "db")).replace("kind: Secret", "kind: ConfigMap"),
        "the file contains a ConfigMap",
      ],
      [
        "another recipient",
        () => encrypted("shop", "db", "tiger", [testIdentity().adminRecipient]),
        "the cluster cannot decrypt the file: the file is not encrypted to age1",
      ],
      [
        "no administrator",
        () => encrypted("shop", "db", "tiger", [testIdentity().clusterRecipient]),
        "an administrator cannot decrypt the file",
      ],
    ] as const)("reports a wrong file in `secrets`: %s", async (_, text, message) => {
      const copy = copyOf(root);
      const content = await text();
      rmSync(join(copy, "apps/shop/db.sops.yaml"));
      if (content !== null) writeTree(copy, { "apps/shop/db.sops.yaml": content });
      for (const command of ["validate", "generate"]) {
        const { code, stdout, stderr } = await meshops(copy, [command]);
        expect(code).toBe(1);
        expect(stdout + stderr).toContain(message);
      }
    });
  });
});

function copyOf(root: string): string {
  const copy = scratchFolder("copy");
  cpSync(root, copy, { recursive: true });
  return copy;
}

function secretOf(namespace: string, name: string, password: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\nstringData:\n  password: ${password}\n`;
}

/** Encrypts a Secret with the real sops. */
async function encrypted(
  namespace: string,
  name: string,
  password: string = "tiger",
  recipients: readonly string[] = [testIdentity().clusterRecipient, testIdentity().adminRecipient],
): Promise<string> {
  const flags = ["--age", recipients.join(","), "--encrypted-regex", "^(data|stringData)$"];
  const types = ["--input-type", "yaml", "--output-type", "yaml"];
  return run(tool("sops"), ["encrypt", ...flags, ...types, "/dev/stdin"], {
    input: secretOf(namespace, name, password),
    // Runs sops outside of the checkout, because the .sops.yaml of the checkout has no rule for this file.
    cwd: scratchFolder("sops"),
  });
}
