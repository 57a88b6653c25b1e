import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { meshops } from "../support/cli.ts";
import { withProgram } from "../support/guards.ts";
import { field } from "../support/objects.ts";
import { readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { environmentOf } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

describe("meshops init", () => {
  test("has an option for every question", async () => {
    const work = scratchFolder("init");
    const flags = [
      "--cluster",
      "own",
      "--environments",
      "lab, staging",
      "--git-url",
      "https://example.org/acme/p",
      "--branch",
      "trunk",
      "--name",
      "p",
    ];
    const { code, stdout } = await meshops(work, ["init", "a folder", ...flags]);
    expect(code).toBe(0);
    expect(stdout).toContain("cd 'a folder'\n  git init -b trunk && npm install\n");
    const files = readTree(join(work, "a folder"));
    expect(
      Object.keys(files)
        .filter((path) => /^environments\//.test(path))
        .sort(),
    ).toEqual(["environments/base.yaml", "environments/lab.yaml", "environments/staging.yaml"]);
    expect(field(parse(files["environments/base.yaml"] ?? ""), "spec", "gitops")).toEqual({
      url: "https://example.org/acme/p",
      branch: "trunk",
      interval: "10m",
    });
    expect(files["environments/base.yaml"]).not.toContain("azure");
    expect(files[".github/workflows/meshops.yml"]).toContain('branches: ["trunk"]');
    expect(files[".github/workflows/meshops.yml"]).toContain(`GH_TOKEN: $\{{ github.token }}`);
    expect(JSON.parse(files[".devcontainer/devcontainer.json"] ?? "")).toMatchObject({ name: "p" });
  });

  test("the test client is added only with --with-client", async () => {
    const work = scratchFolder("init");
    const base = (folder: string): unknown => parse(readFileSync(join(work, folder, "environments/base.yaml"), "utf8"));
    const readme = (folder: string): string => readFileSync(join(work, folder, "README.md"), "utf8");
    await meshops(work, ["init", "plain", "--yes"]);
    expect(field(base("plain"), "spec", "pydgraphClient")).toEqual({ enabled: false });
    expect(field(base("plain"), "spec", "dgraph", "clients")).toBeUndefined();
    expect(existsSync(join(work, "plain/clients"))).toBe(false);
    expect(readme("plain")).not.toMatch(/^npx meshops verify/m);
    await meshops(work, ["init", "aks", "--yes", "--with-client"]);
    expect(field(base("aks"), "spec", "pydgraphClient")).toEqual({ tag: "1.0.0" });
    expect(readFileSync(join(work, "aks/clients/pydgraph/Dockerfile"), "utf8")).toContain("FROM");
    expect(readme("aks")).toContain("npx meshops verify dev\n");
    const image = "registry.example.com/pydgraph-client";
    await meshops(work, ["init", "own", "--yes", "--cluster", "own", "--with-client", image]);
    expect(field(base("own"), "spec", "pydgraphClient")).toEqual({ image, tag: "1.0.0" });
    expect(readme("own")).toContain(`docker build --tag ${image}:1.0.0 clients/pydgraph && docker push ${image}:1.0.0\n`);
    expect((await meshops(join(work, "plain"), ["init", ".", "--yes", "--keep", "--with-client"])).code).toBe(0);
    expect(existsSync(join(work, "plain/clients/pydgraph/Dockerfile"))).toBe(true);
  });

  test("does not prompt without a terminal", async () => {
    const work = scratchFolder("init");
    expect(await meshops(work, ["init", "platform"])).toMatchObject({ code: 0 });
    expect(existsSync(join(work, "platform/environments/production.yaml"))).toBe(true);
  });

  test("writes no files if the folder is not empty, and lists the files in the folder", async () => {
    const work = scratchFolder("init");
    writeTree(work, { "README.md": "mine\n", "notes.txt": "mine\n" });
    const { code, stdout, stderr } = await meshops(work, ["init", "--yes"]);
    expect(code).toBe(1);
    expect(stdout).toContain("exists  README.md\n");
    expect(stdout).toContain("create  environments/dev.yaml\n");
    expect(stderr).toMatch(
      /nothing written: .* is not empty\nfix: add --keep to write only the missing files, or --force to also overwrite 1 file\n/,
    );
    expect(readTree(work)).toEqual({ "README.md": "mine\n", "notes.txt": "mine\n" });
  });

  test("keeps existing files with --keep and overwrites them with --force", async () => {
    const work = scratchFolder("init");
    writeTree(work, { "README.md": "mine\n" });
    const kept = await meshops(work, ["init", "--yes", "--keep"]);
    expect(kept).toMatchObject({ code: 0, stdout: expect.stringContaining("keep    README.md\n") });
    expect(kept.stdout).toContain("&& npm install\n");
    expect(readFileSync(join(work, "README.md"), "utf8")).toBe("mine\n");
    expect(existsSync(join(work, "environments/dev.yaml"))).toBe(true);
    expect((await meshops(work, ["init", "--yes", "--force"])).code).toBe(0);
    expect(readFileSync(join(work, "README.md"), "utf8")).not.toBe("mine\n");
    expect((await meshops(work, ["init", "--yes", "--force", "--keep"])).code).toBe(2);
  });

  test("prints how to add meshops to an existing package.json", async () => {
    const work = scratchFolder("init");
    writeTree(work, { "package.json": "{}\n" });
    const { stdout } = await meshops(work, ["init", "--yes", "--keep"]);
    expect(stdout).toMatch(
      /&& npm install --save-dev \.\/vendor\/meshops-\S+\.tgz @kubernetes\/client-node@\S+ && node \.githooks\/install\.mjs\n/,
    );
  });

  test("accepts Git's short form of an SSH URL", async () => {
    const work = scratchFolder("init");
    await meshops(work, ["init", "--yes", "--git-url", "git@example.org:acme/p.git"]);
    const { spec } = parse(readFileSync(join(work, "environments/base.yaml"), "utf8"));
    expect(spec.gitops.url).toBe("ssh://git@example.org/acme/p.git");
  });

  test("reports an invalid answer once", async () => {
    const { stderr } = await meshops(scratchFolder("init"), ["init", "--yes", "--branch", "a b"]);
    expect(stderr.match(/bad-format/g)).toHaveLength(1);
  });

  test("does not create a Git repository inside another Git repository", async () => {
    const work = scratchFolder("init");
    mkdirSync(join(work, ".git"));
    const { stdout } = await meshops(work, ["init", "p", "--yes"]);
    expect(stdout).toContain("next:\n  cd p\n  npm install\n");
    expect(stdout).toMatch(
      /p is a subfolder of a Git repository\. To use the workflows and the hook of this folder, run these commands in the root of the Git repository:/,
    );
  });

  test("accepts a symbolic link to a folder, and prints the path relative to the working directory", async () => {
    const work = scratchFolder("init");
    mkdirSync(join(work, "real"));
    symlinkSync(join(work, "real"), join(work, "link"));
    const { code, stdout } = await meshops(work, ["-C", "link", "init", "p", "--yes"]);
    expect(code).toBe(0);
    expect(stdout).toContain("next:\n  cd link/p\n");
    expect(existsSync(join(work, "real/p/environments/dev.yaml"))).toBe(true);
  });

  test("writes the default versions into the base spec", async () => {
    const work = scratchFolder("init");
    await meshops(work, ["init", "--yes"]);
    const { spec } = parse(readFileSync(join(work, "environments/base.yaml"), "utf8"));
    const { linkerd, dgraph } = environmentOf({}).spec;
    expect([spec.linkerd.version, spec.dgraph.chart]).toEqual([linkerd.version, dgraph.chart]);
  });

  test("writes into an empty clone without --force", async () => {
    const work = scratchFolder("init");
    mkdirSync(join(work, ".git"));
    expect((await meshops(work, ["init", "--yes"])).code).toBe(0);
  });

  test.each([
    [["--environments", "Dev"], /an environment cannot be named "Dev"/],
    [["--environments", "base"], /"base" is reserved for the spec that all environments extend/],
    [["--environments", ","], /no environment was specified/],
    [["--git-url", "example.org/p"], /expected an https:\/\/ or ssh:\/\/ URL/],
    [["--branch", "a..b"], /expected a Git branch name/],
    [["--cluster", "own", "--with-client"], /--with-client requires the name of an image/],
    [["--with-client", "example.com/client"], /on AKS, bootstrap builds the image of the test client/],
    [["--cluster", "gke"], /Allowed choices are aks, own/],
  ])("%j is rejected, and nothing is written", async (flags, message) => {
    const work = scratchFolder("init");
    const { code, stderr } = await meshops(work, ["init", "p", "--yes", ...flags]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(work, "p"))).toBe(false);
  });

  test("reports an error if a file already has the name of the folder", async () => {
    const work = scratchFolder("init");
    writeFileSync(join(work, "p"), "");
    expect(await meshops(work, ["init", "p", "--yes"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not a folder"),
    });
  });
});

withProgram("script", "meshops init on a terminal", () => {
  test("repeats a question after an invalid answer", async () => {
    const work = scratchFolder("init");
    const cli = `${process.execPath} ${projectRoot}dist/cli.js init p`;
    const terminal = spawn("script", ["-qec", cli, "/dev/null"], { cwd: work, env: { ...process.env, NO_COLOR: "1" } });
    const answers: [question: RegExp, answer: string][] = [
      [/\(aks\) $/, "gke"],
      [/unknown kind of cluster "gke"[\s\S]*\(aks\) $/, "own"],
      [/\(dev,production\) $/, "Lab"],
      [/cannot be named "Lab"[\s\S]*\(dev,production\) $/, "lab"],
      [/clone this repository \(.*\) $/, ""],
    ];
    let shown = "";
    terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
      // Removes escape sequences, for example those that move the cursor.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with a control character
      shown += text.replace(/\u001b\[[\d;]*[A-Za-z]/g, "");
      const [next] = answers;
      if (next === undefined || !/\) $/.test(shown)) return;
      if (!next[0].test(shown)) return void terminal.kill();
      answers.shift();
      shown = "";
      terminal.stdin.write(`${next[1]}\r`);
    });
    await once(terminal, "close");
    expect(answers).toEqual([]);
    expect(readdirSync(join(work, "p/environments")).sort()).toEqual(["base.yaml", "lab.yaml"]);
  });
});

describe("meshops identity keygen", () => {
  test("without --write, repeated calls print the same keys, until these keys are in the spec", async () => {
    const work = scratchFolder("keygen");
    await meshops(work, ["init", "p", "--yes", "--environments", "dev"]);
    const [root, env] = [join(work, "p"), { SOPS_AGE_KEY_FILE: join(work, "keys.txt") }];
    const keygen = async (...options: string[]): Promise<string> =>
      (await meshops(root, ["identity", "keygen", "dev", ...options], { env })).stdout;
    const count = (): number => readFileSync(env.SOPS_AGE_KEY_FILE, "utf8").match(/AGE-SECRET-KEY-1/g)?.length ?? 0;
    const first = await keygen();
    expect(await keygen()).toBe(first);
    expect(await keygen("--write")).toBe(first);
    expect(count()).toBe(2);
    // The spec now contains the first keys, so keygen creates new keys. With --force, keygen always creates new keys.
    const second = await keygen();
    expect(second).not.toBe(first);
    const third = await keygen("--write", "--force");
    expect([first, second]).not.toContain(third);
    expect(await keygen()).toBe(second);
    expect(count()).toBe(6);
  });
});

describe("meshops identity keygen --write", () => {
  test("appends the recipients to the spec, and replaces existing recipients only with --force", async () => {
    const work = scratchFolder("keygen");
    await meshops(work, ["init", "p", "--yes", "--environments", "dev"]);
    const [root, env] = [join(work, "p"), { SOPS_AGE_KEY_FILE: join(work, "keys.txt") }];
    const spec = (): string => readFileSync(join(root, "environments/dev.yaml"), "utf8");
    const before = spec();
    const { code, stdout } = await meshops(root, ["identity", "keygen", "dev", "--write"], { env });
    expect(code).toBe(0);
    expect(spec().startsWith(before)).toBe(true);
    expect(field(parse(spec()), "spec", "secrets")).toEqual(field(parse(stdout), "secrets"));
    expect((await meshops(root, ["validate"], { env })).stdout).not.toContain("missing-key");
    const keys = readFileSync(env.SOPS_AGE_KEY_FILE, "utf8");
    const again = await meshops(root, ["identity", "keygen", "dev", "--write"], { env });
    expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("already contains recipients") });
    expect(readFileSync(env.SOPS_AGE_KEY_FILE, "utf8")).toBe(keys);
    expect((await meshops(root, ["identity", "keygen", "dev", "--write", "--force"], { env })).code).toBe(0);
    expect(spec()).not.toContain(field(parse(stdout), "secrets", "age", 0));
  });
});
