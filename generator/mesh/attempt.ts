import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { Account } from "./pod-set.ts";

/** A client that connects to a pod. */
export interface AttemptClient {
  readonly namespace: string;
  /** Labels of the namespace. Kubernetes sets `kubernetes.io/metadata.name`, so this label may be omitted. */
  readonly namespaceLabels?: StringMap;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Service account in the certificate of the client's proxy. Null for a client without a proxy, even if the client has
   * the labels of meshed pods.
   */
  readonly identity: Account | null;
  /** Value of `config.linkerd.io/skip-outbound-ports` of the client's pod. */
  readonly skippedOutbound?: string;
  /** IP address; omitted if it is not known. */
  readonly address?: string;
  /**
   * `node`: a program on the pod's node, such as the kubelet. NetworkPolicies do not apply to this client. `loopback`:
   * `kubectl port-forward`, which connects to the pod's loopback interface and bypasses NetworkPolicies and the proxy.
   */
  readonly from?: "node" | "loopback";
}

/** A connection to a port of a pod. */
export interface Attempt {
  readonly from: AttemptClient;
  /**
   * The pod after injection. It contains the proxy, and the annotations that the injector copies from the namespace.
   */
  readonly to: KubernetesObject;
  /** Port to which the client connects. */
  readonly port: number;
  /** Path of a GET request; omitted if the connection is not a GET request, or if the path is not known. */
  readonly path?: string;
}

/** Facts about the Linkerd installation. */
export interface Installation {
  readonly release: LinkerdRelease;
  /** Default inbound policy of the installation; if omitted, the default value of Linkerd's charts. */
  readonly defaultInboundPolicy?: string;
}
