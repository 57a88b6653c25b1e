// Generated from schema/mesh-injection.schema.json by `npm run codegen`; do not edit.

export type Name = string;
export type Port = number;
/**
 * Pod ports whose protocol the proxy must not detect, since the server sends first (MySQL, SMTP). mTLS is kept. Services with these target ports are annotated too.
 */
export type Ports = Port[];
/**
 * Pod ports that bypass the proxy: they have no mTLS, no identity and no authorization.
 */
export type Ports1 = Port[];
/**
 * Destination ports to which the pods connect without the proxy.
 */
export type Ports2 = Port[];

/**
 * Configuration of `meshops krm` and `meshops inject`: which workloads to inject, and which clients may connect to them.
 */
export interface MeshInjection {
  /**
   * Version of this format.
   */
  apiVersion: "meshops.dev/v1alpha1";
  /**
   * Kind of this document.
   */
  kind: "MeshInjection";
  /**
   * Name of the configuration, and the annotation by which kustomize finds the function.
   */
  metadata: {
    /**
     * Name of the configuration. It does not affect the result.
     */
    name: string;
  };
  /**
   * Selects the workloads, and specifies the changes to them.
   */
  spec: {
    /**
     * Linkerd release in the cluster. It determines API versions and ports.
     */
    linkerd: "edge-26.8.3" | "edge-25.10.7" | "edge-25.4.4" | "stable-2.14.10";
    /**
     * Select only workloads in these namespaces. If omitted, workloads in all namespaces.
     */
    namespaces?: Name[];
    /**
     * Select only workloads whose pods have these labels. If omitted, all workloads.
     */
    labels: {
      [k: string]: string;
    };
    /**
     * Injection mode. `ingress` is for ingress controllers that choose the endpoint themselves.
     */
    inject: "enabled" | "ingress";
    opaquePorts: Ports;
    skipInboundPorts: Ports1;
    skipOutboundPorts: Ports2;
    /**
     * Clients that may connect to the workloads. An empty list allows no client. If omitted, no policies are written.
     *
     * Items: A meshed workload, identified by its mesh identity.
     */
    clients?: {
      /**
       * Namespace of the client.
       */
      namespace: string;
      /**
       * Service account of the client's pods, which determines their mesh identity.
       */
      serviceAccount: string;
      /**
       * Pod ports that the client may use. If omitted, all ports that the pods declare.
       */
      ports?: Port[];
    }[];
    /**
     * Write NetworkPolicies for `clients`.
     */
    networkPolicy: boolean;
    /**
     * Write Servers and AuthorizationPolicies for `clients`.
     */
    authorization: boolean;
    /**
     * Allow linkerd-viz in the NetworkPolicies to scrape and tap the proxies.
     */
    viz: boolean;
  };
}
