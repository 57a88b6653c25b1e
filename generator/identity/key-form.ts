import { type KeyForm, keyReader } from "../catalog/secret-keys.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import { plaintextBytes } from "../sops/cipher.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { secretFile } from "../spec/layout.ts";

const labels: Readonly<Record<string, KeyForm>> = {
  "PRIVATE KEY": "PKCS#8",
  "EC PRIVATE KEY": "SEC1",
  "RSA PRIVATE KEY": "PKCS#1",
};

/** Returns the form of a private key in PEM. Returns null if the text contains no private key in a known form. */
export function keyFormOf(pem: string): KeyForm | null {
  const label = /-----BEGIN ([A-Z ]+)-----\s/.exec(pem)?.[1] ?? "";
  return labels[label] ?? null;
}

/**
 * Length in bytes of the value of `tls.key` in a Secret (PEM in base64) if the key is a P-256 key in SEC1. If the key
 * is a P-256 key in PKCS#8, the length is 324 bytes.
 */
const sec1Bytes = 304;

/**
 * A private key of a webhook, in an encrypted Secret. The key is in a PEM form other than PKCS#8, the form that meshops
 * now writes.
 */
export interface OldKey {
  readonly file: string;
  /** 1-based line of `tls.key`. */
  readonly line: number;
  /** 1-based column of the value of `tls.key`. */
  readonly column: number;
  readonly secret: string;
  readonly form: KeyForm;
  /** Whether the program that reads the key rejects this form. */
  readonly refused: boolean;
}

/**
 * Returns the private keys of webhooks in SEC1. Older versions of meshops wrote the keys in this form.
 *
 * The function does not decrypt the Secrets. It determines the form from the length of the encrypted value. AES-GCM
 * does not change the length of a text, and a P-256 key in SEC1 is shorter than in PKCS#8.
 *
 * @param read returns the text of a file, or null if the file does not exist
 */
export function oldWebhookKeys(environment: Environment, read: (path: string) => string | null): OldKey[] {
  return webhooksOf(environment).flatMap(({ secret }) => {
    const file = secretFile(environment.metadata.name, secret);
    const lines = (read(file) ?? "").split("\n");
    return lines.flatMap((text, index) => {
      const [, before = "", value = ""] = /^(\s*tls\.key:\s*)(\S+)\s*$/.exec(text) ?? [];
      if (plaintextBytes(value) !== sec1Bytes) return [];
      const place = { file, line: index + 1, column: before.length + 1 };
      return [{ ...place, secret, form: "SEC1" as const, refused: isRefused(secret, "SEC1") }];
    });
  });
}

/** Whether the program that reads the private key from a Secret rejects a PEM form. */
export function isRefused(secret: string, form: KeyForm): boolean {
  return !keyReader(secret).accepts.includes(form);
}

/**
 * Returns a finding about the PEM form of a webhook's private key. If the program that reads the key rejects this form,
 * the finding is an error. Otherwise, the finding is a warning.
 */
export function keyFormFinding({ file, line, column, secret, form, refused }: OldKey, { metadata }: Environment): Diagnostic {
  const { reader, accepts } = keyReader(secret);
  return {
    file,
    line,
    column,
    code: "webhook-key-form",
    severity: refused ? "error" : "warning",
    message: refused
      ? `the private key is in ${form} format. The ${reader} cannot read this format, so the control plane does not start`
      : `the private key is in the old ${form} format. The ${reader} can read this format, but meshops now writes PKCS#8`,
    expected: `PKCS#8${accepts.length > 2 ? "" : ` or ${accepts.filter((each) => each !== "PKCS#8").join(" or ")}`}`,
    fix: `run meshops identity rotate-webhooks ${metadata.name}`,
    excerpt: null,
  };
}
