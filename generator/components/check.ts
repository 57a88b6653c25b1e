import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { IdentityObjects } from "../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Finding } from "./finding.ts";

/** The state of a cluster when the tests begin; null for what you may not read. */
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
  /** Running meshed pods of all namespaces; null if you may not list them. */
  readonly meshed: readonly KubernetesObject[] | null;
  readonly webhooks: readonly KubernetesObject[] | null;
  readonly apiServices: readonly KubernetesObject[];
  readonly profiles: readonly KubernetesObject[];
}

/** One thing that a probe tries; addresses are `host:port`. */
export type Call =
  | { readonly kind: "http"; readonly name: string; readonly address: string; readonly path: string }
  | { readonly kind: "grpc"; readonly name: string; readonly address: string; readonly method: string; readonly request: string }
  /**
   * Calls of a unary gRPC method without arguments over one connection, with pauses, and how the probe's proxy spread them: for at least a second, and
   * until each endpoint has answered, for at most `seconds`.
   */
  | {
      readonly kind: "spread";
      readonly name: string;
      readonly address: string;
      readonly seconds: number;
      /** Names of the pods that should answer. */
      readonly endpoints: readonly string[];
    };

/** How a call ended: the exit code of curl or grpcurl, and all that it printed. */
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

/** What one run of the tests has in common. */
export interface RunSettings {
  readonly now: Date;
  /** A word that is written and read back; null if nothing must be written. */
  readonly token: string | null;
}

interface CheckInfo {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
}

/** A test of a component on the state of the cluster. */
export interface StateCheck extends CheckInfo {
  evaluate(state: ClusterState, settings: RunSettings): Finding;
}

/** A test of a component that a listed client's probe makes calls for. Checks may share a call by its name. */
export interface ProbeCheck extends CheckInfo {
  calls(state: ClusterState, settings: RunSettings): readonly Call[];
  evaluate(state: ClusterState, settings: RunSettings, answers: ProbeAnswers): Finding;
}

export type Check = StateCheck | ProbeCheck;

/** Pods whose access the tests prove: who reaches them, who does not, and what tap shows of it. */
export interface AccessTarget {
  /** Name of the service for people. */
  readonly title: string;
  /** Name of its pods for people. */
  readonly podTitle: string;
  readonly pods: PodSet;
  /** Host name of the Service, by which a ServiceProfile is named. */
  readonly host: string;
  /** One HTTP and one gRPC call, each named after the key of its port. Probe paths are allowed, which every client may ask for. */
  readonly open: readonly Call[];
  /** The same without probe paths: Linkerd answers those to every client (policy-controller, default probe routes). */
  readonly guarded: readonly Call[];
  /** Component that delivers the policies. */
  readonly policyComponent: string;
  /** Field of the spec that enables the policies, and the field that lists the clients. */
  readonly fields: { readonly policy: string; readonly clients: string };
}
