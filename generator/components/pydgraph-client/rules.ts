import { goneImage } from "../../catalog/gone-images.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { imageGone } from "../image-gone.ts";

/** The article's test client. */
export const clientRules: readonly Rule[] = [
  {
    code: "client-image",
    severity: "error",
    title: "The client's image is nowhere",
    why: "It is built from clients/pydgraph and pushed to the environment's registry. Without a registry, and without an image's name, there is nothing to run.",
    fix: "Set `pydgraphClient.image`, or `pydgraphClient.enabled: false`, or give the environment an `azure.registry`.",
    check: clientImage,
  },
  {
    code: "client-not-listed",
    severity: "warning",
    title: "A meshed client that policy refuses",
    why: "`dgraph.clients` is who may reach Dgraph. The client has a proxy and an identity, but that identity is not on the list, so each of its calls is refused.",
    fix: "Add its namespace and service account to `dgraph.clients`; silence the rule where being refused is what you want to show.",
    check: clientListed,
  },
  {
    code: "client-not-meshed",
    severity: "warning",
    title: "A listed client without a proxy",
    why:
      "Being on `dgraph.clients` lets an identity in, and identity comes from the proxy. Without one, NetworkPolicy drops the client's packets: " +
      "it is the article's second test, and seldom what a platform wants.",
    fix: "Set `pydgraphClient.inject: true`, or take it off the list; silence the rule where you run the article's test.",
    check: clientMeshed,
  },
  { ...imageGone, check: clientImagePulls },
];

/** The service account of bases/pydgraph-client. */
const serviceAccount = "pydgraph-client";

function* clientImage({ spec: { azure, pydgraphClient } }: Environment): Iterable<RuleFinding> {
  if (!pydgraphClient.enabled || pydgraphClient.image !== undefined || azure?.registry !== undefined) return;
  yield {
    paths: [spec("pydgraphClient", "enabled"), spec("pydgraphClient")],
    message: "the client's image is nowhere: there is no azure.registry that it could be built in",
    fix: "set pydgraphClient.image, or pydgraphClient.enabled: false",
  };
}

function isListed({ spec: { dgraph, pydgraphClient } }: Environment): boolean {
  return dgraph.clients.some(
    (client) => client.namespace === pydgraphClient.namespace && client.serviceAccount === serviceAccount,
  );
}

function* clientListed(environment: Environment): Iterable<RuleFinding> {
  const { dgraph, pydgraphClient } = environment.spec;
  if (!pydgraphClient.enabled || !pydgraphClient.inject || !dgraph.networkPolicy || isListed(environment)) return;
  yield {
    paths: [spec("dgraph", "clients"), spec("pydgraphClient", "namespace"), spec("pydgraphClient")],
    message: `the client ${pydgraphClient.namespace}/${serviceAccount} is meshed, and not on the list of dgraph.clients`,
    fix: `add {namespace: ${pydgraphClient.namespace}, serviceAccount: ${serviceAccount}}`,
  };
}

function* clientMeshed(environment: Environment): Iterable<RuleFinding> {
  const { dgraph, pydgraphClient } = environment.spec;
  if (!pydgraphClient.enabled || pydgraphClient.inject || !dgraph.networkPolicy || !isListed(environment)) return;
  yield {
    paths: [spec("pydgraphClient", "inject")],
    message: "the client is on the list of dgraph.clients, and has no proxy to prove who it is",
    fix: "set inject: true",
  };
}

function* clientImagePulls({ spec: { pydgraphClient } }: Environment): Iterable<RuleFinding> {
  if (!pydgraphClient.enabled || pydgraphClient.image === undefined) return;
  const gone = goneImage(pydgraphClient.image);
  if (gone !== null) yield { paths: [spec("pydgraphClient", "image")], ...gone };
}
