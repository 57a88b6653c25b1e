/** The public half of an environment's identity, as committed under environments/<env>/identity/. */
export interface Identity {
  /**
   * PEM of the trust anchors that proxies trust, without a trailing newline. There is one anchor, or two during a
   * rotation.
   */
  readonly trustAnchors: string;
  /** PEM of the issuer certificate that signs the proxies' certificates. */
  readonly issuer: string;
  /** PEM of the CA that signed the webhooks' server certificates. */
  readonly webhookCa: string;
}

/** Empty identity, for environments whose certificates are not in Git, and for code that needs no certificates. */
export const noIdentity: Identity = { trustAnchors: "", issuer: "", webhookCa: "" };
