const hours = { h: 1, d: 24, y: 365 * 24 } as const;

/**
 * Returns the hours in a validity such as `24h`, `60d` or `1y` (365 days). The schema has already checked its format.
 */
export function toHours(validity: string): number {
  const unit = validity.slice(-1) as keyof typeof hours;
  return Number(validity.slice(0, -1)) * hours[unit];
}

/**
 * Time before the expiry of a certificate at which meshops reports that the certificate must be rotated. This time is
 * long enough for the three commits of an anchor rotation, even if holidays delay the commits.
 */
export const rotationLead = "60d";
