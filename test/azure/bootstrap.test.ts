import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withAzureCli } from "../support/tools.ts";
import { AzServer } from "./az.ts";
import { makeSite, printedScript, runScript, type Site } from "./platform.ts";

withAzureCli("bootstrap with the real az against a stand-in for Azure", () => {
  let server: AzServer;
  let site: Site;
  let script: string;
  beforeAll(async () => {
    server = new AzServer();
    await server.ready();
    site = await makeSite(server);
    script = await printedScript(site, "bootstrap");
  });
  afterAll(async () => {
    await site.cloud.stop();
    server.stop();
  });

  test("from nothing to a cluster that Flux fills, and once more without a change", async () => {
    const first = await runScript(site, script);
    console.log(first.stderr, first.calls.map((c) => c.join(" ")).join("\n"));
    expect(first).toMatchObject({ code: 0 });
    const state = site.cloud.state.summary();
    const second = await runScript(site, script);
    console.log(second.stderr, JSON.stringify(state, null, 1));
    expect(second.code).toBe(0);
    expect(site.cloud.state.summary()).toEqual(state);
    expect(site.cloud.unknown).toEqual([]);
  });
});
