import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkJsonschema } from "../../scripts/tools/paths.ts";
import { withPythonPackage, withTools } from "../support/guards.ts";
import { startLanguageServer } from "../support/language-server.ts";
import { readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { packMeshops, readmeEnv, remoteUrl, shellBlocks } from "../support/scaffold-readme.ts";
import { run, tool } from "../support/tools.ts";

/*
 * Tests the files that `meshops init` writes. Creates a platform repository with the packed npm package of meshops, and
 * runs the commands in its README. The tests run the Git hook, and the scripts of the workflows.
 */
let root: string;
let packed: string;
let environment: Record<string, string>;
const env = (): Record<string, string> => environment;

beforeAll(async () => {
  const work = scratchFolder("scaffold");
  root = join(work, "platform");
  environment = await readmeEnv(root);
  packed = await packMeshops(work);
  writeTree(work, { "tool/package.json": '{"private":true}' });
  await npm(["install", packed], join(work, "tool"));
  await run(join(work, "tool/node_modules/.bin/meshops"), ["init", "platform", "--yes", "--git-url", remoteUrl], {
    cwd: work,
    env: { NO_COLOR: "1" },
  });
  await git("init", "-q", "-b", "main");
  const [setUp] = shellBlocks(readFileSync(join(root, "README.md"), "utf8"));
  expect(setUp?.[0]).toMatch(/^npm install /);
  for (const line of setUp ?? []) await run("bash", ["-ec", line], { cwd: root, env: env() });
}, 300_000);

describe("a new repository", () => {
  test("is valid after the commands in its README, and the hook has accepted the commit of all files", async () => {
    expect(await git("status", "--porcelain")).toBe("");
    expect(await git("config", "core.hooksPath")).toBe(".githooks\n");
    expect(await meshops("validate")).toMatch(/all valid/);
    expect(await git("rev-parse", "HEAD")).toBe(
      await run("git", ["rev-parse", "main"], { cwd: join(root, "../remote.git"), env: env() }),
    );
  });

  test.each([
    [
      "an invalid spec",
      { "environments/dev.yaml": (text: string) => text.replace("extends: base", "extends: bse") },
      /extends-missing/,
    ],
    [
      "a spec without its bundle",
      { "environments/dev.yaml": (text: string) => `${text}  dgraph: {alpha: {replicas: 5}, zero: {replicas: 5}}\n` },
      /generated files are out of date/,
    ],
    ["an age key", { "notes.txt": () => `AGE-SECRET-KEY-1${"Q".repeat(58)}\n` }, /private key in plaintext:\n {2}notes\.txt/],
    ["a PEM key", { "key.pem": () => `${begin("EC PRIVATE KEY")}\nabc\n` }, /private key in plaintext:\n {2}key\.pem/],
    [
      "a key in a Secret",
      { "secret.yaml": () => `data: {tls.key: ${Buffer.from(`${begin("PRIVATE KEY")}\nabc`).toString("base64")}}\n` },
      /secret\.yaml/,
    ],
    [
      "an age key in a Secret, after a comment",
      {
        "age.yaml": () =>
          `data: {age.agekey: ${Buffer.from(`# a\n${"AGE-SECRET-KEY-1"}${"Q".repeat(58)}`).toString("base64")}}\n`,
      },
      /age\.yaml/,
    ],
    [
      "an age key in UTF-16",
      { "shell.log": () => `${[..."AGE-SECRET-KEY-1", ..."Q".repeat(58)].map((letter) => `${letter}\0`).join("")}` },
      /private key in plaintext:\n {2}shell\.log/,
    ],
    ["a plaintext file with a sops key", { "a b.sops.yml": () => "password: x\nsops: {}\n" }, /plaintext:\n {2}a b\.sops\.yml/],
    [
      "a file that must be encrypted but is not",
      { "overlays/dev/identity/tap-k8s-tls.sops.yaml": () => "kind: Secret\n" },
      /tap-k8s-tls\.sops\.yaml/,
    ],
  ] as [string, Record<string, (text: string) => string>, RegExp][])("rejects a commit with %s", async (_, changes, message) => {
    try {
      for (const [path, change] of Object.entries(changes))
        writeTree(root, { [path]: change(existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "") });
      await git("add", "-A");
      await expect(git("commit", "-m", "wrong")).rejects.toThrow(message);
    } finally {
      await git("reset", "-q", "--hard");
    }
  });

  test("accepts a commit of .sops.yaml in another folder, because this file is a configuration and not encrypted", async () => {
    writeTree(root, { "apps/.sops.yaml": "creation_rules: []\n" });
    await git("add", "-A");
    await git("commit", "-q", "-m", "Rules");
    await git("reset", "-q", "--hard", "HEAD^");
  });

  test("has a hook that checks the staged files, not the files in the working tree", async () => {
    const path = "environments/dev.yaml";
    try {
      writeTree(root, { [path]: `${readFileSync(join(root, path), "utf8")}  dgraph: {alpha: {storage: 30Gi}}\n` });
      await meshops("generate");
      await git("add", path);
      await expect(git("commit", "-m", "The spec alone")).rejects.toThrow(/generated files are out of date/);
    } finally {
      await git("reset", "-q", "--hard");
      await git("clean", "-qfd", "overlays", "flux");
    }
  });

  test("does not replace an existing core.hooksPath, and does not set core.hooksPath if the platform is in a subfolder of a Git repository", async () => {
    const around = scratchFolder("around");
    await run("git", ["init", "-q"], { cwd: around, env: env() });
    writeTree(around, { "platform/.githooks/install.mjs": readFileSync(join(root, ".githooks/install.mjs"), "utf8") });
    const install = (cwd: string): Promise<string> => run(process.execPath, [".githooks/install.mjs"], { cwd, env: env() });
    await install(join(around, "platform"));
    await expect(run("git", ["config", "core.hooksPath"], { cwd: around, env: env() })).rejects.toThrow();
    await git("config", "core.hooksPath", "mine");
    await install(root);
    expect(await git("config", "core.hooksPath")).toBe("mine\n");
    await git("config", "core.hooksPath", ".githooks");
  });

  test("has workflows whose scripts succeed, report the effects of a change, and fail if a spec is invalid or a certificate expires soon", async () => {
    const { jobs } = parse(readFileSync(join(root, ".github/workflows/meshops.yml"), "utf8"));
    const steps = (jobs.check.steps as { run?: string }[]).flatMap(({ run: script }) => script ?? []);
    const [ci, ...checks] = steps;
    expect(ci).toBe("npm ci --ignore-scripts");
    expect(checks).toHaveLength(4);
    const spec = readFileSync(join(root, "environments/dev.yaml"), "utf8");
    writeTree(root, { "environments/dev.yaml": `${spec}  dgraph:\n    alpha:\n      storage: 20Gi\n` });
    await meshops("generate");
    await git("add", "-A");
    await git("commit", "-q", "-m", "More storage");
    const summary = join(root, "../summary.md");
    for (const script of checks)
      await run("bash", ["-e", "-c", script], { cwd: root, env: { ...env(), GITHUB_STEP_SUMMARY: summary } });
    expect(readFileSync(summary, "utf8")).toContain("volume-claim");
    // As Azure Pipelines does, the test replaces the pipeline's variables in the script, and runs bash without -e.
    const azure = parse(readFileSync(join(root, "azure-pipelines.yml"), "utf8"));
    const script = (azure.jobs[0].steps as { bash?: string }[]).flatMap(({ bash }) => bash ?? []).join("");
    const runScript = (): Promise<string> =>
      run("bash", ["-c", script.replaceAll("$(Agent.TempDirectory)", join(root, ".."))], { cwd: root, env: env() });
    expect(await runScript()).toContain("##vso[task.setvariable variable=hasChanges]true");
    expect(readFileSync(join(root, "../diff.md"), "utf8")).toContain("volume-claim");
    // If `meshops diff` fails, the script must also fail. If the script succeeded, the pipeline would overwrite the
    // comment in the pull request.
    writeTree(root, { "environments/dev.yaml": "spec: [\n" });
    await expect(
      run("bash", ["-e", "-c", checks.at(-1) ?? ""], { cwd: root, env: { ...env(), GITHUB_STEP_SUMMARY: summary } }),
    ).rejects.toThrow();
    await expect(runScript()).rejects.toThrow();
    await git("reset", "-q", "--hard");
    const weekly = parse(readFileSync(join(root, ".github/workflows/certificates.yml"), "utf8"));
    const [, gate] = (weekly.jobs.expiry.steps as { run?: string }[]).flatMap(({ run: script }) => script ?? []);
    await run("bash", ["-c", gate ?? "false"], { cwd: root, env: env() });
    await expect(run("bash", ["-c", (gate ?? "").replace("60d", "400d")], { cwd: root, env: env() })).rejects.toThrow();
  });

  test("adds one comment to a pull request of Azure Repos, and later updates the same comment", async () => {
    const threads: { id: number; comments: { id: number; content: string }[] }[] = [];
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        if (request.method === "POST")
          threads.push({ id: 7, comments: [{ id: 1, content: JSON.parse(body).comments[0].content }] });
        const [comment] = threads[0]?.comments ?? [];
        if (request.method === "PATCH" && request.url?.includes("/threads/7/comments/1?") && comment !== undefined)
          comment.content = JSON.parse(body).content;
        expect(request.headers.authorization).toBe("Bearer token");
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ value: threads }));
      });
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const azure = {
      SYSTEM_COLLECTIONURI: `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme/`,
      SYSTEM_TEAMPROJECT: "a project",
      BUILD_REPOSITORY_ID: "r",
      SYSTEM_PULLREQUEST_PULLREQUESTID: "1",
      SYSTEM_ACCESSTOKEN: "token",
    };
    for (const text of ["first", "second"]) {
      writeTree(root, { "diff.md": text });
      await run(process.execPath, [".azure-pipelines/comment.mjs", "diff.md"], { cwd: root, env: azure });
    }
    server.close();
    expect(threads.map(({ comments }) => comments)).toEqual([[{ id: 1, content: "<!-- meshops diff -->\nsecond" }]]);
  });

  test("has specs that editors check with the schema of the installed package", async () => {
    const server = await startLanguageServer(root);
    try {
      for (const name of ["base", "dev", "production"]) expect(await server.open(`environments/${name}.yaml`)).toEqual([]);
      const wrong = readFileSync(join(root, "environments/dev.yaml"), "utf8").replace("azure:", "azur:");
      expect((await server.open("environments/other.yaml", wrong)).map(({ message }) => message)).toEqual([
        "Property azur is not allowed.",
      ]);
    } finally {
      await server.stop();
    }
  });

  test("has Renovate settings that find every version in the specs", () => {
    const { customManagers } = JSON.parse(readFileSync(join(root, "renovate.json"), "utf8")) as {
      customManagers: { depNameTemplate: string; matchStrings: string[] }[];
    };
    const spec = `${readFileSync(join(root, "environments/base.yaml"), "utf8")}\n  gitops: {flux: {version: v2.8.1}}\n  azure: {cluster: {kubernetesVersion: "1.34"}}\n`;
    // As Renovate does, the test uses all matches of each pattern (renovate, lib/modules/manager/custom/regex).
    const found = customManagers.map(({ depNameTemplate, matchStrings }) => [
      depNameTemplate,
      ...matchStrings.flatMap((pattern) =>
        [...spec.matchAll(new RegExp(pattern, "g"))].map(({ groups }) => groups?.["currentValue"]),
      ),
    ]);
    expect(found).toEqual([
      ["linkerd", "edge-26.8.3"],
      ["dgraph", "24.1.4"],
      ["azure-kubernetes-service", "1.34"],
      ["flux", "v2.8.1"],
    ]);
  });
});

withTools(["actionlint"], "the workflows", () => {
  test("pass actionlint, which also checks the shell scripts in the workflows", async () => {
    const folder = join(root, ".github/workflows");
    for (const [name, text] of Object.entries(readTree(folder))) {
      await run(tool("actionlint"), ["-no-color", name], { cwd: folder });
      // actionlint does not know the inputs of these actions in v7. The inputs in v7 are the same as in the older
      // version that actionlint knows (v5 for the artifact actions, v6 for the others).
      const known = text.replace(/(actions\/(?:checkout|setup-node|upload-artifact|download-artifact))@v7/g, "$1@v6");
      await run(tool("actionlint"), ["-no-color", "-"], {
        cwd: folder,
        input: known.replace(/((?:up|down)load-artifact)@v6/g, "$1@v5"),
      });
    }
  });
});

withPythonPackage("check-jsonschema", checkJsonschema, "configuration files of other services", () => {
  const check = (args: readonly string[]): Promise<string> =>
    run(join(checkJsonschema, "bin/check-jsonschema"), args, { cwd: root });

  test("azure-pipelines.yml is valid against Azure's schema", async () => {
    // The schema does not define the input `version` of the task UseNode@1 (learn.microsoft.com, "UseNode@1").
    // Therefore the test replaces this task with its predecessor NodeTool@0, whose input `versionSpec` is equivalent.
    const text = readFileSync(join(root, "azure-pipelines.yml"), "utf8");
    const known = text.replaceAll("UseNode@1", "NodeTool@0").replaceAll("          version: 22.x", "          versionSpec: 22.x");
    expect(known.match(/NodeTool@0\n {8}inputs:\n {10}versionSpec: /g)).toHaveLength(2);
    writeTree(root, { "known/azure-pipelines.yml": known });
    await check([
      "--builtin-schema",
      "vendor.azure-pipelines",
      "--data-transform",
      "azure-pipelines",
      "--regex-variant",
      "nonunicode",
      "known/azure-pipelines.yml",
    ]);
    rmSync(join(root, "known"), { recursive: true });
  });

  test("renovate.json and the workflows are valid against the schemas of Renovate and GitHub", async () => {
    await check(["--builtin-schema", "vendor.renovate", "renovate.json"]);
    await check([
      "--builtin-schema",
      "vendor.github-workflows",
      ".github/workflows/meshops.yml",
      ".github/workflows/certificates.yml",
    ]);
  });
});

describe("a platform repository in a folder of a Git repository", () => {
  let around: string;
  const inRoot = (program: string, args: readonly string[]): Promise<string> => run(program, args, { cwd: around, env: env() });
  const commit = async (message: string): Promise<string> => {
    await inRoot("git", ["add", "-A"]);
    return inRoot("git", ["commit", "-q", "-m", message]);
  };

  beforeAll(async () => {
    around = scratchFolder("around");
    await inRoot("git", ["init", "-q", "-b", "main"]);
    writeTree(around, { "apps/key.pem": `${begin("EC PRIVATE KEY")}\nof others\n`, "package.json": '{"private":true}' });
    const binary = join(root, "../tool/node_modules/.bin/meshops");
    const args = ["init", "platform/mesh", "--yes", "--environments", "dev", "--cluster", "own", "--git-url", remoteUrl];
    const output = await inRoot(binary, args);
    const folder = join(around, "platform/mesh");
    // Creates the keys, the identity and the generated files. Then runs the commands that `init` has printed for the
    // root of the Git repository.
    await npm(["install"], folder);
    const own = (...words: string[]): Promise<string> =>
      run(join(folder, "node_modules/.bin/meshops"), words, { cwd: folder, env: env() });
    await own("identity", "keygen", "dev", "--write");
    await own("identity", "init", "dev");
    await own("generate");
    const printed = /in the root of the Git repository:\n((?: {2}.*\n)+)/.exec(output)?.[1] ?? "";
    expect(printed.split("\n").filter(Boolean)).toHaveLength(4);
    await inRoot("bash", ["-ec", printed]);
    await commit("Platform");
  }, 300_000);

  test("has a hook that checks only its own folder", async () => {
    writeTree(around, { "apps/other.yaml": "a: 1\n" });
    await commit("Other");
    const path = "platform/mesh/environments/dev.yaml";
    writeTree(around, { [path]: `${readFileSync(join(around, path), "utf8")}  dgraph: {alpha: {storage: 30Gi}}\n` });
    await expect(commit("Not generated")).rejects.toThrow(/generated files are out of date/);
    await inRoot("git", ["reset", "-q", "--hard"]);
    writeTree(around, { "platform/mesh/key.pem": `${begin("EC PRIVATE KEY")}\n` });
    await expect(commit("A key")).rejects.toThrow(/private key in plaintext:\n {2}platform\/mesh\/key\.pem\n(?! )/);
    await inRoot("git", ["reset", "-q", "--hard"]);
    rmSync(join(around, "platform/mesh/key.pem"), { force: true });
  });

  test("has workflows in the root of the Git repository, whose scripts succeed in the platform folder", async () => {
    const { env: settings, jobs } = parse(readFileSync(join(around, ".github/workflows/meshops-platform-mesh.yml"), "utf8"));
    expect(settings).toEqual({ PLATFORM: "platform/mesh" });
    expect(jobs.check.defaults.run["working-directory"]).toBe(`$\{{ env.PLATFORM }}`);
    const [, ...checks] = (jobs.check.steps as { run?: string }[]).flatMap(({ run: script }) => script ?? []);
    const summary = join(around, "../summary.md");
    const cwd = join(around, "platform/mesh");
    for (const script of checks)
      await run("bash", ["-e", "-c", script], { cwd, env: { ...env(), GITHUB_STEP_SUMMARY: summary } });
  });

  test("does not set core.hooksPath if the Git repository already has hooks, and prints how to call the hook", async () => {
    const other = scratchFolder("hooks");
    await run("git", ["init", "-q"], { cwd: other, env: env() });
    writeTree(other, {
      ".git/hooks/pre-push": "#!/bin/sh\n",
      ".githooks/install.mjs": readFileSync(join(root, ".githooks/install.mjs"), "utf8"),
    });
    const printed = await run(process.execPath, [".githooks/install.mjs"], { cwd: other, env: env() });
    expect(printed).toContain("sh .githooks/pre-commit");
    await expect(run("git", ["config", "core.hooksPath"], { cwd: other, env: env() })).rejects.toThrow();
  });
});

/**
 * Returns a PEM header. This function inserts `what` into the header. If this file contained a complete header, secret
 * scanners would report this file.
 */
function begin(what: string): string {
  return `-----BEGIN ${what}-----`;
}

function git(...args: string[]): Promise<string> {
  return run("git", args, { cwd: root, env: env() });
}

function meshops(...args: string[]): Promise<string> {
  return run(join(root, "node_modules/.bin/meshops"), args, { cwd: root, env: env() });
}

function npm(args: readonly string[], cwd: string): Promise<string> {
  return run("npm", [...args, "--no-audit", "--no-fund", "--prefer-offline"], { cwd });
}
