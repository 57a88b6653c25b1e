import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import {
  allowedResult,
  baselineResult,
  forgedResult,
  unlistedResult,
  unmeshedResult,
} from "../../generator/cluster/verify/access.ts";
import { linkerdChecks } from "../../generator/cluster/verify/linkerd-cli.ts";
import { readProbe } from "../../generator/cluster/verify/probe.ts";
import { probeScript } from "../../generator/cluster/verify/probe-script.ts";
import type { TestResult } from "../../generator/cluster/verify/result.ts";
import { chosen, targetOf, testsOf } from "../../generator/cluster/verify/tests.ts";
import { html, junit, reportOf } from "../../generator/commands/verify/render-tests.ts";
import { buildModel } from "../../generator/components/build.ts";
import type { AccessTarget } from "../../generator/components/check.ts";
import { failed, passed, undecided } from "../../generator/components/check-result.ts";
import type { Model } from "../../generator/components/model.ts";
import { outcomeOf } from "../../generator/components/outcome.ts";
import { withProgram } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { run } from "../support/tools.ts";

const model = buildModel({ environment: environmentOf(), identity: sampleIdentity() });
const path = process.env["PATH"];
afterEach(() => {
  process.env["PATH"] = path;
});

/** Adds a program `linkerd` to the PATH. The program prints the given text and exits with the given exit code. */
function linkerd(text: string, code: number): void {
  const folder = scratchFolder("linkerd");
  writeFileSync(join(folder, "answer"), text);
  writeFileSync(join(folder, "linkerd"), `#!/bin/sh\ncat "${join(folder, "answer")}"\nexit ${code}\n`);
  chmodSync(join(folder, "linkerd"), 0o755);
  process.env["PATH"] = `${folder}:${path}`;
}

const checks = (success: boolean, ...results: string[]): string =>
  JSON.stringify(
    {
      success,
      categories: [
        { categoryName: "c", checks: results.map((result) => ({ description: `is ${result}`, error: "e", hint: "h", result })) },
      ],
    },
    null,
    2,
  );

test("linkerdChecks reads output with several documents, because linkerd check prints one more document per extension", async () => {
  const { signal } = new AbortController();
  linkerd(`${checks(true, "success", "warning")}\n${checks(true, "success")}\n`, 0);
  expect(await linkerdChecks("c", signal)).toMatchObject({ status: "passed", seen: "3 checks, 1 warnings" });
  linkerd(`${checks(true, "success")}\n${checks(false, "error")}\n`, 1);
  expect(await linkerdChecks("c", signal)).toMatchObject({ status: "failed", cause: "is error: e h" });
  linkerd("", 1);
  expect(await linkerdChecks("c", signal)).toMatchObject({ status: "undecided" });
  process.env["PATH"] = "/nowhere";
  expect(await linkerdChecks("c", signal)).toMatchObject({ status: "skipped" });
});

test.each([
  ["http", 0, "HTTP/1.1 200 OK", "answered"],
  ["http", 0, "HTTP/1.1 403 Forbidden", "denied"],
  ["http", 0, "HTTP/1.1 504 Gateway Timeout", "broken"],
  ["http", 28, "curl: (28) Connection timed out", "silent"],
  ["http", 52, "curl: (52) Empty reply from server", "silent"],
  ["http", 6, "curl: (6) Could not resolve host", "broken"],
  ["grpc", 0, "{}", "answered"],
  ["grpc", 71, "Code: PermissionDenied", "denied"],
  ["grpc", 1, "Failed to dial target host", "silent"],
  ["grpc", 78, "Code: Unavailable", "broken"],
] as const)("the outcome of a call with %s, exit code %d and output %s is %s", (kind, exit, output, expected) => {
  expect(outcomeOf(kind, { name: "x", exit, output })).toBe(expected);
});

test("readProbe ignores unrelated and incomplete lines of a probe's log", () => {
  const output = Buffer.from("HTTP/1.1 200 OK\r\n\r\n{}").toString("base64");
  const read = readProbe(`noise\nmeshops-probe http 0 ${output}\nmeshops-probe grpc 1 \nmeshops-probe half`);
  expect([...read.keys()]).toEqual(["http", "grpc"]);
  expect(read.get("http")?.output).toContain("200 OK");
});

test("--only accepts IDs of tests and the beginnings of IDs", () => {
  const tests = testsOf(model);
  expect([...(chosen(["t2", "M1"], tests) ?? [])]).toEqual(["T2a", "T2b", "T2c", "M1"]);
  expect(chosen(["T9"], tests)).toBeNull();
});

test("testsOf returns the tests of all components of an environment in a fixed order", () => {
  const ids = (of: Model): string =>
    testsOf(of)
      .map(({ id }) => id)
      .join(" ");
  expect(ids(model)).toBe("T0 T1 T2a T2b T2c T3 M1 M2 M3 M4 M5 M6 M8 D1 D2 D3 D4 D5");
  const traced = environmentOf({ linkerd: { jaeger: { enabled: true }, viz: { enabled: false } } });
  expect(ids(buildModel({ environment: traced, identity: sampleIdentity() }))).toBe(
    "T0 T1 T2a T2b T2c T3 M1 M2 M3 M4 M5 M7 M8 D1 D2 D3 D4 D5",
  );
});

withProgram("shellcheck", "the probes' script", () => {
  test("passes shellcheck", async () => {
    const file = join(scratchFolder("probe"), "probe.sh");
    writeFileSync(file, `#!/bin/sh${probeScript}`);
    // SC2317 and SC2329 report code and functions that seem to be unused. The test excludes them, because the script
    // calls functions whose names are arguments of the script.
    await run("shellcheck", ["--exclude=SC2317,SC2329", file]);
  });
});

const result = (id: string, finding: ReturnType<typeof passed>): TestResult => ({
  id,
  title: "a < b",
  expected: "x",
  durationMs: 1500,
  ...finding,
});

test("the HTML report and the JUnit report escape text from the cluster", async () => {
  const evil = '</pre><script>alert("1")</script>\u0001';
  const report = reportOf("dev", [
    result("T1", passed("fine")),
    result("T2a", failed("no", evil, [evil])),
    result("T3", undecided("?", "why")),
  ]);
  expect(report.passed).toBe(false);
  const page = await html(report, "context", "2026-11-25T00:00:00Z", targetOf(model));
  expect(page).not.toContain("<script>");
  expect(page).toContain("refused, must be allowed");
  expect(page).toContain("reason:</span> &lt;/pre&gt;");
  const xml = junit(report);
  expect(xml).toContain('tests="3" failures="1" errors="1" skipped="0"');
  expect(xml).toContain("&lt;script&gt;");
  expect(xml).not.toContain("\u0001");
});

test("if a probe made no call, the result is undecided", () => {
  const target = targetOf(model) as AccessTarget;
  const scene = { state: { pods: [], policies: [] } as never, target };
  const probe = { name: "p", namespace: "n", serviceAccount: "s", meshed: false, calls: target.guarded, protoVariable: "PROTO" };
  for (const trouble of ["no node", null]) {
    const none = { probe, pod: null, results: new Map(), trouble, notes: [] };
    for (const judge of [allowedResult, unlistedResult, forgedResult, unmeshedResult, baselineResult])
      expect(judge(none, scene).status, judge.name).toBe("undecided");
  }
});
