/** The public certificates of an environment, which are committed in environments/<env>/identity/. */
export interface Identity {
  /**
   * PEM of the trust anchors that proxies trust, without a trailing newline. The text contains one trust anchor, or two
   * trust anchors during a rotation.
   */
  readonly trustAnchors: string;
  /** PEM of the issuer certificate that signs the proxies' certificates. */
  readonly issuer: string;
  /** PEM of the CA that signed the webhooks' server certificates. */
  readonly webhookCa: string;
}

/**
 * Identity without certificates. meshops uses this identity for environments whose certificates are not in Git, and in
 * code that does not need the certificates.
 */
export const noIdentity: Identity = { trustAnchors: "", issuer: "", webhookCa: "" };
