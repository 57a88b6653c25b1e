const hours = { h: 1, d: 24, y: 365 * 24 } as const;

/** Hours in a validity such as `24h`, `60d` or `1y` (a year has 365 days); the schema has checked its form. */
export function toHours(validity: string): number {
  const unit = validity.slice(-1) as keyof typeof hours;
  return Number(validity.slice(0, -1)) * hours[unit];
}

/**
 * Time before a certificate's expiry at which its rotation is requested: enough for the three commits of an anchor
 * rotation, and for holidays.
 */
export const rotationLead = "60d";
