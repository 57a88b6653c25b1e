import { dgraphPorts } from "../../catalog/dgraph.ts";
import { hostOf } from "../../mesh/service.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { AccessTarget, Call } from "../check.ts";
import { alphaService } from "./names.ts";
import { dgraphPods } from "./pods.ts";

/** Addresses of Alpha to which clients connect. */
export function alphaAddresses(environment: Environment): { readonly http: string; readonly grpc: string } {
  const host = hostOf(alphaService(environment));
  return { http: `${host}:${dgraphPorts.alpha.http}`, grpc: `${host}:${dgraphPorts.alpha.grpc}` };
}

/**
 * Access target for Alpha. The calls `/health` (HTTP) and `CheckVersion` (gRPC) are from the article "AKS with Linkerd
 * Service Mesh". The guarded HTTP call requests `/state`, because this path is not a probe path.
 */
export function dgraphAccess(environment: Environment): AccessTarget {
  const { http, grpc } = alphaAddresses(environment);
  const [pods] = dgraphPods(environment);
  const get = (path: string): Call => ({ kind: "http", name: "http", address: http, path });
  const version: Call = { kind: "grpc", name: "grpc", address: grpc, method: "api.Dgraph/CheckVersion", request: "{}" };
  return {
    title: "Dgraph",
    podTitle: "Alpha",
    pods,
    host: hostOf(alphaService(environment)),
    open: [get("/health"), version],
    guarded: [get("/state"), version],
    protoVariable: "DGRAPH_PROTO",
    policyComponent: "dgraph-policy",
    fields: { policy: "dgraph.networkPolicy", clients: "dgraph.clients" },
  };
}
