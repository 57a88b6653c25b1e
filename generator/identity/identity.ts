/** The public half of an environment's identity, as committed under environments/<env>/identity/. */
export interface Identity {
  /** PEM of the trust anchors that proxies trust, one or (during a rotation) two, without a trailing newline. */
  readonly trustAnchors: string;
  /** PEM of the issuer certificate that signs the proxies' certificates. */
  readonly issuer: string;
  /** PEM of the CA that signed the webhooks' server certificates. */
  readonly webhookCa: string;
}
