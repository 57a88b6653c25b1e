import { type Image, registryHost } from "../../catalog/image.ts";
import { injectKey } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { hostOf } from "../../mesh/service.ts";
import type { Component, Context } from "../component.ts";
import { alphaService } from "../dgraph/names.ts";
import { annotatePods, revisionAnnotation } from "../pod-template.ts";
import { clientRules } from "./rules.ts";

/** Name of everything of the client's: its objects, its container, and its image in bases/pydgraph-client. */
const name = "pydgraph-client";

/** The article's test client: a pod with tools to talk to Dgraph over HTTP and gRPC. */
export const pydgraphClient: Component = {
  name,
  needs: ["dgraph", "dgraph-policy", "service-profile"],
  enabled: ({ environment }) => environment.spec.pydgraphClient.enabled,
  rules: clientRules,
  build: (context) => {
    const { namespace } = context.environment.spec.pydgraphClient;
    const image = clientImage(context);
    return {
      namespace,
      partOf: "meshops",
      base: name,
      patches: [injection(context), server(context)],
      images: [image],
      baseImages: { [name]: image },
    };
  },
};

function clientImage({ environment }: Context): Image {
  const { azure, pydgraphClient } = environment.spec;
  const own = azure?.registry === undefined ? undefined : `${registryHost(azure.registry.name)}/${name}`;
  const image = pydgraphClient.image ?? own;
  if (image === undefined) throw new Error("a client without an image has passed validation");
  return { name: image, tag: pydgraphClient.tag, runs: "pod" };
}

function injection({ environment, identityRevision }: Context): KubernetesObject {
  const inject = environment.spec.pydgraphClient.inject;
  return annotatePods(
    "Deployment",
    { name },
    inject ? { [injectKey]: "enabled", ...revisionAnnotation(identityRevision) } : { [injectKey]: "disabled" },
  );
}

function server({ environment }: Context): KubernetesObject {
  const env = [{ name: "DGRAPH_ALPHA_SERVER", value: hostOf(alphaService(environment)) }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { template: { spec: { containers: [{ name, env }] } } },
  };
}
