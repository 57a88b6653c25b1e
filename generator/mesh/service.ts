/** A Kubernetes Service and its cluster domain. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
  readonly clusterDomain: string;
}

/** Full host name of a Service, which proxies use. */
export function hostOf({ name, namespace, clusterDomain }: ServiceName): string {
  return `${name}.${namespace}.svc.${clusterDomain}`;
}
