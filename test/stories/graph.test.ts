import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { makePlatform } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot } from "../support/tools.ts";

/*
 * What `meshops graph` draws, as the mermaid text that it prints. UPDATE=1 rewrites the files; look at them on a page that draws mermaid.
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

describe("meshops graph draws", () => {
  test.each([
    ["an environment", "usual.md", ["usual"]],
    ["one without a policy", "open.md", ["open", "--show", "traffic"]],
    ["one of an older Linkerd, whose internal ports skip the proxy", "older.md", ["older", "--show", "traffic"]],
    ["two beside each other, what differs marked in both", "usual-older.md", ["usual", "older"]],
  ])("%s", async (_, file, args) => {
    const { code, stdout } = await meshops(makePlatform(specs), ["graph", ...args]);
    expect(code).toBe(0);
    if (process.env["UPDATE"] === "1") writeFileSync(join(folder, file), stdout);
    expect(existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "").toBe(stdout);
  });

  test.each([
    [[], 2, /missing required argument/],
    [["usual", "usual"], 2, /two different ones/],
    [["usual", "open", "older"], 2, /too many arguments/],
    [["nobody"], 2, /there is no environment "nobody"/],
  ])("%j is refused", async (args, code, told) => {
    const finished = await meshops(makePlatform(specs), ["graph", ...args]);
    expect(finished).toMatchObject({ code, stdout: "" });
    expect(finished.stderr).toMatch(told);
  });
});
