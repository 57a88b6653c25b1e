const hours = { h: 1, d: 24, y: 365 * 24 } as const;

/**
 * Returns the number of hours in a validity such as `24h`, `60d` or `1y` (365 days). The schema has already checked the
 * format of the validity.
 */
export function toHours(validity: string): number {
  const unit = validity.slice(-1) as keyof typeof hours;
  return Number(validity.slice(0, -1)) * hours[unit];
}

/**
 * Period before the expiry of a certificate. During this period, meshops reports that the certificate must be rotated.
 * The period is long enough for the three commits of a trust anchor rotation, even if holidays delay the commits.
 */
export const rotationLead = "60d";
