import { type Image, registryHost } from "../../catalog/image.ts";
import { injectKey } from "../../catalog/well-known.ts";
import type { PodSet } from "../../mesh/pod-set.ts";
import { hostOf } from "../../mesh/service.ts";
import type { Component, ComponentProvider, ModelContext, NamespaceSpec } from "../component.ts";
import { alphaService } from "../dgraph/names.ts";
import { pullSecretsOf } from "../mirror.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import type { Patch } from "../patch.ts";
import { annotatePods, pullSecretPatches, revisionAnnotation } from "../pod-template.ts";
import { clientRules, clientSources, clientSourcesRule, hasClient } from "./rules.ts";

/** Name of the client's objects, its container, and its image in bases/pydgraph-client. */
const name = "pydgraph-client";

/** Test client of the article "AKS with Linkerd Service Mesh": a pod with tools that call Dgraph over HTTP and gRPC. */
export const pydgraphClient: ComponentProvider = {
  optional: ["pydgraph-client"],
  namespaceField: { section: "pydgraphClient", byDefault: "pydgraph-client" },
  rules: clientRules,
  fileRules: [clientSourcesRule],
  components: ({ environment }) => (hasClient(environment) ? [component] : []),
};

const component: Component = {
  id: name,
  group: "meshops",
  needs: [{ component: "dgraph" }, { component: "service-profile" }],
  build: (context) => {
    const { namespace } = context.environment.spec.pydgraphClient;
    const image = clientImage(context);
    return {
      namespace,
      namespaces: namespaces(context),
      delivery: {
        kind: "kustomization",
        base: name,
        images: { [name]: image },
        contains: [`apps/v1 Deployment ${name}`, `v1 ServiceAccount ${name}`],
      },
      patches: [injection(context), server(context), ...pullSecretPatches({ name }, pullSecretsOf(context.environment))],
      pods: [clientPods(context)],
      images: [image],
      probeImage: image,
      sources: clientSources,
    };
  },
};

/**
 * Returns the namespace of the client, with an annotation that enables or disables injection. Returns an empty list if
 * the client runs in Dgraph's namespace, because the client's component must not change Dgraph's namespace.
 */
function namespaces({ environment }: ModelContext): NamespaceSpec[] {
  const { dgraph, pydgraphClient } = environment.spec;
  if (pydgraphClient.namespace === dgraph.namespace) return [];
  const annotations = { [injectKey]: pydgraphClient.inject ? "enabled" : "disabled" };
  return [{ name: pydgraphClient.namespace, labels: podSecurity(environment), annotations }];
}

/** Returns the set of pods of the client. These pods have no ports. */
function clientPods({ environment }: ModelContext): PodSet {
  const { namespace, inject } = environment.spec.pydgraphClient;
  return {
    name,
    title: name,
    namespace,
    workloadRef: { kind: "Deployment", name },
    selector: { matchLabels: { "app.kubernetes.io/name": name } },
    serviceAccountName: name,
    inject: inject ? "enabled" : "disabled",
    replicas: 1,
    ports: {},
    access: { mode: "off", clients: [], viz: false },
  };
}

function clientImage({ environment }: ModelContext): Image {
  const { azure, pydgraphClient } = environment.spec;
  // A spec without an image is not valid (rule `client-image`). Other rules also build the model of such a spec, so
  // this function must not throw an error. For such a spec, it returns an image name without a registry.
  const own = azure?.registry === undefined ? name : `${registryHost(azure.registry.name)}/${name}`;
  return { name: pydgraphClient.image ?? own, tag: pydgraphClient.tag, runs: "pod" };
}

function injection({ environment, identity }: ModelContext): Patch {
  const inject = environment.spec.pydgraphClient.inject;
  return annotatePods(
    "Deployment",
    { name },
    inject ? { [injectKey]: "enabled", ...revisionAnnotation(identity.revision()) } : { [injectKey]: "disabled" },
  );
}

function server({ environment }: ModelContext): Patch {
  const env = [{ name: "DGRAPH_ALPHA_SERVER", value: hostOf(alphaService(environment)) }];
  return {
    patch: {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: { template: { spec: { containers: [{ name, env }] } } },
    },
  };
}
