/** A Kubernetes Service and its cluster domain. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** Returns the full host name of a Service. Proxies use this host name. */
export function hostOf({ name, namespace, clusterDomain }: ServiceName): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}
