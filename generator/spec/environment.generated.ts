// Generated from schema/environment.schema.json by `npm run codegen`; do not edit.

/**
 * Version of the chart. Ranges are not possible, because the same commit must always install the same chart.
 */
export type ChartVersion = string;
/**
 * Name of the Helm release. The default is the key of the workload. If a release with this name already exists in the namespace, Flux and helmfile upgrade this release.
 */
export type ReleaseName = string;
/**
 * Taints of nodes on which the pods are allowed to run.
 */
export type Tolerations = Toleration[];
/**
 * Constraints that spread the pods over nodes or zones. An empty list removes the constraints that `highAvailability` adds.
 */
export type TopologySpread = Spread[];
/**
 * Name of the PriorityClass of the pods.
 */
export type PriorityClassName = string;
/**
 * Names of Secrets with credentials for the registry, in the namespace of the pods.
 */
export type ImagePullSecrets = string[];

/**
 * An environment of a Linkerd and Dgraph platform. Each environment is one file in environments/.
 */
export interface Environment {
  /**
   * API version of the Environment format.
   */
  apiVersion: "meshops.dev/v1alpha1";
  /**
   * Kind of the document.
   */
  kind: "Environment";
  /**
   * Name and annotations of the environment.
   */
  metadata: {
    /**
     * Name of the environment. The name must be the same as the name of the file without .yaml.
     */
    name: string;
    /**
     * Annotations for other tools, such as the annotation that configures a kustomize function. meshops ignores annotations.
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
     * Whether this spec is only a base for other specs. meshops does not generate files for a base.
     */
    abstract: boolean;
    /**
     * Name of the spec that this spec extends. Maps are merged, lists are replaced, and null removes an inherited value.
     */
    extends?: string;
    /**
     * Azure resources of the environment. If omitted, bootstrap creates no Azure resources, and you can use any Kubernetes cluster.
     */
    azure?: {
      /**
       * Subscription ID. If omitted, meshops uses the subscription that `az account show` prints.
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
         * Whether bootstrap copies all images of the environment to this registry. If true, the cluster pulls all images from this registry.
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
         * Tool that creates the cluster. managed: bootstrap creates the cluster, and teardown deletes it. existing: another tool creates the cluster. bootstrap then checks the network policy, the Kubernetes version and the zones, and creates or changes only the objects that Flux needs. teardown keeps the cluster, the registry and the resource group.
         */
        lifecycle: "managed" | "existing";
        /**
         * Number of nodes in the first node pool.
         */
        nodeCount: number;
        /**
         * Azure VM size of the nodes.
         */
        vmSize: string;
        /**
         * Availability zones of the nodes. If the list is empty, Azure selects the zones.
         */
        zones: (1 | 2 | 3)[];
        /**
         * Network policy engine of the cluster. Without an engine, you can create NetworkPolicies, but they have no effect.
         */
        networkPolicy: "calico" | "cilium" | "azure" | "none";
        /**
         * Kubernetes version of the cluster. `az aks get-versions` lists the versions. If omitted, bootstrap uses Azure's default version. If the Linkerd release does not support the default version, bootstrap uses a later version.
         */
        kubernetesVersion?: string;
        /**
         * Whether AKS selects VM sizes and adds nodes automatically (node auto-provisioning).
         */
        autoProvisioning: boolean;
        /**
         * IP families of the cluster's network.
         */
        ipFamilies: ("ipv4" | "ipv6")[];
      };
    };
    /**
     * Facts about the cluster. meshops does not configure the cluster with these values. Facts that you omit are taken from `azure.cluster`.
     */
    cluster: {
      /**
       * Provider of the cluster. If the spec contains `azure`, the default is aks. Otherwise, the default is other.
       */
      provider?: "aks" | "other";
      /**
       * kubectl context of the cluster. helmfile, status, verify, bootstrap and teardown use this context instead of the current context. The default is `azure.cluster.name`. If neither field is set, the commands use the current context.
       */
      context?: string;
      /**
       * Version of Kubernetes in the cluster. helmfile renders the charts for this version. `meshops validate` checks that the Linkerd release supports this version. The default is `azure.cluster.kubernetesVersion`.
       */
      kubernetesVersion?: string;
      /**
       * Networks of clients that have no identity in the mesh.
       */
      networks: {
        /**
         * Networks of the nodes. The kubelet sends probes from these addresses.
         */
        nodes: string[];
        /**
         * Addresses from which the API server calls webhooks.
         */
        apiServer: string[];
      };
      /**
       * Engine that enforces NetworkPolicies in the cluster. none: the cluster does not enforce NetworkPolicies. The default is `azure.cluster.networkPolicy`.
       */
      networkPolicy?: "calico" | "cilium" | "azure" | "other" | "none";
    };
    /**
     * A registry of your own, for example Harbor. For a registry in Azure that meshops creates, use azure.registry.
     */
    registry?: {
      /**
       * Host of the registry. If all copied images are below a common path, add this path to the host.
       */
      host?: string;
      /**
       * Registry from which images are pulled. upstream: the original registry of each image. mirror: the registry in `host`.
       */
      images: "upstream" | "mirror";
      /**
       * Names of the copied images in the registry. flat: names do not contain the host of the original registry, for example harbor.example.org/linkerd/proxy. origin: names contain this host, for example harbor.example.org/cr.l5d.io/linkerd/proxy. Use origin for a registry that fetches an image when the image is first pulled.
       */
      layout: "flat" | "origin";
      /**
       * Secret with the credentials of the registry. The Secret must exist in every namespace that contains pods. linkerd.imagePullSecrets and dgraph.imagePullSecrets take precedence over this field.
       */
      pullSecretRef?: {
        /**
         * Name of the Secret.
         */
        name: string;
      };
    };
    /**
     * Git repository that Flux reconciles, and settings of Flux.
     */
    gitops: {
      /**
       * URL from which Flux clones this repository. You can omit the URL if you set `root`.
       */
      url?: string;
      /**
       * Branch that Flux applies to the cluster.
       */
      branch: string;
      /**
       * Interval at which Flux compares the cluster with Git.
       */
      interval: string;
      /**
       * Folder of this platform repository inside the Git repository, such as `platform/mesh`. The default is the root of the Git repository.
       */
      path: string;
      /**
       * Existing Kustomization whose folder includes `flux/<environment>`. meshops never changes this Kustomization or its source. If omitted, `meshops bootstrap` creates the root Kustomization.
       */
      root?: {
        kustomization: FluxObject;
      };
      /**
       * Source from which the generated Kustomizations read the repository. If the source is not the default source, you must also set `root`.
       */
      sourceRef: {
        /**
         * Kind of the source.
         */
        kind: "GitRepository" | "OCIRepository";
        /**
         * Name of the source.
         */
        name: string;
        /**
         * Namespace of the source.
         */
        namespace: string;
      };
      /**
       * Existing namespace of the generated Kustomizations, and of the Secret with the age key. If the namespace is not the default namespace, you must also set `root`.
       */
      namespace: string;
      /**
       * Service account that Flux's controllers impersonate, for clusters with Flux's multi-tenancy lockdown. The service account must exist in `gitops.namespace` with the role cluster-admin. The generated files create service accounts with the same name in the namespaces of the HelmReleases. If you set this field, you must also set `root`.
       */
      serviceAccountName?: string;
      /**
       * Prefix of the names of the generated Kustomizations. Use a prefix if the repository already uses one of these names, such as `namespaces`.
       */
      namePrefix: string;
      /**
       * Settings for the decryption of files by Flux.
       */
      decryption: {
        /**
         * Secret in Flux's namespace that contains the cluster's age key. `meshops bootstrap` creates this Secret.
         */
        secretRef: {
          /**
           * Name of the Secret. Use a name that no other program uses.
           */
          name: string;
        };
      };
      /**
       * Flux installation that `meshops bootstrap` creates.
       */
      flux: {
        /**
         * Flux version that `meshops bootstrap` installs if the cluster has no Flux. The generated files need Flux 2.7 or later. If the cluster already has Flux, bootstrap changes its version only with `--upgrade-flux`.
         */
        version?: string;
        /**
         * URL or path of Flux's install manifests. bootstrap applies these manifests if it cannot install Flux with the flux CLI.
         */
        manifests?: string;
      };
    };
    /**
     * Changes to the files that meshops generates for components. Each key is the name of a component. `meshops graph` lists the components of an environment.
     */
    components: {
      [k: string]: Override;
    };
    /**
     * Namespaces of workloads, and their settings for the mesh. Each key is the name of a namespace.
     */
    namespaces: {
      [k: string]: DeclaredNamespace;
    };
    /**
     * Your own services in the mesh. Each key is the name of a workload.
     */
    workloads: {
      [k: string]: Workload;
    };
    /**
     * Programs that read the metrics of the proxies.
     */
    monitoring: {
      /**
       * Prometheus that scrapes the metrics port (4191) of the proxies. Set exactly one of serviceAccountRef, cidrs and unmeshed.
       */
      prometheus?: {
        serviceAccountRef?: AccountReference;
        /**
         * Networks from which a Prometheus outside of the mesh connects to the proxies.
         */
        cidrs?: string[];
        /**
         * Namespace of a Prometheus without a proxy.
         */
        unmeshed?: string;
      };
    };
    /**
     * Settings of `meshops verify`.
     */
    verify: {
      /**
       * Image of the pods that `meshops verify` starts. The image must contain a shell and curl. For the tests of Dgraph, the image must also contain grpcurl, Python with grpcio, and a .proto file. The default for the tests of Dgraph is the image of the test client. The default for the tests of workloads is an image with curl.
       */
      image?: string;
    };
    /**
     * Settings for helmfile. Flux does not use these settings.
     */
    helmfile: {
      /**
       * Major version of Helm that helmfile runs. With Helm 4, meshops sets forceConflicts on Helm releases with webhooks. Helm then overwrites changes of other programs to these webhooks, for example changes of the admissions enforcer of AKS.
       */
      helmVersion: 3 | 4;
    };
    /**
     * Recipients that can decrypt the encrypted files. You can omit this section only if the certificates of the mesh are external (linkerd.identity.provider: external, or linkerd.lifecycle: existing).
     */
    secrets?: {
      /**
       * age recipients of the cluster. Flux decrypts the Secrets with the matching private key. The cluster cannot decrypt the private key of the trust anchor.
       */
      age: string[];
      /**
       * age recipients of the administrators. Administrators can decrypt all files, including the private key of the trust anchor.
       */
      admin: string[];
      /**
       * Identifier of a key in Azure Key Vault that can also decrypt the Secrets. The identifier must contain the version of the key.
       */
      azureKeyVault?: string;
    };
    /**
     * The service mesh.
     */
    linkerd: {
      /**
       * Linkerd release. If you change this field, the versions of the charts, the images and the APIs also change.
       */
      version: string;
      /**
       * Tool that installs Linkerd. managed: meshops installs Linkerd and its extensions. existing: another tool installs Linkerd and its extensions. meshops then generates no component of Linkerd, and changes nothing in the namespaces of Linkerd. `version`, `clusterDomain`, `identity.trustDomain`, `viz` and `jaeger` then describe the existing installation in the cluster.
       */
      lifecycle: "managed" | "existing";
      /**
       * Clients that can connect to a port of a meshed pod if no Server selects the port. A namespace or a pod can set another policy. If another tool installs Linkerd, set this field to the policy of that installation.
       */
      defaultInboundPolicy:
        | "all-unauthenticated"
        | "all-authenticated"
        | "cluster-unauthenticated"
        | "cluster-authenticated"
        | "deny"
        | "audit";
      /**
       * Whether the control plane runs with three replicas, anti-affinity, PodDisruptionBudgets and resource requests.
       */
      highAvailability: boolean;
      /**
       * Settings of the pods of the control plane.
       */
      controlPlane: {
        /**
         * Number of pods of each Deployment of the control plane. The default is 1, or 3 with high availability.
         */
        replicas?: number;
        resources?: Resources;
        nodeSelector?: NodeSelector;
        tolerations?: Tolerations;
        topologySpread?: TopologySpread;
        priorityClassName?: PriorityClassName;
        podDisruptionBudget?: PodDisruptionBudget;
      };
      imagePullSecrets?: ImagePullSecrets;
      /**
       * DNS domain of the cluster.
       */
      clusterDomain: string;
      /**
       * Identities and certificates for mutual TLS.
       */
      identity: {
        /**
         * Program that issues the certificates. sops: `meshops identity` issues the certificates, and the repository contains their private keys, encrypted with SOPS. external: another program, such as cert-manager, writes the issuer's Secret and the trust bundle in the cluster. The repository then contains no key, and `spec.secrets` is optional. With `lifecycle: existing`, the certificates are always external.
         */
        provider: "sops" | "external";
        trustAnchors?: TrustAnchors;
        /**
         * Program that issues the certificates of the webhooks if the provider is external. external: another program writes the Secrets, and cert-manager's CA injector sets caBundle. The CA injector uses the Certificates that have the same names as the Services of the webhooks. chart: Linkerd's charts create new certificates at each upgrade.
         */
        webhooks: "external" | "chart";
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
       * Failure policy of Linkerd's webhooks. The policy applies while the webhooks are not available. Ignore: new pods start without a proxy. Fail: the API server rejects new pods. auto: Fail with high availability, otherwise Ignore.
       */
      webhookFailurePolicy: "auto" | "Ignore" | "Fail";
      /**
       * Whether pods use the linkerd-cni plugin instead of an init container. You must install the plugin yourself.
       */
      cni: boolean;
      /**
       * Tool that installs the CRDs of the Gateway API. linkerd: Linkerd's chart linkerd-crds installs the CRDs. external: another tool installs the CRDs.
       */
      gatewayApi: "linkerd" | "external";
      /**
       * The viz extension: metrics, tap and dashboard.
       */
      viz: {
        /**
         * Whether the viz extension is installed. With `lifecycle: existing`, specify here whether another tool has installed viz in the cluster.
         */
        enabled: boolean;
        /**
         * Whether Grafana is installed with Linkerd's dashboards. The viz dashboard links to Grafana. Grafana downloads Linkerd's dashboards from grafana.com when it starts.
         */
        grafana: boolean;
      };
      /**
       * Distributed tracing. If the Linkerd release contains the linkerd-jaeger extension, meshops installs the extension. Otherwise, meshops installs Jaeger v2 and configures the proxies to export traces.
       */
      jaeger: {
        /**
         * Whether tracing is installed. Pods that are already running export traces after their next restart.
         */
        enabled: boolean;
      };
    };
    /**
     * Dgraph database, which runs in the mesh.
     */
    dgraph: {
      /**
       * Whether Dgraph is installed, with its policies, its routes and the test client.
       */
      enabled: boolean;
      /**
       * Version of Dgraph's chart. Each version stores the data in a different format. To change the version of a running Dgraph, you must export and import the data. `meshops diff` prints the commands.
       */
      chart: string;
      /**
       * Namespace of Dgraph. If you change the namespace while Dgraph is running, a second, empty Dgraph starts in the new namespace.
       */
      namespace: string;
      /**
       * Name of the Helm release. The names of the Services are <release>-dgraph-alpha and <release>-dgraph-zero. If you change the name, Flux uninstalls the running release. The volumes of the running release are not deleted, but the pods of the new release start with empty volumes.
       */
      release: string;
      /**
       * Number of Alphas in each group. Each Alpha of a group stores a copy of the same shard.
       */
      replicationFactor: 1 | 3 | 5 | 7;
      /**
       * Whether the pods of Dgraph have resource requests and a PodDisruptionBudget, and are spread over nodes and zones if possible. Settings in alpha and zero take precedence over these settings.
       */
      highAvailability: boolean;
      imagePullSecrets?: ImagePullSecrets;
      /**
       * The servers that store data and answer queries.
       */
      alpha: {
        resources?: Resources;
        nodeSelector?: NodeSelector;
        tolerations?: Tolerations;
        topologySpread?: TopologySpread;
        priorityClassName?: PriorityClassName;
        podDisruptionBudget?: PodDisruptionBudget;
        /**
         * Whether two pods may run on the same node. With hard, pods stay Pending if the cluster has fewer nodes than replicas.
         */
        antiAffinity: "soft" | "hard";
        /**
         * Number of Alpha pods.
         */
        replicas: number;
        /**
         * Size of each Alpha volume. The size is immutable after the StatefulSet has been created.
         */
        storage: string;
        /**
         * StorageClass of the volumes. If omitted, the volumes use the cluster's default StorageClass.
         */
        storageClass?: string;
        /**
         * IP address ranges from which Alpha accepts admin operations (alter, backup, export). A meshed call reaches Alpha through the proxy in Alpha's pod. Alpha therefore sees the address of its own pod as the source address. The list must contain the IP range of the pods. To restrict the access of clients, use `clients`.
         */
        whitelist: string[];
      };
      /**
       * The servers that coordinate the Dgraph cluster.
       */
      zero: {
        resources?: Resources;
        nodeSelector?: NodeSelector;
        tolerations?: Tolerations;
        topologySpread?: TopologySpread;
        priorityClassName?: PriorityClassName;
        podDisruptionBudget?: PodDisruptionBudget;
        /**
         * Whether two pods may run on the same node. With hard, pods stay Pending if the cluster has fewer nodes than replicas.
         */
        antiAffinity: "soft" | "hard";
        /**
         * Number of Zero pods.
         */
        replicas: number;
        /**
         * Size of each Zero volume. The size is immutable after the StatefulSet has been created.
         */
        storage: string;
        /**
         * StorageClass of the volumes. If omitted, the volumes use the cluster's default StorageClass.
         */
        storageClass?: string;
      };
      /**
       * How the proxy handles Raft traffic on ports 5080 and 7080. opaque: the proxy uses mutual TLS and does not detect the protocol. skip: traffic bypasses the proxy, as in the article AKS with Linkerd Service Mesh. mesh: the proxy detects the protocol. If Dgraph is running, set networkPolicy to false before you change skip to another value. Otherwise, restarted pods refuse connections from pods that have not restarted.
       */
      internalPorts: "opaque" | "skip" | "mesh";
      /**
       * Meshed workloads that are allowed to connect to Dgraph. meshops generates NetworkPolicies and AuthorizationPolicies from this list. The policies refuse all other clients.
       */
      clients: Client[];
      /**
       * Whether meshops generates NetworkPolicies and Linkerd policies that allow only the clients in `clients` to connect to Dgraph.
       */
      networkPolicy: boolean;
      /**
       * Objects with which the mesh recognizes Dgraph's gRPC methods: a ServiceProfile (true), GRPCRoutes (grpc-route), or no objects (false).
       */
      serviceProfile: true | false | "grpc-route";
      /**
       * Retries and timeouts of Dgraph's gRPC methods. Each key is the name of a method. By default, a method has no timeout, and calls are retried only if the method is read-only.
       */
      methods: {
        [k: string]: Method;
      };
    };
    /**
     * The test client from the article AKS with Linkerd Service Mesh.
     */
    pydgraphClient: {
      /**
       * Whether the client is deployed.
       */
      enabled: boolean;
      /**
       * Namespace of the client.
       */
      namespace: string;
      /**
       * Whether the client's pods have a proxy.
       */
      inject: boolean;
      /**
       * Name of the client image, without a tag. If omitted, the image is pydgraph-client in the environment's registry.
       */
      image?: string;
      /**
       * Tag of the client image.
       */
      tag: string;
    };
    /**
     * Settings for the rules that `meshops validate` checks.
     */
    rules: {
      /**
       * Warnings that `meshops validate` suppresses, each with a reason.
       *
       * Items: A warning that `meshops validate` suppresses.
       */
      ignore: {
        /**
         * Code of the warning.
         */
        code:
          | "age-key-shared"
          | "aks-cluster-domain"
          | "audit-admits-more"
          | "azure-location-unknown"
          | "azure-size-unsuitable"
          | "calico-with-cni"
          | "client-cidrs-cilium"
          | "client-namespace-unmeshed"
          | "client-not-listed"
          | "client-not-meshed"
          | "client-sources-missing"
          | "client-weak"
          | "context-shared"
          | "dependency-helmfile"
          | "dependency-root"
          | "dgraph-alpha-group"
          | "dgraph-chart-untested"
          | "dgraph-methods-unused"
          | "dgraph-nodes-too-few"
          | "dgraph-preview"
          | "dgraph-whitelist-open"
          | "gitops-name-taken"
          | "gitops-path-mismatch"
          | "grafana-without-viz"
          | "identity-shared"
          | "identity-validity-short"
          | "internal-ports-skipped"
          | "internal-ports-stall"
          | "ipv6-unsupported"
          | "jaeger-trust-domain"
          | "kubernetes-too-new"
          | "linkerd-setting-unused"
          | "linkerd-version-untested"
          | "network-policy-unenforced"
          | "override-replaces"
          | "patch-hook"
          | "patch-unchecked"
          | "resource-group-shared"
          | "selector-overlap"
          | "value-unknown"
          | "values-from-helmfile"
          | "webhook-policy-fail"
          | "webhook-policy-ignore"
          | "workload-field-unused"
          | "workload-namespace-helmfile"
          | "workload-port-skipped"
          | "workload-risk";
        /**
         * Reason why the warning is acceptable in this environment.
         */
        reason: string;
      }[];
    };
  };
}
/**
 * Name and namespace of a Flux object.
 */
export interface FluxObject {
  /**
   * Name of the object.
   */
  name: string;
  /**
   * Namespace of the object.
   */
  namespace: string;
}
/**
 * Changes to the generated files of one component.
 */
export interface Override {
  /**
   * Chart values. These values are merged with the generated values, and take precedence over the generated values. If a value is null, Helm removes the default value of the chart. To remove the values that this spec inherits, set values: null.
   */
  values: {
    [k: string]: unknown;
  };
  /**
   * ConfigMaps and Secrets that contain values of the chart. The objects are in the namespace of the component. Their values are merged over the values that meshops generates, in the order of the list. The values in `values` are merged last. Only Flux reads these objects.
   */
  valuesFrom: ValuesSource[];
  /**
   * Kustomize patches for the objects of the component. Each key is a name that you choose. The patches are applied after the generated patches, in the alphabetical order of their names.
   */
  patches: {
    [k: string]: ComponentPatch;
  };
  /**
   * Additional dependencies of the component. These dependencies must be ready before Flux or helmfile applies the component. helmfile ignores Kustomizations and HelmReleases in this list.
   */
  dependsOn: Dependency[];
  /**
   * Time within which the component must become ready.
   */
  timeout?: string;
  /**
   * Whether updates of the component are suspended. If true, Flux and helmfile do not change the component. Flux and helmfile apply changes in Git only after you set suspend to false again.
   */
  suspend: boolean;
}
/**
 * An object that contains values. Set exactly one of configMapRef and secretRef.
 */
export interface ValuesSource {
  configMapRef?: ValuesReference;
  secretRef?: ValuesReference;
}
/**
 * An object, and the key of its data that contains the values as YAML.
 */
export interface ValuesReference {
  /**
   * Name of the ConfigMap or Secret.
   */
  name: string;
  /**
   * Key of the object's data that contains the values as YAML.
   */
  key: string;
}
/**
 * A Kustomize patch.
 */
export interface ComponentPatch {
  /**
   * Objects to which the patch applies. If you omit a field, objects with any value of this field match. A JSON patch requires a target.
   */
  target?: {
    /**
     * API group of the objects.
     */
    group?: string;
    /**
     * API version of the objects.
     */
    version?: string;
    /**
     * Kind of the objects, or a regular expression that matches the kind.
     */
    kind?: string;
    /**
     * Name of the objects, or a regular expression that matches the name.
     */
    name?: string;
    /**
     * Namespace of the objects, or a regular expression that matches the namespace.
     */
    namespace?: string;
    /**
     * Selector for the labels of the objects.
     */
    labelSelector?: string;
    /**
     * Selector for the annotations of the objects.
     */
    annotationSelector?: string;
  };
  /**
   * A strategic merge patch (a map) or a JSON patch (a list), as YAML text.
   */
  patch: string;
}
/**
 * A dependency. Set exactly one of component, workload, kustomization and helmRelease.
 */
export interface Dependency {
  /**
   * Name of a component of this environment.
   */
  component?: string;
  /**
   * Name of a workload of this environment that has a source.
   */
  workload?: string;
  kustomization?: FluxObject;
  helmRelease?: FluxObject;
}
/**
 * A namespace of workloads.
 */
export interface DeclaredNamespace {
  /**
   * Whether meshops creates the namespace and sets its labels and annotations. If false, meshops does not change the namespace. `meshops status` and `meshops verify` then compare the annotations of the existing namespace with the settings in `mesh`. meshops never deletes a namespace.
   */
  create: boolean;
  /**
   * Labels of the namespace, for example the labels that set the Pod Security level.
   */
  labels: {
    [k: string]: string;
  };
  /**
   * Settings of the mesh for the pods in the namespace. The settings apply when a pod is created. Running pods must restart before a change takes effect.
   */
  mesh: {
    /**
     * Whether new pods get a proxy (annotation linkerd.io/inject). If omitted, a pod gets a proxy only if the pod itself has this annotation.
     */
    inject?: "enabled" | "ingress" | "disabled";
    /**
     * Clients that can connect to a port if no Server selects the port (annotation config.linkerd.io/default-inbound-policy).
     */
    defaultInboundPolicy?:
      | "all-unauthenticated"
      | "all-authenticated"
      | "cluster-unauthenticated"
      | "cluster-authenticated"
      | "deny"
      | "audit";
    /**
     * Settings of the proxies. Each key is an annotation without the prefix config.linkerd.io/.
     */
    proxy: {
      [k: string]: string;
    };
  };
}
/**
 * One of your own services. The fields specify its source, its pods, and the clients that can connect to these pods.
 */
export interface Workload {
  /**
   * Namespace of the workload.
   */
  namespace: string;
  /**
   * Source from which Flux and helmfile install the workload. Set exactly one of chart, oci and path. If you omit this field, another tool must install the workload, and meshops writes only the policies of the workload.
   */
  source?: {
    chart?: ChartSource;
    oci?: OciSource;
    /**
     * Folder of this repository with a kustomization.yaml.
     */
    path?: string;
  };
  /**
   * Values of the chart. If a value is null, Helm removes the default value of the chart. To remove the values that this spec inherits, set values: null.
   */
  values: {
    [k: string]: unknown;
  };
  /**
   * ConfigMaps and Secrets that contain values of the chart. The objects are in the namespace of the workload. Their values are merged in the order of the list. The values in `values` are merged last. Only Flux reads these objects.
   */
  valuesFrom: ValuesSource[];
  /**
   * SOPS-encrypted files of this repository. Each file contains one Secret in the namespace of the workload. meshops copies the encrypted files to the overlay of the workload. Flux and helmfile decrypt the files.
   */
  secrets: string[];
  /**
   * Images of the workload's containers, with tags. Write each image exactly as in the chart or in the folder of the workload. If images are mirrored, meshops copies these images. If the workload has a source, its pods then pull the copies.
   */
  images: string[];
  /**
   * Kustomize patches for the objects of the workload. Each key is a name that you choose. The patches are applied after the generated patches, in the alphabetical order of their names.
   */
  patches: {
    [k: string]: ComponentPatch;
  };
  /**
   * Dependencies that must be ready before Flux and helmfile install the workload. If the workload has no source, Flux waits for the dependencies before it applies the workload's policies. In this case, only Kustomizations are allowed.
   */
  dependsOn: Dependency[];
  /**
   * Time within which the workload must become ready. The default is 5m.
   */
  timeout?: string;
  /**
   * Whether updates of the workload are suspended. If true, Flux and helmfile do not change the workload. Flux and helmfile apply changes in Git only after you set suspend to false again. Updates of the workload's policies are not suspended.
   */
  suspend: boolean;
  /**
   * Whether pods restart automatically after a change that a proxy notices only when it starts: a change of the trust anchors, of the trust anchor that signed the issuer, of the trust domain, of the cluster domain, of IPv6 or of the Linkerd version. onIdentityChange: pods restart automatically. This applies only to pods with a pod template in which meshops sets proxy annotations. manual: pods restart only when you restart them. Pods that have not restarted after the change cannot connect to the mesh.
   */
  restart: "onIdentityChange" | "manual";
  /**
   * Sets of pods that share labels, a service account and ports. Each key is the name of a set of pods.
   */
  pods: {
    [k: string]: PodSet;
  };
}
/**
 * A Helm chart in a chart repository.
 */
export interface ChartSource {
  /**
   * URL of the chart repository.
   */
  repository: string;
  /**
   * Name of the chart in the repository.
   */
  name: string;
  version: ChartVersion;
  releaseName?: ReleaseName;
}
/**
 * A Helm chart in an OCI registry.
 */
export interface OciSource {
  /**
   * URL of the chart, without a version.
   */
  url: string;
  version: ChartVersion;
  /**
   * Digest of the chart's manifest. Flux and helmfile then install exactly this chart, even if the version in the registry changes.
   */
  digest?: string;
  releaseName?: ReleaseName;
}
/**
 * Pods that share labels, a service account and ports.
 */
export interface PodSet {
  /**
   * Object that creates the pods. Omit this field if an operator creates the pods.
   */
  workloadRef?: {
    /**
     * Kind of the object.
     */
    kind: "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "CronJob";
    /**
     * Name of the object.
     */
    name: string;
  };
  /**
   * Labels that select the pods of this set. All pods of this set must have these labels. Other pods of the namespace must not have all these labels.
   */
  selector: {
    /**
     * Labels that the pods have, with their values.
     */
    matchLabels: {
      [k: string]: string;
    };
    /**
     * Requirements for labels, as in a Kubernetes label selector.
     *
     * Items: A requirement for the value of a label.
     */
    matchExpressions: {
      /**
       * Key of the label.
       */
      key: string;
      /**
       * Relation between the label and the values.
       */
      operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
      /**
       * Values with which the operator compares the label.
       */
      values: string[];
    }[];
  };
  /**
   * Service account of the pods. When the pods connect to other pods, this account is their identity in the mesh.
   */
  serviceAccountName: string;
  /**
   * Whether the pods have a proxy. inherited: the pods have a proxy if the annotation of their namespace enables injection.
   */
  inject: "inherited" | "enabled" | "ingress" | "disabled";
  /**
   * Settings of the proxies. Each key is an annotation without the prefix config.linkerd.io/.
   */
  proxy: {
    [k: string]: string;
  };
  /**
   * Names of the Services of these pods. If the workload has a source, meshops annotates these Services with the opaque ports of the pods.
   */
  services: string[];
  /**
   * Ports on which the pods listen. Each key is the name of a port. Pods that only connect to other pods have no ports.
   */
  ports: {
    [k: string]: WorkloadPort;
  };
  /**
   * Access of clients to the ports of the pods.
   */
  access: {
    /**
     * off: meshops writes no policies. audit: Linkerd admits all clients, and counts and logs the requests of clients that are not in `clients`. enforce: NetworkPolicies and Linkerd's policies admit only the clients in `clients`.
     */
    mode: "off" | "audit" | "enforce";
    /**
     * Clients that may connect. Each key is a name that you choose. For each client, set exactly one of serviceAccountRef, workload, namespace, cidrs and builtin.
     */
    clients: {
      [k: string]: WorkloadClient;
    };
  };
  routes?: Routes;
}
/**
 * A port on which the pods listen.
 */
export interface WorkloadPort {
  /**
   * Number of the container's port, not of the Service's port.
   */
  port: number;
  /**
   * Port number at which the Services in `services` provide this port. The default is the number in `port`.
   */
  servicePort?: number;
  /**
   * Protocol of the connections, as in the field proxyProtocol of a Server. Use opaque if the server sends the first bytes, as MySQL does, and TLS if the application encrypts the connection. unknown: the proxy detects the protocol.
   */
  protocol: "HTTP/1" | "HTTP/2" | "gRPC" | "TLS" | "opaque" | "unknown";
  /**
   * Access mode of this port. The default is `access.mode` of the set of pods.
   */
  access?: "off" | "audit" | "enforce";
}
/**
 * A client of the pods. Set exactly one of serviceAccountRef, workload, namespace, cidrs and builtin.
 */
export interface WorkloadClient {
  serviceAccountRef?: AccountReference;
  /**
   * Set of pods in this spec, in the form workload/set. All pods that use the service account of this set are clients.
   */
  workload?: string;
  /**
   * All meshed pods of a namespace.
   */
  namespace?: string;
  /**
   * Networks of clients. Every program in these networks may connect, with or without a proxy.
   */
  cidrs?: string[];
  /**
   * kubelet: the nodes in cluster.networks.nodes, for probes that Linkerd does not allow automatically. apiServer: the addresses in cluster.networks.apiServer, for webhooks. meshed: all meshed pods of the cluster. everyone: all clients, with or without an identity.
   */
  builtin?: "kubelet" | "apiServer" | "meshed" | "everyone";
  /**
   * Names or numbers of the ports to which the client may connect. The default is all ports.
   */
  ports?: (string | number)[];
}
/**
 * Service account of a meshed client. The service account determines the mesh identity of the client.
 */
export interface AccountReference {
  /**
   * Namespace of the service account.
   */
  namespace: string;
  /**
   * Name of the service account.
   */
  name: string;
}
/**
 * Routes for the gRPC methods of these pods. With routes, metrics, retries and timeouts are separate for each method.
 */
export interface Routes {
  /**
   * Name of the Service that clients use. The Service must have a cluster IP.
   */
  service: string;
  /**
   * Name or number of a port in `ports`. The protocol of this port must be gRPC or HTTP/2.
   */
  port: string | number;
  /**
   * ServiceProfile: routes for all ports of the Service. GRPCRoute: one route per method, for the port in the field `port`.
   */
  kind: "ServiceProfile" | "GRPCRoute";
  /**
   * File of this repository that defines the gRPC services. meshops does not read the files that this file imports.
   */
  proto: string;
  /**
   * Retries and timeouts. Each key is the name of a method. By default, a method has no timeout, and calls are retried only if the .proto file marks the method as idempotent.
   */
  methods: {
    [k: string]: Method;
  };
}
/**
 * Retries and timeout of a gRPC method.
 */
export interface Method {
  /**
   * Whether failed calls are retried. With a ServiceProfile, a call is retried after any failure, within Linkerd's retry budget. With GRPCRoutes, a call is retried once, and only if the server returns the status unavailable. If omitted, Dgraph's methods are retried only if they are read-only. Methods of workloads are then retried only if the .proto file marks them as idempotent.
   */
  retry?: boolean;
  /**
   * Maximum duration of a call, including its retries.
   */
  timeout?: string;
}
/**
 * Requests and limits of each container, as in Kubernetes.
 */
export interface Resources {
  requests?: Quantities;
  limits?: Quantities;
}
/**
 * Quantities of CPU and memory.
 */
export interface Quantities {
  /**
   * Number of CPUs.
   */
  cpu?: string;
  /**
   * Size of the memory.
   */
  memory?: string;
}
/**
 * Required labels of the nodes. The pods run only on nodes with all these labels.
 */
export interface NodeSelector {
  [k: string]: string;
}
/**
 * A toleration, as in Kubernetes.
 */
export interface Toleration {
  /**
   * Key of the taints that the toleration matches.
   */
  key?: string;
  /**
   * Operator that compares the value of the toleration with the value of the taint.
   */
  operator?: "Exists" | "Equal";
  /**
   * Value of the taints that the toleration matches.
   */
  value?: string;
  /**
   * Effect of the taints that the toleration matches.
   */
  effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}
/**
 * A topology spread constraint. meshops sets its label selector.
 */
export interface Spread {
  /**
   * Key of a node label. All nodes with the same value of this label are one group. The pods are spread over these groups.
   */
  topologyKey: string;
  /**
   * Maximum difference between the numbers of pods in two groups.
   */
  maxSkew: number;
  /**
   * Behavior if a pod cannot meet the constraint. ScheduleAnyway: the pod runs although it does not meet the constraint. DoNotSchedule: the pod stays Pending.
   */
  whenUnsatisfiable: "ScheduleAnyway" | "DoNotSchedule";
}
/**
 * Limit for the number of pods that may be unavailable while nodes are drained.
 */
export interface PodDisruptionBudget {
  /**
   * Maximum number of pods that may be unavailable at the same time.
   */
  maxUnavailable: number;
}
/**
 * Object from which Linkerd gets the trust bundle if the provider is external. Set exactly one of configMapRef and secretRef. The default is the ConfigMap linkerd-identity-trust-roots.
 */
export interface TrustAnchors {
  /**
   * The ConfigMap in namespace linkerd that Linkerd reads. Another program writes this ConfigMap. The key ca-bundle.crt contains the trust bundle.
   */
  configMapRef?: {
    /**
     * Name of the ConfigMap. Linkerd reads only the ConfigMap linkerd-identity-trust-roots.
     */
    name: "linkerd-identity-trust-roots";
  };
  /**
   * Secret in namespace linkerd with the trust bundle in PEM form. Flux passes the trust bundle to Linkerd's chart, and the chart writes the ConfigMap linkerd-identity-trust-roots. helmfile cannot read the Secret.
   */
  secretRef?: {
    /**
     * Name of the Secret.
     */
    name: string;
    /**
     * Key of the Secret's data that contains the trust bundle.
     */
    key: string;
  };
}
/**
 * A workload that is allowed to connect to Dgraph, identified by its mesh identity.
 */
export interface Client {
  /**
   * Namespace of the client.
   */
  namespace: string;
  /**
   * Service account of the client. The service account determines the mesh identity of the client.
   */
  serviceAccount: string;
  /**
   * Names or numbers of the ports to which the client may connect. The port http has the number 8080, and the port grpc has the number 9080.
   */
  ports: ("http" | "grpc" | 8080 | 9080)[];
}
