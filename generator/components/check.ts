import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { IdentityObjects } from "../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Finding } from "./finding.ts";

/** The state of a cluster when the tests begin. A field is null if the user is not allowed to read its objects. */
export interface ClusterState {
  readonly linkerdRelease: LinkerdRelease;
  /** Pods that the environment's components describe. */
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

/** A call that a probe makes; addresses are `host:port`. */
export type Call =
  | { readonly kind: "http"; readonly name: string; readonly address: string; readonly path: string }
  | { readonly kind: "grpc"; readonly name: string; readonly address: string; readonly method: string; readonly request: string }
  /**
   * Repeated calls of a unary gRPC method without arguments, over one connection and with pauses between them; the
   * result shows how the probe's proxy spread the calls. They continue for at least one second and until each endpoint
   * has answered, but for at most `seconds`.
   */
  | {
      readonly kind: "spread";
      readonly name: string;
      readonly address: string;
      readonly seconds: number;
      /** Names of the pods that should answer. */
      readonly endpoints: readonly string[];
    };

/** Result of a call: the exit code of curl or grpcurl, and their complete output. */
export interface CallResult {
  readonly name: string;
  readonly exit: number;
  readonly output: string;
}

/** Results of a probe's calls. */
export interface ProbeAnswers {
  readonly results: ReadonlyMap<string, CallResult>;
  /** Why the probe did not run; null if it ran. */
  readonly trouble: string | null;
  readonly notes: readonly string[];
}

/** Settings that all tests of a run share. */
export interface RunSettings {
  readonly now: Date;
  /** A word to write and read back; null if the run must not write anything. */
  readonly token: string | null;
}

interface CheckInfo {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
}

/** A test of a component that evaluates the state of the cluster. */
export interface StateCheck extends CheckInfo {
  evaluate(state: ClusterState, settings: RunSettings): Finding;
}

/**
 * A test of a component that evaluates calls of the probe of a listed client. Checks that use the same call name share
 * that call.
 */
export interface ProbeCheck extends CheckInfo {
  calls(state: ClusterState, settings: RunSettings): readonly Call[];
  evaluate(state: ClusterState, settings: RunSettings, answers: ProbeAnswers): Finding;
}

export type Check = StateCheck | ProbeCheck;

/** Pods whose access control is tested: which clients reach them, which clients are refused, and what tap reports. */
export interface AccessTarget {
  /** Display name of the service. */
  readonly title: string;
  /** Display name of its pods. */
  readonly podTitle: string;
  readonly pods: PodSet;
  /** Host name of the Service, which is also the name of its ServiceProfile. */
  readonly host: string;
  /**
   * One HTTP and one gRPC call, each named after the key of its port. The HTTP path may be a probe path, which every
   * client may request.
   */
  readonly open: readonly Call[];
  /**
   * The same calls, but not of probe paths: Linkerd answers those to every client (policy-controller, default probe
   * routes).
   */
  readonly guarded: readonly Call[];
  /** Component that delivers the policies. */
  readonly policyComponent: string;
  /** Field of the spec that enables the policies, and the field that lists the clients. */
  readonly fields: { readonly policy: string; readonly clients: string };
}
