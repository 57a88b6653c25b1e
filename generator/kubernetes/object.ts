/** Plain data that YAML and JSON can represent. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

/**
 * Labels or annotations whose values are strings. Labels and annotations of parsed manifests have the type `Labels`,
 * because a manifest can contain values of any type.
 */
export type StringMap = Readonly<Record<string, string>>;

/** A Kubernetes object that meshops writes or that the API server returns. Use `at` to read its fields. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: StringMap;
    readonly annotations?: StringMap;
    /**
     * meshops writes neither this field nor the following fields of `metadata`. Objects from the API server can contain
     * these fields.
     */
    readonly generation?: number;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  readonly [field: string]: unknown;
}
