import { type KeyReader, keyReader } from "../catalog/secret-keys.ts";
import { secretNames, tlsKeys } from "../catalog/well-known.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";

/**
 * Requirements for a Secret that the mesh needs: its name, its namespace, its content, and the program that reads the
 * private key.
 */
export interface SecretContract {
  readonly name: string;
  readonly namespace: string;
  readonly type: "kubernetes.io/tls";
  /** Exact keys under `data` of the Secret. */
  readonly keys: readonly string[];
  /** Program that reads `tls.key`, and the PEM forms that this program accepts. */
  readonly reader: KeyReader;
}

/**
 * Returns the requirements for the Secrets of an environment's identity: first for the issuer's Secret, then for the
 * Secret of each webhook.
 */
export function secretContracts(environment: Environment): readonly SecretContract[] {
  return [
    contract(secretNames.issuer, "linkerd", [tlsKeys.anchor, tlsKeys.certificate, tlsKeys.privateKey]),
    ...webhooksOf(environment).map(({ secret, namespace }) =>
      contract(secret, namespace, [tlsKeys.certificate, tlsKeys.privateKey]),
    ),
  ];
}

function contract(name: string, namespace: string, keys: readonly string[]): SecretContract {
  return { name, namespace, type: "kubernetes.io/tls", keys, reader: keyReader(name) };
}
