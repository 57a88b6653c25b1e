import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { version } from "../../generator/system/version.ts";
import { meshops } from "../support/cli.ts";
import { type Frozen, thaw } from "../support/frozen.ts";
import { readTree, scratchFolder } from "../support/platform.ts";
import { run } from "../support/tools.ts";

/* Tests updates of meshops. The current commands run in a copy of a repository that an older version has generated. */

const environments = ["dev", "production", "own"] as const;

describe("a repository that was generated at commit 1e5175a", () => {
  let frozen: Frozen;
  beforeAll(async () => {
    frozen = await thaw("1e5175a");
  });
  const here = (...args: string[]): ReturnType<typeof meshops> => meshops(frozen.root, args, { env: frozen.env });
  const git = (...args: string[]): Promise<string> => run("git", args, { cwd: frozen.root, env: frozen.env });

  test("is invalid until the webhook keys are renewed, because the policy controller cannot read their old format", async () => {
    const found = await here("validate");
    expect(found.code).toBe(1);
    const codes = [...found.stdout.matchAll(/^\S+ (?:error|warning) (\S+)$/gm)].map(([, code]) => code);
    expect(new Set(codes)).toEqual(new Set(["webhook-key-form", "client-sources-missing"]));
    expect(found.stdout).toContain("fix: run meshops identity rotate-webhooks dev");
    expect((await here("generate")).code).toBe(1);
    expect(await git("status", "--porcelain")).toBe("");
  });

  test("is valid after the fix and one run of generate; generate prints the upgrade notes once, and the hook accepts the commit", async () => {
    for (const name of environments) expect((await here("identity", "rotate-webhooks", name)).code).toBe(0);
    // Applies the fix of the finding `client-sources-missing`. The old version did not copy the sources of the test
    // client.
    expect(await here("init", ".", "--keep", "--with-client", "--yes")).toMatchObject({ code: 0 });
    expect(existsSync(join(frozen.root, "clients/pydgraph/Dockerfile"))).toBe(true);
    const first = await here("generate");
    expect(first).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^when you upgrade to meshops 0\.2\.0:\n {2}- Dgraph's pods restart once/),
    });
    expect(first.stdout).toContain("update  .githooks/pre-commit\n");
    expect(first.stdout).toContain("update  bases/identity/apply.sh\n");
    expect(statSync(join(frozen.root, "bases/identity/apply.sh")).mode & 0o111).not.toBe(0);
    for (const name of [...environments, "_scaffold"])
      expect(JSON.parse(readFileSync(join(frozen.root, `.meshops/${name}.json`), "utf8"))).toMatchObject({ version });
    expect(await here("generate")).toMatchObject({ code: 0, stderr: "" });
    expect((await here("diff", "--scaffold")).stdout).toBe("");
    expect(await here("validate")).toMatchObject({ code: 0, stderr: "" });
    await git("add", "-A");
    await git("commit", "-q", "-m", "Update meshops");
    expect(await git("status", "--porcelain")).toBe("");
  });

  test("has workflows whose scripts succeed", async () => {
    const scripts = (file: string, job: string): string[] => {
      const { jobs } = parse(readFileSync(join(frozen.root, ".github/workflows", file), "utf8"));
      return (jobs[job].steps as { run?: string }[]).flatMap(({ run: script }) => script ?? []);
    };
    const summary = join(scratchFolder("summary"), "summary.md");
    const [, ...checks] = [...scripts("meshops.yml", "check")];
    const [, expiry] = scripts("certificates.yml", "expiry");
    expect(checks).toHaveLength(4);
    for (const script of [...checks, expiry ?? "false"])
      await run("bash", ["-e", "-c", script], { cwd: frozen.root, env: { ...frozen.env, GITHUB_STEP_SUMMARY: summary } });
    expect(readFileSync(summary, "utf8")).toContain("rollout");
  });
});

describe("files that init has written", () => {
  const apply = "bases/identity/apply.sh";
  const hook = ".githooks/pre-commit";
  let frozen: Frozen;
  beforeAll(async () => {
    frozen = await thaw("1e5175a");
    for (const path of [apply, hook]) appendFileSync(join(frozen.root, path), "# edited\n");
    for (const name of environments) await here("identity", "rotate-webhooks", name);
    expect((await here("generate")).code).toBe(0);
  });
  const here = (...args: string[]): ReturnType<typeof meshops> => meshops(frozen.root, args, { env: frozen.env });
  const text = (path: string): string => readFileSync(join(frozen.root, path), "utf8");

  test("are kept if a user edited them; validate reports an error for apply.sh, and a warning for the hook", async () => {
    for (const path of [apply, hook]) expect(text(path)).toMatch(/# edited\n$/);
    const { code, stdout } = await here("validate");
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${apply}:1:1 error scaffold-outdated\n  this file can lack changes of meshops ${version}, because meshops does not overwrite edited files; without these changes, helmfile stops`,
    );
    expect(stdout).toContain(`${hook}:1:1 warning scaffold-outdated\n`);
    expect(stdout).toContain("fix: run meshops diff --scaffold to see the changes");
  });

  test("can be updated with the patch that diff --scaffold prints, edited again, and then accepted", async () => {
    const { code, stdout: patch } = await here("diff", "--scaffold");
    expect(code).toBe(1);
    // Accepts the files, but does not apply the patch. Therefore apply.sh lacks a required change, and validate still
    // reports an error.
    expect((await here("generate", "--accept-scaffold")).code).toBe(0);
    expect((await here("validate")).stdout).toContain(`${apply}:1:1 error scaffold-outdated`);
    const file = join(scratchFolder("patch"), "scaffold.patch");
    writeFileSync(file, patch);
    await run("git", ["apply", file], { cwd: frozen.root, env: frozen.env });
    for (const path of [apply, hook]) appendFileSync(join(frozen.root, path), "# edited\n");
    expect(text(apply)).toContain("--force-conflicts");
    expect((await here("generate", "--accept-scaffold")).code).toBe(0);
    expect(await here("validate")).toMatchObject({ code: 0, stdout: expect.not.stringContaining("scaffold-outdated") });
    expect((await here("generate", "--check")).code).toBe(0);
  });
});

test("an older meshops refuses files of a newer meshops, because it would undo the changes of the newer version", async () => {
  const { root, env } = await thaw("1e5175a");
  const here = (...args: string[]): ReturnType<typeof meshops> => meshops(root, args, { env });
  for (const name of environments) await here("identity", "rotate-webhooks", name);
  expect((await here("generate")).code).toBe(0);
  const inventory = join(root, ".meshops/dev.json");
  writeFileSync(inventory, readFileSync(inventory, "utf8").replace(`"version": "${version}"`, '"version": "99.1.0"'));
  const before = readTree(root);
  for (const args of [["generate"], ["generate", "--check"], ["generate", "--force"]])
    expect(await here(...args)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `meshops: .meshops/dev.json: meshops 99.1.0 generated the files that this inventory lists, but you are running the older version ${version}\nfix: npm install --save-dev meshops@99.1.0\n`,
      ),
    });
  expect(readTree(root)).toEqual(before);
});
