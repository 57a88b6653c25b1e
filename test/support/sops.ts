import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { EncryptionRule } from "../../generator/sops/encryption-rule.ts";
import { scratchFolder } from "./platform.ts";
import { tool } from "./tools.ts";

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real sops. sops reads the input from a pipe, with the path /dev/stdin. */
export function realSops(args: readonly string[], input: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    // Node connects the stdin of a child process to a socket. A program cannot open a socket as /dev/stdin. Therefore
    // the shell runs `cat`, which reads from the socket, and connects `cat` to sops with a pipe.
    const child = spawn("sh", ["-c", 'cat | "$0" "$@"', tool("sops"), ...args, "/dev/stdin"], {
      env: { PATH: process.env["PATH"], HOME: "/nowhere", ...env },
    });
    const out = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].setEncoding("utf8").on("data", (text: string) => (out[stream] += text));
    child.on("error", reject);
    child.stdin.on("error", () => undefined);
    child.on("close", (code) => resolve({ code, ...out }));
    child.stdin.end(input);
  });
}

export function sopsDecrypt(text: string, identity: string, format: string = "yaml", output: string = format): Promise<Ran> {
  return realSops(["decrypt", "--input-type", format, "--output-type", output], text, { SOPS_AGE_KEY: identity });
}

/**
 * Encrypts a text with the real sops. The options are in a creation rule of a configuration file, because sops reads
 * `mac_only_encrypted` only from creation rules.
 */
export async function sopsEncrypt(
  text: string,
  recipients: readonly string[],
  rule: EncryptionRule,
  macOnlyEncrypted: boolean,
  format: string = "yaml",
): Promise<string> {
  const config = join(scratchFolder("sops"), ".sops.yaml");
  writeFileSync(
    config,
    stringify({ creation_rules: [{ age: recipients.join(","), [rule.kind]: rule.value, mac_only_encrypted: macOnlyEncrypted }] }),
  );
  const types = ["--input-type", format, "--output-type", format];
  const { code, stdout, stderr } = await realSops(
    ["--config", config, "encrypt", "--filename-override", `a.${format}`, ...types],
    text,
  );
  if (code !== 0) throw new Error(stderr);
  return stdout;
}
