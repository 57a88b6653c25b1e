/** Plain data, as YAML and JSON can hold it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

/** Labels or annotations that are known to be texts; `Labels` of a foreign manifest may hold anything. */
export type StringMap = Readonly<Record<string, string>>;

/** A Kubernetes object: one that meshops writes, or one that the API server returned. Fields are looked up with `at`. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: StringMap;
    readonly annotations?: StringMap;
    /** Set by the API server, like the fields below. */
    readonly generation?: number;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  readonly [field: string]: unknown;
}
