import { join } from "node:path";
import { expect, test } from "vitest";
import { type Probe, probePod, readProbe } from "../../generator/cluster/verify/probe.ts";
import { alphaAddresses } from "../../generator/components/dgraph/access-target.ts";
import { dgraphChecks } from "../../generator/components/dgraph/checks.ts";
import { pydgraph } from "../../scripts/tools/paths.ts";
import { whereOnPath, withPydgraph, withTools } from "../support/guards.ts";
import { environmentOf } from "../support/specs.ts";
import { projectRoot, run, tool } from "../support/tools.ts";
import { startDgraph } from "./real-dgraph.ts";

withPydgraph("verify's checks of Dgraph", () =>
  withTools(["grpcurl"], "with grpcurl", () =>
    whereOnPath("dgraph", "with a real Dgraph", () => {
      test("all checks of Dgraph except D5 pass with the results of a real probe command", async () => {
        const environment = environmentOf({ dgraph: { alpha: { replicas: 1 }, zero: { replicas: 1 } } });
        const checks = dgraphChecks(environment);
        const state = { pods: [] } as never;
        const settings = { now: new Date(), token: "token" };
        const named = checks.flatMap((check) => check.calls(state, settings)).map((call) => [call.name, call] as const);
        const calls = [...new Map(named).values()];
        const probe: Probe = {
          name: "p",
          namespace: "n",
          serviceAccount: "s",
          meshed: true,
          calls,
          protoVariable: "DGRAPH_PROTO",
        };
        const { http, grpc, stop } = await startDgraph();
        const addresses = alphaAddresses(environment);
        const { spec } = probePod(probe, "image", "run", 60) as unknown as { spec: { containers: { command: string[] }[] } };
        const words = (spec.containers[0]?.command ?? []).map((word) =>
          word === addresses.http ? http : word === addresses.grpc ? grpc : word,
        );
        const [command = "sh", ...args] = words;
        const path = [join(pydgraph, "bin"), join(tool("grpcurl"), ".."), process.env["PATH"]].join(":");
        const env = {
          PATH: path,
          PROTO_VARIABLE: "DGRAPH_PROTO",
          DGRAPH_PROTO: join(projectRoot, "test/client/api.proto"),
          PROXY_ADMIN: "127.0.0.1:1",
        };
        const log = await run(command, args, { env: { ...env, CONNECT_SECONDS: "4", ANSWER_SECONDS: "8" } });
        stop();
        const done = { results: readProbe(log), trouble: null, notes: [] };
        for (const check of checks.filter(({ id }) => id !== "D5"))
          expect(check.evaluate(state, settings, done), check.id).toMatchObject({ status: "passed" });
        expect(done.results.get("spread")?.exit).toBe(0);
      }, 120_000);
    }),
  ),
);
