import type { Environment } from "../../spec/environment.generated.ts";
import { duration } from "../../system/text.ts";
import type { Call, ProbeCheck } from "../check.ts";
import { alphaAddresses } from "./access-target.ts";
import { membersHealthy } from "./check-members.ts";
import { predicate, readWorks, writeWorks } from "./check-queries.ts";
import { callsSpread, readyPods, spreadSeconds } from "./check-spread.ts";
import { dgraphPods } from "./pods.ts";

/** Tests of Dgraph. A probe makes the calls of these tests with the identity of a listed client. */
export function dgraphChecks(environment: Environment): readonly ProbeCheck[] {
  const { dgraph } = environment.spec;
  const { http, grpc } = alphaAddresses(environment);
  const [alpha] = dgraphPods(environment);
  const state: Call = { kind: "http", name: "state", address: http, path: "/state" };
  const method = (name: string, of: string, request: object): Call => ({
    kind: "grpc",
    name,
    address: grpc,
    method: `api.Dgraph/${of}`,
    request: JSON.stringify(request),
  });
  return [
    {
      id: "D1",
      title: "Zeros form a quorum",
      expected: "all Zeros are alive, and one Zero is the leader",
      calls: () => [state],
      evaluate: (_, __, answers) => membersHealthy(answers, "zero", dgraph.zero.replicas),
    },
    {
      id: "D2",
      title: "Alphas are members of their group",
      expected: "all Alphas are alive, and each group has a leader",
      calls: () => [state],
      evaluate: (_, __, answers) => membersHealthy(answers, "alpha", dgraph.alpha.replicas),
    },
    {
      id: "D3",
      title: "a client can read from Dgraph",
      expected: "Dgraph answers a query",
      calls: () => [method("read", "Query", { query: "{ q(func: has(dgraph.type), first: 1) { uid } }", readOnly: true })],
      evaluate: (_, __, answers) => readWorks(answers),
    },
    {
      id: "D4",
      title: "a client can write to Dgraph",
      expected: "a value is written, read back and removed",
      calls: (_, { token }) => (token === null ? [] : writeCalls(token, method)),
      evaluate: (_, { token }, answers) => writeWorks(answers, token),
    },
    {
      id: "D5",
      title: "gRPC calls are spread over all Alphas",
      expected: `more than one Alpha answers in the first second, and all Alphas answer within ${duration(spreadSeconds * 1000)}`,
      calls: (cluster) => [
        {
          kind: "spread",
          name: "spread",
          address: grpc,
          method: "api.Dgraph/CheckVersion",
          seconds: spreadSeconds,
          endpoints: readyPods(cluster, alpha),
        },
      ],
      evaluate: (cluster, _, answers) => callsSpread(answers, cluster, alpha),
    },
  ];
}

function writeCalls(token: string, method: (name: string, of: string, request: object) => Call): Call[] {
  const quads = Buffer.from(`_:probe <${predicate}> "${token}" .`).toString("base64");
  return [
    method("write", "Query", { mutations: [{ setNquads: quads }], commitNow: true }),
    method("reread", "Query", { query: `{ q(func: has(${predicate})) { v: ${predicate} } }`, readOnly: true }),
    method("forget", "Alter", { dropAttr: predicate }),
  ];
}
