/** Risks of a change to a running platform, in ascending order of severity. */
export const risks = [
  "harmless",
  "rollout",
  "narrower-access",
  "wider-access",
  "not-assessed",
  "webhook-policy",
  "trust-anchor",
  "mesh-restart",
  "crd-removal",
  "stalled-rollout",
  "immutable-field",
  "volume-claim",
  "data-loss",
] as const;

export type Risk = (typeof risks)[number];

/** Returns the highest of the given risks; `harmless` if the list is empty. */
export function highestOf(found: readonly Risk[]): Risk {
  return found.reduce<Risk>((worst, risk) => (isAtLeast(risk, worst) ? risk : worst), "harmless");
}

/** Whether `risk` is equal to or higher than `least`. */
export function isAtLeast(risk: Risk, least: Risk): boolean {
  return risks.indexOf(risk) >= risks.indexOf(least);
}
