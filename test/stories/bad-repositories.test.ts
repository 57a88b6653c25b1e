import { execFileSync } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform, readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

/* Tests `meshops generate` in invalid repositories. The command must report an error, and must not write any file. */

let root: string;
const secret = "overlays/dev/identity/tap-k8s-tls.sops.yaml";
const issuer = "environments/dev/identity/issuer.crt";
const spec = (name: string, dgraph: object = {}): Record<string, string> => ({
  [`environments/${name}.yaml`]: specText({ dgraph }, name),
});
const write = (path: string, text: string | Buffer): void => writeFileSync(join(root, path), text);
const remove = (path: string): void => rmSync(join(root, path), { recursive: true });

beforeEach(async () => {
  root = makePlatform({ dev: specText({}, "dev"), other: specText({}, "other") });
  expect(await generateIn(root)).toBe(0);
});

describe("bad input", () => {
  test.each<[string, () => void, string]>([
    ["an invalid spec", () => writeTree(root, spec("dev", { zero: { replicas: 4 } })), "dgraph-zero-even"],
    ["a missing certificate", () => remove(issuer), "identity-missing"],
    ["a missing Secret", () => remove(secret), "identity-missing"],
    ["a Secret in plaintext", () => write(secret, "kind: Secret\ndata: {tls.key: YQ==}\nsops: {mac: x}\n"), "identity-invalid"],
    ["a Secret that is a folder", () => replaceByFolder(secret), "identity-invalid"],
    ["a certificate file without a certificate", () => write(issuer, "hello"), "identity-invalid"],
    [
      "a private key in a certificate file",
      () => appendFileSync(join(root, issuer), ["-----BEGIN", "PRIVATE KEY-----\n"].join(" ")),
      "identity-invalid",
    ],
    [
      "an issuer that was signed by another anchor",
      () => copyFileSync(join(root, "environments/dev/identity/webhook-ca.crt"), join(root, issuer)),
      "identity-invalid",
    ],
    ["a spec that is a dangling symbolic link", () => replaceByLink("environments/dev.yaml", "nowhere"), "file-missing"],
    [
      "a spec that is a symbolic link out of environments/",
      () => replaceByLink("environments/dev.yaml", "../helmfile.yaml"),
      "file-outside",
    ],
    ["a spec that is a pipe", () => replaceByPipe("environments/dev.yaml"), "file-unreadable"],
    ["a spec that is a folder", () => replaceByFolder("environments/dev.yaml"), "file-unreadable"],
    ["a spec that is not text", () => write("environments/dev.yaml", Buffer.from([0xff, 0xfe, 0x41])), "file-encoding"],
    ["a spec with the wrong extension", () => write("environments/qa.yml", ""), "name-mismatch"],
  ])("%s", async (_, change, code) => {
    change();
    writeTree(root, spec("other", { release: "prod" }));
    const before = readTree(root);
    const result = await meshops(root, ["generate"]);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(code);
    expect(result.stderr).not.toContain("this is a bug");
    expect(readTree(root)).toEqual(before);
  });

  test("certificates with CRLF line endings are accepted", async () => {
    for (const name of ["issuer.crt", "trust-anchors.crt", "webhook-ca.crt"]) {
      const path = `environments/dev/identity/${name}`;
      write(path, readFileSync(join(root, path), "utf8").replace(/\n/g, "\r\n"));
    }
    expect(await generateIn(root, { check: true })).toBe(0);
  });

  test("validate ignores temporary files of editors in environments/", async () => {
    writeTree(root, { "environments/.dev.yaml.swp": "", "environments/._dev.yaml": "" });
    symlinkSync("somebody@host:1", join(root, "environments/.#dev.yaml"));
    expect(await meshops(root, ["validate"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("2 environments checked: 2 warnings\n"),
    });
  });
});

describe("symbolic links", () => {
  test.each([
    ["outside the repository", (): string => scratchFolder("outside")],
    ["in another environment", (): string => join(root, "overlays/other/dgraph")],
  ])("an output folder that is a symbolic link to a folder %s is rejected", async (_, target) => {
    const to = target();
    remove("overlays/dev/dgraph");
    symlinkSync(to, join(root, "overlays/dev/dgraph"));
    const before = readTree(to);
    const { code, stderr } = await meshops(root, ["generate", "--force"]);
    expect(code).toBe(1);
    expect(stderr).toContain("is a symbolic link");
    expect(readTree(to)).toEqual(before);
  });

  test("if an output file is a symbolic link, generate replaces the link only with --force, and never changes the target of the link", async () => {
    const outside = join(scratchFolder("outside"), "file");
    writeFileSync(outside, "mine");
    replaceByLink("helmfile.yaml", outside);
    expect((await meshops(root, ["generate"])).code).toBe(1);
    expect(await meshops(root, ["generate", "--force"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^replace helmfile.yaml\ngenerated files of 2 environments /m),
    });
    expect(readFileSync(outside, "utf8")).toBe("mine");
    expect(readFileSync(join(root, "helmfile.yaml"), "utf8")).toContain("overlays/dev/helmfile.yaml");
  });
});

describe("if a path cannot be overwritten, generate reports an error and writes no file, even with --force", () => {
  test.each<[string, string, () => void]>([
    ["a folder where a file should be", "helmfile.yaml", () => replaceByFolder("helmfile.yaml")],
    ["a file where a folder should be", "overlays/dev/dgraph/values.yaml", () => replaceByFile("overlays/dev/dgraph")],
    ["a pipe where a file should be", "helmfile.yaml", () => replaceByPipe("helmfile.yaml")],
    ["a folder where the inventory should be", ".meshops/dev.json", () => replaceByFolder(".meshops/dev.json")],
  ])("%s", async (_, path, obstruct) => {
    obstruct();
    writeTree(root, { ...spec("dev", { alpha: { replicas: 5 } }), ...spec("other", { alpha: { replicas: 5 } }) });
    const before = readTree(root);
    const { code, stderr } = await meshops(root, ["generate", "--force"]);
    expect(code).toBe(1);
    expect(stderr).toContain(path);
    expect(readTree(root)).toEqual(before);
  });
});

function replaceByFile(path: string): void {
  remove(path);
  write(path, "mine");
}

function replaceByFolder(path: string): void {
  remove(path);
  mkdirSync(join(root, path, "inside"), { recursive: true });
}

function replaceByLink(path: string, target: string): void {
  remove(path);
  symlinkSync(target, join(root, path));
}

function replaceByPipe(path: string): void {
  remove(path);
  execFileSync("mkfifo", [join(root, path)]);
}
