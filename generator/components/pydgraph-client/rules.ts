import { goneImage } from "../../catalog/removed-images.ts";
import { unmeshedReason } from "../../mesh/namespace-settings.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type FileRule, type RepositoryFiles, type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { imageGone } from "../image-gone.ts";

/** Rules for the test client. */
export const clientRules: readonly Rule[] = [
  {
    code: "client-image",
    severity: "error",
    title: "The test client has no image",
    why: "By default, `meshops bootstrap` builds the image of the test client from clients/pydgraph, in the registry that `azure.registry` specifies. If the spec sets neither `azure.registry` nor `pydgraphClient.image`, the test client has no image.",
    fix: "To specify an image, set `pydgraphClient.image`. To use the image that is built from clients/pydgraph, add `azure.registry`. To disable the test client, set `pydgraphClient.enabled: false`.",
    check: clientImage,
  },
  {
    code: "client-not-listed",
    severity: "warning",
    title: "The test client is meshed, but not allowed to call Dgraph",
    why: "`dgraph.clients` lists the clients that are allowed to call Dgraph. This list does not contain the service account of the test client. Dgraph therefore refuses the calls of the test client.",
    fix: "Add the client's namespace and service account to `dgraph.clients`. If you want to demonstrate that Dgraph refuses the client, silence the rule.",
    check: clientListed,
  },
  {
    code: "client-not-meshed",
    severity: "warning",
    title: "A client in `dgraph.clients` has no proxy",
    why:
      "`dgraph.clients` allows clients by identity, and a client gets its identity from its proxy. If a client in this list has no proxy, Dgraph's NetworkPolicy drops the client's packets. " +
      "The second test of the article “AKS with Linkerd Service Mesh” needs a client in `dgraph.clients` without a proxy. Other environments rarely need such a client.",
    fix: "Set `pydgraphClient.inject: true`, or remove the client from `dgraph.clients`. If you run the second test of this article, silence the rule.",
    check: clientMeshed,
  },
  { ...imageGone, check: clientImagePulls },
];

/** Rule about the sources of the test client. */
export const clientSourcesRule: FileRule = {
  code: "client-sources-missing",
  severity: "warning",
  title: "The repository has no sources of the test client",
  why: "`meshops bootstrap` builds the image of the test client from the folder clients/pydgraph. If this folder has no Dockerfile, `bootstrap` does not build the image. The pods of the test client then cannot start until another tool pushes the image to the registry.",
  fix: "Run `meshops init . --keep --with-client`, which copies the sources to clients/pydgraph. Or disable the test client with `pydgraphClient.enabled: false`. If another tool pushes the image to the registry, silence the rule.",
  check: missingSources,
};

function* missingSources(environment: Environment, { exists }: RepositoryFiles): Iterable<RuleFinding> {
  const { azure, pydgraphClient } = environment.spec;
  if (!hasClient(environment) || pydgraphClient.image !== undefined || azure?.registry === undefined) return;
  if (exists(`${clientSources}/Dockerfile`)) return;
  yield {
    paths: [spec("pydgraphClient", "enabled"), spec("pydgraphClient"), spec("azure", "registry")],
    message: `meshops bootstrap does not build the image of the test client, because ${clientSources}/Dockerfile does not exist`,
    fix: "set pydgraphClient.enabled: false; or copy the sources with meshops init . --keep --with-client",
  };
}

/** Folder of the sources of the test client in a platform repository. */
export const clientSources = "clients/pydgraph";

/** Name of the service account in bases/pydgraph-client. */
const serviceAccount = "pydgraph-client";

/** Whether an environment has the test client. The test client needs Dgraph. */
export function hasClient({ spec: { dgraph, pydgraphClient } }: Environment): boolean {
  return dgraph.enabled && pydgraphClient.enabled;
}

function* clientImage(environment: Environment): Iterable<RuleFinding> {
  const { azure, pydgraphClient } = environment.spec;
  if (!hasClient(environment) || pydgraphClient.image !== undefined || azure?.registry !== undefined) return;
  yield {
    paths: [spec("pydgraphClient", "enabled"), spec("pydgraphClient")],
    message: "the test client has no image: neither pydgraphClient.image nor azure.registry is set",
    fix: "set pydgraphClient.image, or set pydgraphClient.enabled: false",
  };
}

function isListed({ spec: { dgraph, pydgraphClient } }: Environment): boolean {
  return dgraph.clients.some(
    (client) => client.namespace === pydgraphClient.namespace && client.serviceAccount === serviceAccount,
  );
}

function* clientListed(environment: Environment): Iterable<RuleFinding> {
  const { dgraph, pydgraphClient } = environment.spec;
  if (!hasClient(environment) || !pydgraphClient.inject || !dgraph.networkPolicy || isListed(environment)) return;
  yield {
    paths: [spec("dgraph", "clients"), spec("pydgraphClient", "namespace"), spec("pydgraphClient")],
    message: `Dgraph refuses the test client, because dgraph.clients does not list its service account ${pydgraphClient.namespace}/${serviceAccount}`,
    fix: `add {namespace: ${pydgraphClient.namespace}, serviceAccount: ${serviceAccount}} to dgraph.clients`,
  };
}

function* unmeshedClients(environment: Environment): Iterable<RuleFinding> {
  for (const [index, { namespace, serviceAccount: account }] of environment.spec.dgraph.clients.entries()) {
    const reason = unmeshedReason(namespace, environment);
    if (reason === null) continue;
    yield {
      paths: [spec("dgraph", "clients", index, "namespace"), spec("dgraph", "clients")],
      message: `${reason}. Dgraph then refuses the client ${namespace}/${account}`,
      fix: `set namespaces.${namespace}.mesh.inject: enabled, or remove the client from dgraph.clients`,
    };
  }
}

function* clientMeshed(environment: Environment): Iterable<RuleFinding> {
  const { dgraph, pydgraphClient } = environment.spec;
  if (dgraph.enabled && dgraph.networkPolicy) yield* unmeshedClients(environment);
  if (!hasClient(environment) || pydgraphClient.inject || !dgraph.networkPolicy || !isListed(environment)) return;
  yield {
    paths: [spec("pydgraphClient", "inject")],
    message: "the test client is listed in dgraph.clients, but has no proxy and therefore no identity",
    fix: "set pydgraphClient.inject: true",
  };
}

function* clientImagePulls(environment: Environment): Iterable<RuleFinding> {
  const { pydgraphClient } = environment.spec;
  if (!hasClient(environment) || pydgraphClient.image === undefined) return;
  const gone = goneImage(pydgraphClient.image);
  if (gone !== null) yield { paths: [spec("pydgraphClient", "image")], ...gone };
}
