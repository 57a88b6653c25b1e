import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { makePlatform } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * The files in test/stories/graph contain the Mermaid output of `meshops graph`. To rewrite them, set UPDATE=1. Then
 * review the files in a viewer that renders Mermaid.
 */
const folder = join(projectRoot, "test/stories/graph");

const specs: Readonly<Record<string, string>> = {
  usual: specText({}, "usual"),
  open: specText({ dgraph: { networkPolicy: false } }, "open"),
  older: specText(
    {
      linkerd: { version: "stable-2.14.10", viz: { enabled: false } },
      dgraph: { internalPorts: "skip", clients: [{ namespace: "reports", serviceAccount: "nightly", ports: ["http"] }] },
      pydgraphClient: { enabled: false },
    },
    "older",
  ),
};

describe("meshops graph prints", () => {
  test.each([
    ["an environment", "usual.md", ["usual"]],
    ["an environment without a policy", "open.md", ["open", "--show", "traffic"]],
    ["an environment with an older Linkerd and internal ports that skip the proxy", "older.md", ["older", "--show", "traffic"]],
    ["two environments side by side, with differences marked in both", "usual-older.md", ["usual", "older"]],
  ])("%s", async (_, file, args) => {
    const { code, stdout } = await meshops(makePlatform(specs), ["graph", ...args]);
    expect(code).toBe(0);
    if (process.env["UPDATE"] === "1") writeFileSync(join(folder, file), stdout);
    expect(existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "").toBe(stdout);
  });

  test.each([
    [[], 2, /missing required argument/],
    [["usual", "usual"], 2, /two different environments/],
    [["usual", "open", "older"], 2, /too many arguments/],
    [["nobody"], 2, /environment "nobody" does not exist/],
  ])("%j is rejected", async (args, code, message) => {
    const finished = await meshops(makePlatform(specs), ["graph", ...args]);
    expect(finished).toMatchObject({ code, stdout: "" });
    expect(finished.stderr).toMatch(message);
  });
});
