import type { JsonMap } from "../../kubernetes/object.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { specFile } from "../../spec/layout.ts";
import { type Answers, clientTag } from "./answers.ts";

const modeline = "yaml-language-server: $schema=../node_modules/meshops/schema/environment.schema.json";

/** Returns the specs of a new repository: an abstract base spec, and one spec per environment. */
export function specs(answers: Answers): [path: string, text: string][] {
  return [
    spec(
      "base",
      "Settings that all environments share. This spec is abstract: meshops generates no files for it.",
      base(answers),
    ),
    ...answers.environments.map((name) => spec(name, commentOf(name, answers), environment(name, answers))),
  ];
}

/**
 * Returns the path and the text of the spec for an additional environment.
 *
 * @param options.base name of the spec that the new spec extends
 */
export function environmentSpec(
  name: string,
  { base: parent, ...answers }: Pick<Answers, "name" | "cluster" | "existingLinkerd"> & { readonly base: string },
): [path: string, text: string] {
  return spec(name, commentOf(name, answers), { ...environment(name, answers), extends: parent });
}

function commentOf(name: string, { existingLinkerd }: Pick<Answers, "existingLinkerd">): string {
  return existingLinkerd
    ? "Another tool installs Linkerd in this cluster."
    : `To add recipients to spec.secrets, run: meshops identity keygen ${name} --write`;
}

function spec(name: string, comment: string, content: JsonMap): [path: string, text: string] {
  const document = { apiVersion: "meshops.dev/v1alpha1", kind: "Environment", metadata: { name }, spec: content };
  return [specFile(name), toYaml([document], `${modeline}\n${comment}`)];
}

function testClient(client: Answers["client"]): JsonMap {
  if (client === null) return { enabled: false };
  return { ...(client.image === null ? {} : { image: client.image }), tag: clientTag };
}

function database(client: Answers["client"]): JsonMap {
  return {
    enabled: true,
    chart: "24.1.4",
    release: "demo",
    alpha: { replicas: 3, storage: "10Gi", whitelist: ["10.0.0.0/8"] },
    zero: { replicas: 3, storage: "10Gi" },
    internalPorts: "opaque",
    ...(client === null ? {} : { clients: [{ namespace: "pydgraph-client", serviceAccount: "pydgraph-client" }] }),
  };
}

function base({ cluster, url, branch, path, client, database: enabled, existingLinkerd }: Answers): JsonMap {
  return {
    abstract: true,
    gitops: { url, branch, ...(path === "." ? {} : { path }), interval: "10m" },
    ...(cluster === "aks"
      ? { azure: { location: "westus2", cluster: { nodeCount: 3, vmSize: "Standard_D2s_v5", networkPolicy: "calico" } } }
      : {}),
    linkerd: existingLinkerd
      ? { lifecycle: "existing", version: "edge-26.8.3", viz: { enabled: true } }
      : { version: "edge-26.8.3", viz: { enabled: true }, jaeger: { enabled: true } },
    dgraph: enabled ? database(client) : { enabled: false },
    ...(enabled ? { pydgraphClient: testClient(client) } : {}),
  };
}

function environment(
  name: string,
  { name: platform, cluster, existingLinkerd }: Pick<Answers, "name" | "cluster" | "existingLinkerd">,
): JsonMap {
  const own = `${platform}-${name}`;
  const azure = {
    resourceGroup: own,
    // The name of an Azure container registry must be globally unique, and must consist of 5 to 50 letters and digits.
    registry: {
      name: own
        .replace(/[^a-z0-9]/g, "")
        .padEnd(5, "0")
        .slice(0, 50),
      mirrorImages: true,
    },
    cluster: { name: own.slice(0, 63).replace(/-+$/, ""), ...(isProduction(name) ? { nodeCount: 6, zones: [1, 2, 3] } : {}) },
  };
  return {
    extends: "base",
    ...(cluster === "aks" ? { azure } : {}),
    ...(isProduction(name) && !existingLinkerd ? { linkerd: { highAvailability: true } } : {}),
  };
}

function isProduction(name: string): boolean {
  return /^prod/.test(name);
}
