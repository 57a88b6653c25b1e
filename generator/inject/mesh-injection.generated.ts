// Generated from schema/mesh-injection.schema.json by `npm run codegen`; do not edit.

export type Name = string;
export type Port = number;
/**
 * Pod ports for which the proxy does not detect the protocol. List ports on which the server sends data first (for example MySQL, SMTP). The proxy still uses mTLS on these ports. If a target port of a Service is in this list, meshops also annotates the Service.
 */
export type Ports = Port[];
/**
 * Pod ports whose inbound traffic bypasses the proxy. This traffic has no mTLS, no mesh identity and no authorization.
 */
export type Ports1 = Port[];
/**
 * Destination ports to which the pods connect without the proxy.
 */
export type Ports2 = Port[];

/**
 * Configuration of `meshops krm` and `meshops inject`. It selects the workloads that get a proxy, and lists the clients that are allowed to connect to these workloads.
 */
export interface MeshInjection {
  /**
   * API version of the MeshInjection format.
   */
  apiVersion: "meshops.dev/v1alpha1";
  /**
   * Kind of the document.
   */
  kind: "MeshInjection";
  /**
   * Name of the configuration. The annotations can specify how kustomize runs meshops as a function.
   */
  metadata: {
    /**
     * Name of the configuration. The name does not affect the result.
     */
    name: string;
  };
  /**
   * Settings that select workloads and specify the changes to these workloads.
   */
  spec: {
    /**
     * Linkerd release in the cluster. The release determines API versions and ports.
     */
    linkerd: string;
    /**
     * Selects the workloads in these namespaces. If omitted, workloads in all namespaces are selected.
     */
    namespaces?: Name[];
    /**
     * Selects the workloads whose pods have these labels. If omitted, workloads with any labels are selected.
     */
    labels: {
      [k: string]: string;
    };
    /**
     * Injection mode. Use `ingress` for ingress controllers that select the endpoints of a Service themselves.
     */
    inject: "enabled" | "ingress";
    opaquePorts: Ports;
    skipInboundPorts: Ports1;
    skipOutboundPorts: Ports2;
    /**
     * Clients that are allowed to connect to the workloads. An empty list allows no client. If omitted, no policies are generated.
     *
     * Items: A meshed workload, identified by its mesh identity.
     */
    clients?: {
      /**
       * Namespace of the client.
       */
      namespace: string;
      /**
       * Service account of the client's pods. The service account determines the mesh identity of the pods.
       */
      serviceAccount: string;
      /**
       * Names or numbers of the container ports to which the client may connect. The default is all ports that the pods of the workloads declare.
       */
      ports?: (number | string)[];
    }[];
    /**
     * Whether NetworkPolicies are generated for `clients`.
     */
    networkPolicy: boolean;
    /**
     * Whether Servers and AuthorizationPolicies are generated for `clients`.
     */
    authorization: boolean;
    /**
     * Whether the NetworkPolicies allow Prometheus and tap of linkerd-viz to connect to the proxies.
     */
    viz: boolean;
  };
}
