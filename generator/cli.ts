#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { colorsFor } from "./colors.ts";
import { exitCode, UserError } from "./user-error.ts";
import { version } from "./version.ts";

/*
 * The voice of the terminal: the answer on stdout, all else on stderr, errors with the program's name,
 * in lower case and without a full stop; an error first, then a hint that works.
 *
 * Commands are declared here and imported when they run, so that --help loads the argument parser and nothing more.
 */

const program = new Command("meshops")
  .description("One validated environment spec becomes everything a GitOps repository needs to run Linkerd and Dgraph on AKS.")
  .version(version)
  .addOption(new Option("-C, --directory <dir>", "root of the platform repository").default("."))
  .showHelpAfterError("hint: meshops --help")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "meshops: ").replace(/'/g, '"')) })
  .exitOverride();

const output = (...choices: string[]): Option =>
  new Option("-o, --output <format>", "how to print").choices(choices).default("text");

program
  .command("validate")
  .description("check the environment specs and report every problem at once")
  .argument("[env...]", "environments; all where none is named")
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/validate.ts")).validate(names, options)));

program
  .command("generate")
  .description("write helmfile.yaml, overlays/ and flux/ from the specs")
  .argument("[env...]", "environments; all where none is named")
  .option("--check", "write nothing, and exit 1 where the bundle is not what the specs say", false)
  .addOption(
    new Option("--stdout", "write nothing, and print the bundle as one YAML stream")
      .default(false)
      .conflicts(["check", "output"]),
  )
  .option("--force", "overwrite files that meshops did not write", false)
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/generate.ts")).generate(names, options)));

program
  .command("images")
  .description("list every image that the environments run")
  .argument("[env...]", "environments; all where none is named")
  .addOption(
    new Option("--mirror", "print the commands that copy them into the environment's registry")
      .default(false)
      .conflicts("output"),
  )
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/images.ts")).images(names, options)));

program
  .command("profile")
  .description("print the ServiceProfile of a Service from the gRPC methods of a .proto file")
  .requiredOption("--proto <file>", "the .proto file; - reads stdin")
  .requiredOption("--service <name>", "the Kubernetes Service, which must not be headless", dnsLabel)
  .requiredOption("--namespace <name>", "its namespace", dnsLabel)
  .option("--cluster-domain <domain>", "domain of the cluster", dnsName, "cluster.local")
  .option("--grpc-service <name...>", "gRPC services that it serves; all of the file where none is named")
  .option("--grpc-route", "print GRPCRoutes instead", false)
  .option("--port <number>", "the Service's port that speaks gRPC, for --grpc-route", portNumber)
  .action(run(async (_, options) => (await import("./commands/profile.ts")).profile(options)));

const identity = program.command("identity").description("certificates of the mesh, from the first to their renewal");
const withIdentity = (use: (commands: typeof import("./commands/identity.ts")) => Subcommand): ReturnType<typeof run> =>
  run(async (names, options) => use(await import("./commands/identity.ts"))(names, options));

identity
  .command("init")
  .description("make trust anchor, issuer and webhook certificates; private keys are written encrypted alone")
  .argument("<env>", "environment")
  .option("--force", "replace an identity that is there", false)
  .action(withIdentity(({ init }) => init));
identity
  .command("status")
  .description("say what expires when, and who can decrypt the keys")
  .argument("[env...]", "environments; all where none is named")
  .option("--fail-within <time>", "exit 1 where a certificate expires within it, such as 60d", validity)
  .addOption(output("text", "json"))
  .action(withIdentity(({ status }) => status));
identity
  .command("rotate-issuer")
  .description("make a new issuer under the same trust anchor")
  .argument("<env>", "environment")
  .action(withIdentity(({ issuer }) => issuer));
identity
  .command("rotate-webhooks")
  .description("make new server certificates for the webhooks")
  .argument("<env>", "environment")
  .action(withIdentity(({ webhooks }) => webhooks));
identity
  .command("rotate-anchor")
  .description("take the next of the three steps to a new trust anchor")
  .argument("<env>", "environment")
  .option("--force", "do not wait: every meshed pod has restarted since the last step", false)
  .action(withIdentity(({ anchor }) => anchor));
identity
  .command("updatekeys")
  .description("give the encrypted files to the recipients that the spec names")
  .argument("<env>", "environment")
  .action(withIdentity(({ updatekeys }) => updatekeys));
identity
  .command("keygen")
  .description("make age keys for a cluster and its administrator, and print their recipients")
  .argument("<env>", "environment")
  .action(withIdentity(({ keygen }) => keygen));
identity
  .command("export")
  .description("print the cluster's age key, for a pipe")
  .argument("<env>", "environment")
  .requiredOption("--age-key", "the age key that Flux decrypts with")
  .action(withIdentity(({ exportKey }) => exportKey));

const secrets = program.command("secrets").description("SOPS files, without the sops binary");
const withSecrets = (use: (commands: typeof import("./commands/secrets.ts")) => Subcommand): ReturnType<typeof run> =>
  run(async (names, options) => use(await import("./commands/secrets.ts"))(names, options));
const age = (): Option => new Option("--age <recipient...>", "recipients, instead of those that .sops.yaml names");

secrets
  .command("encrypt")
  .description("encrypt a file, by the rules of .sops.yaml")
  .argument("<file>", "YAML or JSON")
  .option("-i, --in-place", "write the file instead of printing it", false)
  .addOption(age())
  .action(withSecrets(({ encrypt }) => encrypt));
secrets
  .command("decrypt")
  .description("print a file decrypted; its MAC is checked")
  .argument("<file>", "YAML or JSON")
  .action(withSecrets(({ decrypt }) => decrypt));
secrets
  .command("updatekeys")
  .description("give files to other recipients; who is taken off gets a new data key made")
  .argument("<file...>", "YAML or JSON")
  .addOption(age())
  .action(withSecrets(({ updatekeys }) => updatekeys));

// biome-ignore lint/suspicious/noExplicitAny: commander does not know the options' types
type Subcommand = (names: string[], options: any) => Promise<number> | number;

/** Wraps a command so that what it returns becomes the exit code. */
// biome-ignore lint/suspicious/noExplicitAny: commander does not know the options' types
function run(command: (names: string[], options: any) => Promise<number>): (...args: any[]) => Promise<void> {
  return async (...args) => {
    const self: Command = args.at(-1);
    process.exitCode = await command(self.args, self.optsWithGlobals());
  };
}

/** A DNS label, as Services and namespaces are named (RFC 1123). */
function dnsLabel(text: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError("expected at most 63 lower-case letters, digits and dashes");
}

/** A DNS name (RFC 1123): labels joined by dots. */
function dnsName(text: string): string {
  if (text.length <= 253) for (const label of text.split(".")) dnsLabel(label);
  return text;
}

function validity(text: string): string {
  if (/^[1-9][0-9]{0,4}[hdy]$/.test(text)) return text;
  throw new InvalidArgumentError("expected a number with h, d or y, such as 60d");
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^[0-9]+$/.test(text) && port > 0 && port < 65536) return port;
  throw new InvalidArgumentError("expected a number from 1 to 65535");
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCode.ok); // the reader has seen enough
  process.exit(report(error));
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, on stderr; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { red, cyan } = colorsFor(process.stderr);
  const say = (message: string, hint: string | null): void => {
    process.stderr.write(`${red("meshops:")} ${message}\n${hint === null ? "" : `${cyan("hint:")} ${hint}\n`}`);
  };
  if (error instanceof UserError) {
    say(error.message, error.hint);
    return error.exitCode;
  }
  const { message, stack, syscall, path } = error as NodeJS.ErrnoException;
  // What the operating system refuses is not our bug: a full disk, a missing right.
  if (syscall !== undefined) say(path !== undefined && !message.includes(path) ? `${message}: ${path}` : message, null);
  else say(`this is a bug: ${stack ?? String(error)}`, null);
  return exitCode.problem;
}
