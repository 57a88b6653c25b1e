/** A Kubernetes Service, and the domain of the cluster that it is in. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** The full host name of a Service, by which proxies know it. */
export function hostOf({ name, namespace, clusterDomain }: ServiceName): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}
