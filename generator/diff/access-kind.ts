/**
 * Value of `kind` in an `ObjectChange` that lists the clients that gain or lose access to a set of pods. Such a change
 * is not the change of a single Kubernetes object.
 */
export const accessKind = "Access";
