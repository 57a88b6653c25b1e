import type { DgraphRole } from "../../catalog/dgraph.ts";
import type { ServiceName } from "../../mesh/service.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Name of an object that the dgraph chart creates for the environment's release, such as `demo-dgraph-alpha`
 * (templates/_helpers.tpl, all versions).
 */
export function dgraphName({ spec: { dgraph } }: Environment, part: string): string {
  return nameInRelease(dgraph.release, part);
}

/** Name of an object that the dgraph chart creates for a Helm release. */
export function nameInRelease(release: string, part: string): string {
  return `${release}-dgraph-${part}`;
}

/**
 * Labels that select Dgraph's pods, or the pods of one role. The selector does not use the label `chart`, because the
 * value of this label changes with every chart version.
 */
export function dgraphLabels({ spec: { dgraph } }: Environment, role?: DgraphRole): Readonly<Record<string, string>> {
  return { app: "dgraph", release: dgraph.release, ...(role === undefined ? {} : { component: role }) };
}

/** The Service to which clients connect: Alpha's Service with a cluster IP address, not the headless Service. */
export function alphaService(environment: Environment): ServiceName {
  const { dgraph, linkerd } = environment.spec;
  return { name: dgraphName(environment, "alpha"), namespace: dgraph.namespace, clusterDomain: linkerd.clusterDomain };
}
