/** Plain data that YAML and JSON can represent. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

/** Labels or annotations whose values are known to be strings; `Labels` of a parsed manifest can have any values. */
export type StringMap = Readonly<Record<string, string>>;

/** A Kubernetes object that meshops writes or that the API server returned. Read its fields with `at`. */
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
