// Generated from schema/environment.schema.json by `npm run codegen`; do not edit.

/**
 * An environment of a Linkerd and Dgraph platform: one file in environments/.
 */
export interface Environment {
  /**
   * Version of this format.
   */
  apiVersion: "meshops.dev/v1alpha1";
  /**
   * Kind of this document.
   */
  kind: "Environment";
  /**
   * Who the environment is.
   */
  metadata: {
    /**
     * Name of the environment, the same as its file's.
     */
    name: string;
    /**
     * Notes for other tools, such as the function that kustomize is to run; meshops reads none.
     */
    annotations: {
      [k: string]: string;
    };
  };
  /**
   * What the environment is made of.
   */
  spec: {
    /**
     * A base that other environments extend; nothing is generated for it.
     */
    abstract: boolean;
    /**
     * Name of the environment file to inherit from. Maps are merged, lists replaced, and null deletes.
     */
    extends?: string;
    /**
     * Where the cluster lives. Left out, any Kubernetes cluster will do and no registry is created.
     */
    azure?: {
      /**
       * Subscription id; left out, the one that `az account show` names.
       */
      subscription?: string;
      /**
       * Azure region, by its short name.
       */
      location: string;
      /**
       * Resource group that holds cluster and registry.
       */
      resourceGroup: string;
      /**
       * The registry that the cluster pulls its images from.
       */
      registry?: {
        /**
         * Globally unique name of the Azure Container Registry.
         */
        name: string;
        /**
         * Service tier of the registry.
         */
        sku: "Basic" | "Standard" | "Premium";
        /**
         * Copy every image that the environment runs into this registry, and pull it from there.
         */
        mirrorImages: boolean;
      };
      /**
       * The AKS cluster and its first node pool.
       */
      cluster: {
        /**
         * Name of the AKS cluster.
         */
        name: string;
        /**
         * Nodes in the first node pool.
         */
        nodeCount: number;
        /**
         * Azure size of the nodes.
         */
        vmSize: string;
        /**
         * Zones that the nodes are spread over; an empty list leaves the choice to Azure.
         */
        zones: (1 | 2 | 3)[];
        /**
         * What enforces NetworkPolicy objects. Without an engine they are accepted and do nothing.
         */
        networkPolicy: "calico" | "cilium" | "azure" | "none";
        /**
         * Version of the cluster, as `az aks get-versions` lists them; left out, Azure's default.
         */
        kubernetesVersion?: string;
        /**
         * Let AKS choose and add nodes by itself (node auto-provisioning).
         */
        autoProvisioning: boolean;
        /**
         * IP families of the cluster's network, as AKS offers them.
         */
        ipFamilies: ("ipv4" | "ipv6")[];
      };
    };
    /**
     * The Git repository that Flux reconciles.
     */
    gitops: {
      /**
       * URL of this repository, as Flux clones it.
       */
      url: string;
      /**
       * Branch that the environment follows.
       */
      branch: string;
      /**
       * How often Flux compares the cluster with Git.
       */
      interval: string;
      /**
       * The Flux that bootstrap installs.
       */
      flux: {
        /**
         * Release of Flux.
         */
        version?: string;
        /**
         * URL or path of Flux's install manifests, used where the flux CLI is missing.
         */
        manifests?: string;
      };
    };
    /**
     * Who can read the encrypted files.
     */
    secrets: {
      /**
       * age recipients of the cluster: Flux decrypts the Secrets with their key. They cannot open the trust anchor's key.
       */
      age: string[];
      /**
       * age recipients of the administrators, who can read everything, the trust anchor's key included.
       */
      admin: string[];
      /**
       * A key in Azure Key Vault, with its version, as a further recipient.
       */
      azureKeyVault?: string;
    };
    /**
     * The service mesh.
     */
    linkerd: {
      /**
       * Linkerd release. One field upgrades charts, images and API versions together.
       */
      version: "stable-2.14.10" | "edge-25.4.4" | "edge-25.10.7" | "edge-26.8.3";
      /**
       * Three replicas of the control plane with anti-affinity, disruption budgets and resource requests.
       */
      highAvailability: boolean;
      /**
       * DNS domain of the cluster.
       */
      clusterDomain: string;
      /**
       * The certificates behind mutual TLS.
       */
      identity: {
        /**
         * Trust domain of the mesh's identities.
         */
        trustDomain: string;
        /**
         * Life of a new trust anchor.
         */
        anchorValidity: string;
        /**
         * Life of a new issuer certificate.
         */
        issuerValidity: string;
        /**
         * Life of new webhook certificates.
         */
        webhookValidity: string;
      };
      /**
       * What the API server does while Linkerd's webhooks are down: Ignore lets pods start without a proxy, Fail refuses them. auto is Fail with high availability, else Ignore.
       */
      webhookFailurePolicy: "auto" | "Ignore" | "Fail";
      /**
       * Use the linkerd-cni plugin, which must be installed already, instead of the init container.
       */
      cni: boolean;
      /**
       * Who installs the Gateway API CRDs: Linkerd's CRD chart, or somebody else.
       */
      gatewayApi: "linkerd" | "external";
      /**
       * The viz extension: metrics, tap and dashboard.
       */
      viz: {
        /**
         * Install the viz extension.
         */
        enabled: boolean;
        /**
         * Install Grafana with Linkerd's dashboards and link it from the viz dashboard. It fetches the dashboards from grafana.com when it starts.
         */
        grafana: boolean;
      };
      /**
       * Distributed tracing: the linkerd-jaeger extension where the release has one, else Jaeger v2 with the proxies' built-in tracing.
       */
      jaeger: {
        /**
         * Install tracing. Pods that run already are traced from their next start on.
         */
        enabled: boolean;
      };
    };
    /**
     * The stateful service that the mesh protects.
     */
    dgraph: {
      /**
       * Version of Dgraph's chart. A change on a running release needs the StatefulSets deleted with --cascade=orphan first: the version sits in their immutable selector. From or to 0.0.17, whose pods run under another service account, set networkPolicy to false first.
       */
      chart: "0.0.17" | "0.0.20" | "0.3.0" | "24.1.4" | "25.0.0-preview6";
      /**
       * Namespace of Dgraph. Another one for a running release starts a second, empty Dgraph there.
       */
      namespace: string;
      /**
       * Name of the Helm release; the Services are named <release>-dgraph-alpha and <release>-dgraph-zero. Another name for a running release uninstalls it: its volumes stay, but the new pods start with empty ones.
       */
      release: string;
      /**
       * Copies of every shard: Alphas in one group.
       */
      replicationFactor: 1 | 3 | 5 | 7;
      /**
       * The servers that hold data and answer queries.
       */
      alpha: {
        /**
         * Number of Alpha pods.
         */
        replicas: number;
        /**
         * Size of each Alpha volume. Fixed once the StatefulSet exists.
         */
        storage: string;
        /**
         * StorageClass of the volumes; left out, the cluster's default.
         */
        storageClass?: string;
        /**
         * Addresses from which Alpha accepts admin operations (alter, backup, export). Behind its proxy Alpha sees the address of its own pod for every caller: the list must contain the range of the pods, and `clients` decide who may call.
         */
        whitelist: string[];
      };
      /**
       * The servers that coordinate the cluster.
       */
      zero: {
        /**
         * Number of Zero pods.
         */
        replicas: number;
        /**
         * Size of each Zero volume. Fixed once the StatefulSet exists.
         */
        storage: string;
        /**
         * StorageClass of the volumes; left out, the cluster's default.
         */
        storageClass?: string;
      };
      /**
       * How 5080 and 7080, which carry Raft, pass the proxy: opaque keeps mutual TLS and identity, skip bypasses the mesh (as the article did), mesh treats them as gRPC. To go back to skip on a running release, set networkPolicy to false first: pods that roll would be refused by those that have not.
       */
      internalPorts: "opaque" | "skip" | "mesh";
      /**
       * Meshed workloads that may talk to Dgraph. One list feeds NetworkPolicy and AuthorizationPolicy; nobody else gets in.
       */
      clients: Client[];
      /**
       * Let only the listed clients reach Dgraph: by NetworkPolicy, and by their identity in the mesh.
       */
      networkPolicy: boolean;
      /**
       * Describe Dgraph's gRPC methods to the mesh: a ServiceProfile (true), GRPCRoutes (grpc-route) or nothing (false).
       */
      serviceProfile: true | false | "grpc-route";
      /**
       * Retries and timeouts of Dgraph's gRPC methods, by name, for the service profile. What is left out is not limited in time, and retried only where a repetition does no harm.
       */
      methods: {
        [k: string]: Method;
      };
    };
    /**
     * The test client of the article.
     */
    pydgraphClient: {
      /**
       * Deploy the client.
       */
      enabled: boolean;
      /**
       * Namespace of the client.
       */
      namespace: string;
      /**
       * Give the client a proxy.
       */
      inject: boolean;
      /**
       * Name of the client image, without a tag. Left out, pydgraph-client in the environment's registry.
       */
      image?: string;
      /**
       * Tag of the client image.
       */
      tag: string;
    };
    /**
     * Findings of `meshops validate` that this environment accepts.
     */
    rules: {
      /**
       * Warnings that are silenced, each with the reason why.
       *
       * Items: A warning that is silenced.
       */
      ignore: {
        /**
         * Code of the warning.
         */
        code:
          | "calico-with-cni"
          | "client-not-listed"
          | "client-not-meshed"
          | "dgraph-alpha-group"
          | "dgraph-methods-unused"
          | "dgraph-whitelist-open"
          | "grafana-without-viz"
          | "identity-validity-short"
          | "internal-ports-skipped"
          | "internal-ports-stall"
          | "ipv6-unsupported"
          | "jaeger-trust-domain"
          | "kubernetes-too-new"
          | "network-policy-unenforced"
          | "resource-group-shared"
          | "webhook-policy-fail"
          | "webhook-policy-ignore";
        /**
         * Why the warning is accepted here.
         */
        reason: string;
      }[];
    };
  };
}
/**
 * A workload that may talk to Dgraph, by its mesh identity.
 */
export interface Client {
  /**
   * Namespace of the client.
   */
  namespace: string;
  /**
   * Service account of the client: its identity in the mesh.
   */
  serviceAccount: string;
  /**
   * What the client may use: http is 8080, grpc is 9080.
   */
  ports: ("http" | "grpc")[];
}
/**
 * How the mesh treats calls of a gRPC method.
 */
export interface Method {
  /**
   * Repeat a call that failed: with a ServiceProfile any failure, within Linkerd's retry budget; with a GRPCRoute one that the server calls unavailable, once. Left out, only where a repetition changes nothing.
   */
  retry?: boolean;
  /**
   * How long a call may take, with its retries.
   */
  timeout?: string;
}
