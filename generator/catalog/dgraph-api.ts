/**
 * Dgraph's gRPC API on Alpha's port 9080.
 *
 * Source: dgo, protos/api.proto at the tag that matches the server. The file does not set `idempotency_level`. The
 * methods that are marked idempotent here do not write. `Query` is not marked idempotent, because a call of `Query` can
 * also contain and commit mutations.
 */
import type { GrpcMethod, GrpcService } from "./grpc.ts";

/** API of v21.03 to v24 (dgo v210.03.0, v230.0.1 and v240.1.0 have the same methods). */
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
 * API of v25 (dgo v250.0.0). The chart in the catalog runs v25.0.0-preview6. In this version, the newest methods are in
 * a separate service, `api.v2.Dgraph`. v25.0.0 removed that service. If a server does not have a method, the route for
 * this method has no effect.
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
