import fc from "fast-check";
import { dgraphCharts } from "../../generator/catalog/dgraph.ts";
import { linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { clientImage, recipients } from "./specs.ts";

/** Returns a fast-check arbitrary for records in which each key can be missing. */
function some<T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const label = (maxLength: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[a-z]([-a-z0-9]{0,${maxLength - 2}}[a-z0-9])?$`));
/**
 * Names of namespaces with the prefix `x`. Because of the prefix, no name equals the name of a namespace of Linkerd or
 * Kubernetes.
 */
const namespace = label(50).map((name) => `x${name}`);
const quantity = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("Mi", "Gi", "Ti"))
  .map(([size, unit]) => `${size}${unit}`);
const address = fc
  .tuple(fc.ipV4(), fc.option(fc.integer({ min: 0, max: 32 }), { nil: undefined }))
  .map(([ip, bits]) => (bits === undefined ? ip : `${ip}/${bits}`));
/**
 * Image tags. YAML 1.1 interprets some of these tags, such as `yes` and `0x10`, as values of other types than string.
 */
const tag = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
  fc.constantFrom("1.0", "yes", "null", "0x10", "1e3", "on", "2001-01-01", "0o7", "1_000"),
);
const volumes = { storage: quantity, storageClass: label(30) };

const method = some({ retry: fc.boolean(), timeout: fc.constantFrom("250ms", "30s", "5m") });

/** Valid specs with random values in many fields that affect the bundle. */
export const validSpec: fc.Arbitrary<Record<string, unknown>> = fc
  .record(
    {
      gitops: fc
        .constant({ url: "https://github.com/acme/platform" })
        .chain((fixed) =>
          some({ interval: fc.constantFrom("1m", "10m", "1h30m"), branch: label(20) }).map((extra) => ({ ...fixed, ...extra })),
        ),
      secrets: fc.constant(recipients),
      azure: fc.record(
        {
          location: fc.constantFrom("westus2", "westeurope"),
          resourceGroup: fc.stringMatching(/^[A-Za-z0-9_().-]{0,88}[A-Za-z0-9_()-]$/),
          cluster: fc.record(
            {
              name: label(60),
              networkPolicy: fc.constant("cilium"),
              kubernetesVersion: fc.constantFrom("1.31", "1.34.2"),
              ipFamilies: fc.constantFrom(["ipv4"], ["ipv4", "ipv6"], ["ipv6", "ipv4"]),
            },
            { requiredKeys: ["name", "networkPolicy"] },
          ),
          registry: fc.record(
            { name: fc.stringMatching(/^[a-zA-Z0-9]{5,50}$/), mirrorImages: fc.boolean() },
            { requiredKeys: ["name"] },
          ),
        },
        { requiredKeys: ["location", "resourceGroup", "cluster"] },
      ),
      linkerd: some({
        version: fc.constantFrom(...linkerdReleases.map(({ version }) => version)),
        highAvailability: fc.boolean(),
        clusterDomain: fc.constantFrom("cluster.local", "example.org"),
        webhookFailurePolicy: fc.constantFrom("auto", "Ignore", "Fail"),
        cni: fc.boolean(),
        gatewayApi: fc.constantFrom("linkerd", "external"),
        viz: some({ enabled: fc.boolean(), grafana: fc.boolean() }),
        jaeger: some({ enabled: fc.boolean() }),
        identity: some({ trustDomain: fc.constantFrom("cluster.local", "mesh.example.org") }),
      }),
      dgraph: some({
        chart: fc.constantFrom(...dgraphCharts.map(({ version }) => version)),
        namespace,
        release: label(17),
        replicationFactor: fc.constantFrom(1, 3, 5),
        alpha: some({
          replicas: fc.integer({ min: 1, max: 99 }),
          whitelist: fc.uniqueArray(address, { maxLength: 4 }),
          ...volumes,
        }),
        zero: some({ replicas: fc.constantFrom(1, 3, 5, 7, 9), ...volumes }),
        internalPorts: fc.constantFrom("opaque", "skip", "mesh"),
        clients: fc.uniqueArray(
          fc.record(
            { namespace, serviceAccount: label(30), ports: fc.constantFrom(["http"], ["grpc"], ["grpc", "http"]) },
            { requiredKeys: ["namespace", "serviceAccount"] },
          ),
          {
            maxLength: 3,
            selector: ({ namespace: ns, serviceAccount }) => `${ns}/${serviceAccount}`,
          },
        ),
        networkPolicy: fc.boolean(),
        serviceProfile: fc.constantFrom(true, false, "grpc-route"),
        methods: some({ Query: method, CheckVersion: method }),
      }),
      pydgraphClient: fc.record(
        { image: fc.constant(clientImage), enabled: fc.boolean(), inject: fc.boolean(), namespace, tag },
        { requiredKeys: ["image"] },
      ),
    },
    { requiredKeys: ["gitops", "secrets", "pydgraphClient"] },
  )
  .filter(({ dgraph, linkerd }) => dgraph?.serviceProfile !== "grpc-route" || linkerd?.version !== "stable-2.14.10")
  .filter(({ dgraph }) => (dgraph?.alpha?.replicas ?? 3) >= (dgraph?.replicationFactor ?? 3))
  .map((spec) => spec as Record<string, unknown>);

const sign = fc.constantFrom(
  "- ",
  "? ",
  ": ",
  "{",
  "}",
  "[",
  "]",
  "&a ",
  "*a",
  "<<: ",
  "!!",
  "|",
  ">",
  "#",
  "'",
  '"',
  "\n",
  "  ",
  "---\n",
  "%",
  "\t",
  "a",
  "null",
);

/** Texts that consist of random pieces of YAML syntax, such as `- ` and `{`. */
export const yamlSigns: fc.Arbitrary<string> = fc.array(sign, { maxLength: 200 }).map((signs) => signs.join(""));
