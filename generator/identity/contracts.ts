import { type KeyReader, keyReader } from "../catalog/secret-keys.ts";
import { secretNames } from "../catalog/well-known.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** A Secret that the mesh needs: where it must be, what it must contain, and which program reads its private key. */
export interface SecretContract {
  readonly name: string;
  readonly namespace: string;
  readonly type: "kubernetes.io/tls";
  /** Exact keys of its data. */
  readonly keys: readonly string[];
  /** Program that reads `tls.key`, and the PEM forms that it accepts. */
  readonly reader: KeyReader;
}

/**
 * Contracts of all Secrets that the identity of an environment consists of: the issuer's first, then one per webhook.
 */
export function secretContracts(environment: Environment): readonly SecretContract[] {
  return [
    contract(secretNames.issuer, "linkerd", ["ca.crt", "tls.crt", "tls.key"]),
    ...webhooksOf(environment).map(({ secret, namespace }) => contract(secret, namespace, ["tls.crt", "tls.key"])),
  ];
}

function contract(name: string, namespace: string, keys: readonly string[]): SecretContract {
  return { name, namespace, type: "kubernetes.io/tls", keys, reader: keyReader(name) };
}
