// Generated from schema/mesh-injection.schema.json by `npm run codegen`; do not edit.

export type Name = string;
export type Port = number;
/**
 * Ports of the pods whose protocol the proxy must not guess: where the server speaks first (MySQL, SMTP). mTLS stays. Services that lead to them are annotated too.
 */
export type Ports = Port[];
/**
 * Ports of the pods that bypass the proxy: no mTLS, no identity, no authorization.
 */
export type Ports1 = Port[];
/**
 * Ports that the pods dial past the proxy.
 */
export type Ports2 = Port[];

/**
 * What `meshops krm` and `meshops inject` do to the Kubernetes objects that pass by: inject them, and say who may talk to them.
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
     * Name of the configuration; nothing is named after it.
     */
    name: string;
  };
  /**
   * Which objects, and what becomes of them.
   */
  spec: {
    /**
     * The Linkerd that the objects run under: it decides API versions and ports.
     */
    linkerd: "edge-26.8.3" | "edge-25.10.7" | "edge-25.4.4" | "stable-2.14.10";
    /**
     * Only workloads of these namespaces; where it is left out, of all.
     */
    namespaces?: Name[];
    /**
     * Only workloads whose pods have these labels; where it is left out, all.
     */
    labels: {
      [k: string]: string;
    };
    /**
     * The mode of injection: `ingress` is for controllers that choose the endpoint themselves.
     */
    inject: "enabled" | "ingress";
    opaquePorts: Ports;
    skipInboundPorts: Ports1;
    skipOutboundPorts: Ports2;
    /**
     * Who may talk to the workloads; an empty list is nobody. Where it is left out, no policy is written.
     *
     * Items: A meshed workload, by its identity.
     */
    clients?: {
      /**
       * Namespace of the client.
       */
      namespace: string;
      /**
       * Service account of the client's pods, its identity in the mesh.
       */
      serviceAccount: string;
      /**
       * Ports of the pods that it may use; where it is left out, all that they declare.
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
     * Let linkerd-viz scrape and tap the proxies through the NetworkPolicies.
     */
    viz: boolean;
  };
}
