import type { IdentityObjects } from "../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Installation } from "../mesh/attempt.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { CheckResult } from "./check-result.ts";

/**
 * The state of a cluster when the tests start. A field is null if the user is not allowed to read the objects that the
 * field contains.
 */
export interface ClusterState {
  readonly installation: Installation;
  /** Sets of pods that the environment's components define. */
  readonly podSets: readonly PodSet[];
  /** NetworkPolicies, Servers, AuthorizationPolicies and MeshTLSAuthentications. */
  readonly policies: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  readonly namespaces: readonly KubernetesObject[];
  readonly workloads: readonly KubernetesObject[];
  /** Certificates and Secrets of the mesh. */
  readonly identity: IdentityObjects;
  /** Running meshed pods of all namespaces; null if the user is not allowed to list them. */
  readonly meshed: readonly KubernetesObject[] | null;
  readonly webhooks: readonly KubernetesObject[] | null;
  readonly apiServices: readonly KubernetesObject[];
  readonly profiles: readonly KubernetesObject[];
}

/** A call that a probe makes. Addresses have the form `host:port`. */
export type Call =
  | { readonly kind: "http"; readonly name: string; readonly address: string; readonly path: string }
  /** Request over HTTP/2 without TLS. If `grpc` is true, the request calls a gRPC method that does not exist. */
  | { readonly kind: "http2"; readonly name: string; readonly address: string; readonly grpc: boolean }
  /** Connection without a request. The result shows whether the connection stays open. */
  | { readonly kind: "tcp"; readonly name: string; readonly address: string }
  /** TLS handshake, without a check of the certificate. */
  | { readonly kind: "tls"; readonly name: string; readonly address: string }
  | { readonly kind: "grpc"; readonly name: string; readonly address: string; readonly method: string; readonly request: string }
  /**
   * Repeated calls of a unary gRPC method without arguments, over one connection and with pauses between the calls. The
   * result shows how the probe's proxy distributed the calls over the endpoints. The calls continue for at least one
   * second. They then end as soon as each endpoint has answered, and at the latest after `seconds`.
   */
  | {
      readonly kind: "spread";
      readonly name: string;
      readonly address: string;
      /** `package.Service/Method`. */
      readonly method: string;
      readonly seconds: number;
      /** Names of the pods that should answer. */
      readonly endpoints: readonly string[];
    };

/** Result of a call: the exit code and the complete output of curl or grpcurl. */
export interface CallResult {
  readonly name: string;
  readonly exit: number;
  readonly output: string;
}

/** Results of a probe's calls. */
export interface ProbeAnswers {
  readonly results: ReadonlyMap<string, CallResult>;
  /** Reason why the probe did not run; null if the probe ran. */
  readonly trouble: string | null;
  readonly notes: readonly string[];
}

/** Settings that all tests of one run of `meshops verify` share. */
export interface RunSettings {
  readonly now: Date;
  /** Value that the write test stores and reads back; null if the run must not write anything. */
  readonly token: string | null;
}

interface CheckInfo {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
}

/** A test of a component. The test evaluates the state of the cluster. */
export interface StateCheck extends CheckInfo {
  evaluate(state: ClusterState, settings: RunSettings): CheckResult;
}

/**
 * A test of a component. The test evaluates calls that a probe makes with the identity of a client that the spec lists.
 * If several checks contain a call with the same name, the probe makes this call only once.
 */
export interface ProbeCheck extends CheckInfo {
  calls(state: ClusterState, settings: RunSettings): readonly Call[];
  evaluate(state: ClusterState, settings: RunSettings, answers: ProbeAnswers): CheckResult;
}

export type Check = StateCheck | ProbeCheck;

/**
 * Pods whose access control `meshops verify` tests. The tests check which clients can connect, which clients are
 * refused, and what tap reports.
 */
export interface AccessTarget {
  /** Display name of the service. */
  readonly title: string;
  /** Display name of the service's pods. */
  readonly podTitle: string;
  readonly pods: PodSet;
  /** Host name of the Service. The Service's ServiceProfile has the same name. */
  readonly host: string;
  /**
   * One HTTP call and one gRPC call. The name of each call is the key of the port to which the call connects. The HTTP
   * path can be a probe path. Linkerd allows every client to request a probe path.
   */
  readonly open: readonly Call[];
  /**
   * The same calls as in `open`, but with an HTTP path that is not a probe path. Linkerd allows every client to request
   * a probe path (policy-controller, default probe routes).
   */
  readonly guarded: readonly Call[];
  /** Environment variable in the image of the probes. Its value is the path of the service's .proto file. */
  readonly protoVariable: string;
  /** Component that delivers the policies. */
  readonly policyComponent: string;
  /** Names of two spec fields: `policy` enables the policies, and `clients` lists the clients. */
  readonly fields: { readonly policy: string; readonly clients: string };
}
