import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import AjvDraft04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import picocolors from "picocolors";
import { beforeAll, describe, expect, test } from "vitest";
import { formatted } from "../../generator/commands/validate/formats.ts";
import type { Diagnostic } from "../../generator/diagnostics/diagnostic.ts";
import { toGithub } from "../../generator/diagnostics/github.ts";
import { manifestRules } from "../../generator/lint/manifests.ts";
import { meshops } from "../support/cli.ts";
import { field } from "../support/objects.ts";
import { makePlatform } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

const require = createRequire(import.meta.url);

/**
 * Returns a validator for the published schema of SARIF 2.1.0, which uses JSON Schema draft 04. The validator does not
 * use Unicode mode for patterns, because the patterns of the schema are not valid in Unicode mode.
 */
function sarifValidator(): (log: unknown) => boolean {
  const schema = JSON.parse(
    readFileSync(require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"), "utf8"),
  ) as object;
  const ajv = new AjvDraft04.default({ strict: false, unicodeRegExp: false });
  addFormats.default(ajv as unknown as Parameters<typeof addFormats.default>[0]);
  return ajv.compile(schema);
}

const plain = picocolors.createColors(false);
const finding: Diagnostic = {
  file: "environments/50% off.yaml",
  line: 3,
  column: 5,
  code: "webhook-policy-fail",
  severity: "warning",
  message: "one, two: three",
  expected: "50%\nor so",
  fix: "try it",
  excerpt: { text: "    word", length: 4 },
};

const same = (file: string): string => file;

describe("validate --output sarif", () => {
  let root: string;
  beforeAll(() => {
    const ignore = [{ code: "webhook-policy-fail", reason: "the injector has nodes of its own" }];
    root = makePlatform({
      bad: specText({ linkerd: { version: "edge-1" }, dgraph: { zero: { replicas: 2 } } }, "bad"),
      fail: specText({ linkerd: { webhookFailurePolicy: "Fail" }, rules: { ignore } }, "fail"),
      even: specText({ dgraph: { zero: { replicas: 2 }, internalPorts: "skip" } }, "even"),
    });
  });

  test("the output is valid against the published schema, and contains rules, locations and suppressions", async () => {
    const { code, stdout, stderr } = await meshops(root, ["validate", "--output", "sarif"]);
    expect([code, stderr]).toEqual([1, ""]);
    const log = JSON.parse(stdout) as unknown;
    const valid = sarifValidator();
    expect(valid(log)).toBe(true);
    expect(valid({ ...(log as object), version: "2.0.0" })).toBe(false);
    const [run] = (log as { runs: Record<string, unknown>[] }).runs;
    const results = run?.["results"] as Record<string, unknown>[];
    expect(results.map(({ ruleId, level }) => `${ruleId} ${level}`)).toEqual([
      "bad-format error",
      "dgraph-zero-even error",
      "internal-ports-skipped warning",
      "webhook-policy-fail warning",
    ]);
    const rules = field(run, "tool", "driver", "rules") as Record<string, unknown>[];
    for (const result of results) expect(rules[Number(result["ruleIndex"])]?.["id"]).toBe(result["ruleId"]);
    expect(results[3]?.["suppressions"]).toEqual([{ kind: "inSource", justification: "the injector has nodes of its own" }]);
    expect(field(results[1], "locations", 0, "physicalLocation", "artifactLocation", "uri")).toBe("environments/even.yaml");
  });

  test("the output is valid without findings, and with one finding of every rule about manifests", () => {
    const valid = sarifValidator();
    expect(valid(JSON.parse(formatted([], "sarif", plain, same)))).toBe(true);
    const all = manifestRules.map(({ code, severity }): Diagnostic => ({ ...finding, code, severity }));
    const log = JSON.parse(formatted(all, "sarif", plain, same)) as unknown;
    expect(valid(log)).toBe(true);
    expect(field(log, "runs", 0, "results", 0, "locations", 0, "physicalLocation", "artifactLocation", "uri")).toBe(
      "environments/50%25%20off.yaml",
    );
  });
});

describe("validate --output github", () => {
  test("prints paths of files relative to the working directory, not to the platform repository", async () => {
    const root = makePlatform({ even: specText({ dgraph: { zero: { replicas: 2 } } }, "even") });
    const { stdout } = await meshops(join(root, ".."), ["-C", basename(root), "validate", "-o", "github"]);
    expect(stdout).toContain(`file=${basename(root)}/environments/even.yaml,`);
  });

  test("escapes characters that would end a property or a line", () => {
    expect(toGithub([finding])).toBe(
      "::warning title=meshops webhook-policy-fail,file=environments/50%25 off.yaml,line=3,col=5,endColumn=9::one, two: three; expected 50%25%0Aor so%0Afix: try it\n",
    );
  });

  test("prints a silenced finding as a notice with its reason", () => {
    expect(toGithub([{ ...finding, file: "a,b:c.yaml", excerpt: null, expected: null, silenced: "known" }])).toBe(
      "::notice title=meshops webhook-policy-fail,file=a%2Cb%3Ac.yaml,line=3,col=5::one, two: three%0Asilenced: known\n",
    );
  });
});
