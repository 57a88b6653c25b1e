// Generated from schema/environment.schema.json by `npm run codegen`; do not edit.

/**
 * An environment of a Linkerd and Dgraph platform. Each environment is one file in environments/.
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
   * Name and annotations of the environment.
   */
  metadata: {
    /**
     * Name of the environment. It must be the same as the file name without .yaml.
     */
    name: string;
    /**
     * Annotations for other tools, such as the function that kustomize runs. meshops does not read them.
     */
    annotations: {
      [k: string]: string;
    };
  };
  /**
   * Settings of the environment.
   */
  spec: {
    /**
     * Whether this file is a base that other environments extend. Nothing is generated for a base.
     */
    abstract: boolean;
    /**
     * Name of the environment file to inherit from. Maps are merged, lists are replaced, and null removes an inherited value.
     */
    extends?: string;
    /**
     * Azure resources of the cluster. If omitted, the environment can use any Kubernetes cluster, and no registry is created.
     */
    azure?: {
      /**
       * Subscription ID. If omitted, the subscription that `az account show` prints.
       */
      subscription?: string;
      /**
       * Short name of the Azure region.
       */
      location: string;
      /**
       * Resource group of the cluster and the registry.
       */
      resourceGroup: string;
      /**
       * Registry from which the cluster pulls its images.
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
         * Copy all images that the environment runs to this registry, and pull them from there.
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
         * Number of nodes in the first node pool.
         */
        nodeCount: number;
        /**
         * Azure VM size of the nodes.
         */
        vmSize: string;
        /**
         * Availability zones of the nodes. If the list is empty, Azure chooses.
         */
        zones: (1 | 2 | 3)[];
        /**
         * Engine that enforces NetworkPolicies. Without an engine, NetworkPolicies are accepted but have no effect.
         */
        networkPolicy: "calico" | "cilium" | "azure" | "none";
        /**
         * Kubernetes version of the cluster, as listed by `az aks get-versions`. If omitted, Azure's default version.
         */
        kubernetesVersion?: string;
        /**
         * Let AKS choose and add nodes (node auto-provisioning).
         */
        autoProvisioning: boolean;
        /**
         * IP families of the cluster's network, as supported by AKS.
         */
        ipFamilies: ("ipv4" | "ipv6")[];
      };
    };
    /**
     * The Git repository that Flux reconciles.
     */
    gitops: {
      /**
       * URL from which Flux clones this repository.
       */
      url: string;
      /**
       * Branch from which Flux reconciles the environment.
       */
      branch: string;
      /**
       * Interval at which Flux compares the cluster with Git.
       */
      interval: string;
      /**
       * Flux, as installed by `meshops bootstrap`.
       */
      flux: {
        /**
         * Flux version to install.
         */
        version?: string;
        /**
         * URL or path of Flux's install manifests, used if the flux CLI is missing.
         */
        manifests?: string;
      };
    };
    /**
     * Recipients that can decrypt the encrypted files.
     */
    secrets: {
      /**
       * age recipients of the cluster. Flux decrypts the Secrets with their key. They cannot decrypt the trust anchor's key.
       */
      age: string[];
      /**
       * age recipients of the administrators, who can decrypt all files, including the trust anchor's key.
       */
      admin: string[];
      /**
       * Key in Azure Key Vault, with its version, as an additional recipient of the Secrets.
       */
      azureKeyVault?: string;
    };
    /**
     * The service mesh.
     */
    linkerd: {
      /**
       * Linkerd release. Changing it upgrades charts, images and API versions together.
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
       * Identities and certificates for mutual TLS.
       */
      identity: {
        /**
         * Trust domain of the mesh's identities.
         */
        trustDomain: string;
        /**
         * Validity of a new trust anchor.
         */
        anchorValidity: string;
        /**
         * Validity of a new issuer certificate.
         */
        issuerValidity: string;
        /**
         * Validity of new webhook certificates.
         */
        webhookValidity: string;
      };
      /**
       * How the API server handles pods while Linkerd's webhooks are down: Ignore lets them start without a proxy, Fail rejects them. auto is Fail with high availability, otherwise Ignore.
       */
      webhookFailurePolicy: "auto" | "Ignore" | "Fail";
      /**
       * Use the linkerd-cni plugin instead of the init container. The plugin must already be installed.
       */
      cni: boolean;
      /**
       * How the Gateway API CRDs are installed: by Linkerd's CRD chart (linkerd) or by another tool (external).
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
         * Install Grafana with Linkerd's dashboards, and link to it from the viz dashboard. Grafana fetches the dashboards from grafana.com when it starts.
         */
        grafana: boolean;
      };
      /**
       * Distributed tracing: the linkerd-jaeger extension if the release has one, otherwise Jaeger v2 with the proxies' built-in tracing.
       */
      jaeger: {
        /**
         * Install tracing. Running pods are traced after their next restart.
         */
        enabled: boolean;
      };
    };
    /**
     * The stateful service that the mesh protects.
     */
    dgraph: {
      /**
       * Version of Dgraph's chart. Before changing it on a running release, delete the StatefulSets with --cascade=orphan, since their immutable selector contains the version. Before changing from or to 0.0.17, whose pods use another service account, also set networkPolicy to false.
       */
      chart: "0.0.17" | "0.0.20" | "0.3.0" | "24.1.4" | "25.0.0-preview6";
      /**
       * Namespace of Dgraph. Changing it for a running release starts a second, empty Dgraph in the new namespace.
       */
      namespace: string;
      /**
       * Name of the Helm release. The Services are named <release>-dgraph-alpha and <release>-dgraph-zero. Changing the name uninstalls the running release: its volumes are kept, but the new pods start with empty volumes.
       */
      release: string;
      /**
       * Number of copies of each shard, which is the number of Alphas in a group.
       */
      replicationFactor: 1 | 3 | 5 | 7;
      /**
       * The servers that store data and answer queries.
       */
      alpha: {
        /**
         * Number of Alpha pods.
         */
        replicas: number;
        /**
         * Size of each Alpha volume. It is immutable once the StatefulSet exists.
         */
        storage: string;
        /**
         * StorageClass of the volumes. If omitted, the cluster's default StorageClass.
         */
        storageClass?: string;
        /**
         * Addresses from which Alpha accepts admin operations (alter, backup, export). Alpha is behind its proxy and sees its own pod's address for every caller, so the list must contain the pods' address range. `clients` controls which clients may connect.
         */
        whitelist: string[];
      };
      /**
       * The servers that coordinate the Dgraph cluster.
       */
      zero: {
        /**
         * Number of Zero pods.
         */
        replicas: number;
        /**
         * Size of each Zero volume. It is immutable once the StatefulSet exists.
         */
        storage: string;
        /**
         * StorageClass of the volumes. If omitted, the cluster's default StorageClass.
         */
        storageClass?: string;
      };
      /**
       * How the proxy handles ports 5080 and 7080, which carry Raft: opaque keeps mutual TLS and identity, skip bypasses the mesh (as in the article), mesh treats them as gRPC. Before changing back to skip on a running release, set networkPolicy to false, or pods that have not restarted yet refuse those that have.
       */
      internalPorts: "opaque" | "skip" | "mesh";
      /**
       * Meshed workloads that may connect to Dgraph. NetworkPolicies and AuthorizationPolicies are generated from this list; all other clients are refused.
       */
      clients: Client[];
      /**
       * Allow only the listed clients to reach Dgraph, by NetworkPolicy and by their mesh identity.
       */
      networkPolicy: boolean;
      /**
       * How Dgraph's gRPC methods are described to the mesh: by a ServiceProfile (true), by GRPCRoutes (grpc-route) or not at all (false).
       */
      serviceProfile: true | false | "grpc-route";
      /**
       * Retries and timeouts of Dgraph's gRPC methods, by method name, for the service profile. By default a method has no timeout, and is retried only if a repetition does no harm.
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
       * Inject a proxy into the client's pods.
       */
      inject: boolean;
      /**
       * Name of the client image, without a tag. If omitted, pydgraph-client in the environment's registry.
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
       * Warnings to silence, each with a reason.
       *
       * Items: A warning to silence.
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
 * A workload that may connect to Dgraph, identified by its mesh identity.
 */
export interface Client {
  /**
   * Namespace of the client.
   */
  namespace: string;
  /**
   * Service account of the client, which determines its mesh identity.
   */
  serviceAccount: string;
  /**
   * Ports that the client may use: http is 8080, grpc is 9080.
   */
  ports: ("http" | "grpc")[];
}
/**
 * Retries and timeout of a gRPC method.
 */
export interface Method {
  /**
   * Retry failed calls. A ServiceProfile retries after any failure, within Linkerd's retry budget. A GRPCRoute retries once, if the server returns the status unavailable. If omitted, calls are retried only if a repetition changes nothing.
   */
  retry?: boolean;
  /**
   * Maximum duration of a call, including its retries.
   */
  timeout?: string;
}
