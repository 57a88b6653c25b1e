/**
 * Dgraph's gRPC API, as clients see it on Alpha's port 9080.
 *
 * Source: dgo, protos/api.proto at the tag that goes with the server. The file states no `idempotency_level`; what is idempotent
 * here only reads. `Query` is not: it carries mutations too, and may commit them.
 */
import type { GrpcMethod, GrpcService } from "./grpc.ts";

/** v21.03 to v24 (dgo v210.03.0, v230.0.1 and v240.1.0 have the same methods). */
export const dgraphApi21: GrpcService = {
  name: "api.Dgraph",
  methods: [
    method("Login"),
    method("Query"),
    method("Alter"),
    method("CommitOrAbort"),
    method("CheckVersion", { idempotent: true }),
  ],
};

/**
 * v25 (dgo v250.0.0). The preview6 that the chart runs still has the later methods in a service of their own, `api.v2.Dgraph`,
 * which v25.0.0 dropped; a route for a method that a server lacks matches nothing.
 */
export const dgraphApi25: GrpcService = {
  name: dgraphApi21.name,
  methods: [
    ...dgraphApi21.methods,
    method("RunDQL"),
    method("AllocateIDs"),
    method("UpdateExtSnapshotStreamingState"),
    method("StreamExtSnapshot", { streaming: true }),
    method("CreateNamespace"),
    method("DropNamespace"),
    method("ListNamespaces", { idempotent: true }),
  ],
};

function method(name: string, traits: Partial<GrpcMethod> = {}): GrpcMethod {
  return { name, streaming: false, idempotent: false, ...traits };
}
