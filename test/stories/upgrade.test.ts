import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { meshops } from "../support/cli.ts";
import { type Frozen, thaw } from "../support/frozen.ts";
import { scratchFolder } from "../support/platform.ts";
import { run } from "../support/tools.ts";

/* What somebody sees who updates meshops: today's commands on repositories that older versions made. */

const environments = ["dev", "production", "own"] as const;

describe("a repository of 1e5175a", () => {
  let frozen: Frozen;
  beforeAll(async () => {
    frozen = await thaw("1e5175a");
  });
  const here = (...args: string[]): ReturnType<typeof meshops> => meshops(frozen.root, args, { env: frozen.env });
  const git = (...args: string[]): Promise<string> => run("git", args, { cwd: frozen.root, env: frozen.env });

  test("is refused with the fix: webhook keys that the policy controller cannot read", async () => {
    const found = await here("validate");
    expect(found.code).toBe(1);
    const codes = [...found.stdout.matchAll(/^\S+ (?:error|warning) (\S+)$/gm)].map(([, code]) => code);
    expect(new Set(codes)).toEqual(new Set(["webhook-key-form"]));
    expect(found.stdout).toContain("fix: meshops identity rotate-webhooks dev");
    expect((await here("generate")).code).toBe(1);
    expect(await git("status", "--porcelain")).toBe("");
  });

  test("is right after the fix and one generate, and the hook that it has takes the commit", async () => {
    for (const name of environments) expect((await here("identity", "rotate-webhooks", name)).code).toBe(0);
    expect((await here("generate")).code).toBe(0);
    expect(await here("validate")).toMatchObject({ code: 0, stderr: "" });
    await git("add", "-A");
    await git("commit", "-q", "-m", "Update meshops");
    expect(await git("status", "--porcelain")).toBe("");
  });

  test("has workflows that pass", async () => {
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
