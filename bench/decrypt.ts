/**
 * `npm run bench:decrypt`: decrypts a file of 1,000 values in three ways: with the command line of meshops, with the
 * real sops, and with the library of meshops in this process. Each run of a command line or of sops starts a new
 * process. Prints the median time of each way, and the ratio of each time of meshops to the time of sops. Needs sops,
 * which `npm run tools` builds.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { stringify } from "yaml";
import { decryptFile, encryptFile } from "../generator/sops/file.ts";
import { pinnedTool } from "../scripts/tools/paths.ts";

const runs = 15;
const values = 1000;

const identity = await generateX25519Identity();
const data = Object.fromEntries(Array.from({ length: values }, (_, index) => [`key-${index}`, `value ${index} `.repeat(4)]));
const encrypted = await encryptFile(stringify({ data }), { recipients: [await identityToRecipient(identity)], now: new Date() });
const folder = mkdtempSync(join(tmpdir(), "meshops-bench-"));
const file = join(folder, "values.yaml");
writeFileSync(file, encrypted);

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
const contestants: Readonly<Record<string, () => Promise<void> | void>> = {
  meshops: () => command(process.execPath, [cli, "secrets", "decrypt", file]),
  sops: () => command(pinnedTool("sops"), ["decrypt", file]),
  library: async () => void (await decryptFile(encrypted, { identities: [identity] })),
};
const times: Record<string, number[]> = {};
for (let run = -1; run < runs; run += 1)
  for (const [name, contestant] of Object.entries(contestants)) {
    const started = performance.now();
    await contestant();
    // The times of the first round, the warm-up, are discarded.
    if (run >= 0) times[name] = [...(times[name] ?? []), performance.now() - started];
  }
rmSync(folder, { recursive: true });
for (const name of Object.keys(contestants))
  console.log(`${name.padEnd(8)} ${median(name).toFixed(0).padStart(5)} ms for ${values} values, median of ${runs}`);
for (const name of ["meshops", "library"]) console.log(`${name} / sops: ${(median(name) / median("sops")).toFixed(2)}`);

function command(path: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(path, args, {
    env: { ...process.env, SOPS_AGE_KEY: identity },
    encoding: "utf8",
    maxBuffer: 1e8,
  });
  if (status !== 0) throw new Error(stderr);
}

function median(name: string): number {
  const sorted = [...(times[name] ?? [])].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
