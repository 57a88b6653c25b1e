/** What a change may do to a running platform, the gravest last. */
export const risks = [
  "harmless",
  "rollout",
  "narrower-access",
  "wider-access",
  "webhook-policy",
  "trust-anchor",
  "crd-removal",
  "stalled-rollout",
  "immutable-field",
  "volume-claim",
  "data-loss",
] as const;

export type Risk = (typeof risks)[number];

/** The gravest of risks; harmless where there is none. */
export function gravest(found: readonly Risk[]): Risk {
  return found.reduce<Risk>((worst, risk) => (isAtLeast(risk, worst) ? risk : worst), "harmless");
}

/** Whether a risk is as grave as another, or graver. */
export function isAtLeast(risk: Risk, least: Risk): boolean {
  return risks.indexOf(risk) >= risks.indexOf(least);
}
