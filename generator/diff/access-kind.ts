/** Kind of a change that lists clients that gain or lose access. This change is not about a single object. */
export const accessKind = "Access";
