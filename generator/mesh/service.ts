/** A Kubernetes Service and its cluster domain. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** Returns the full host name of a Service. Proxies look up the ServiceProfile of a Service by this host name. */
export function hostOf({ name, namespace, clusterDomain }: ServiceName): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}
