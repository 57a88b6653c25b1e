import { output, validity } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops identity`: the life cycle of certificates and their keys. */
export function declareIdentity(program: Program, { io, end }: Runtime): void {
  const identity = program.command("identity").description("certificates of the mesh, from the first to their renewal");
  identity
    .command("init")
    .description("make trust anchor, issuer and webhook certificates; private keys reach the disk only encrypted")
    .argument("<env>", "environment")
    .option("--force", "replace an identity that is there", false)
    .action(async function () {
      end(await (await import("./rotate.ts")).init(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("status")
    .description("say what expires when, and who can decrypt the keys")
    .argument("[env...]", "environments; all where none is named")
    .option("--fail-within <time>", "exit 1 where a certificate expires within it, such as 60d", validity)
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./status.ts")).status(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-issuer")
    .description("make a new issuer under the same trust anchor")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).issuer(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-webhooks")
    .description("make new server certificates for the webhooks")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).webhooks(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-anchor")
    .description("take the next of the three steps to a new trust anchor")
    .argument("<env>", "environment")
    .option("--pods-restarted", "do not wait: every meshed pod has restarted since the last step", false)
    .action(async function () {
      end(await (await import("./rotate.ts")).anchor(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("updatekeys")
    .description("give the encrypted files to the recipients that the spec names")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).updatekeys(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("keygen")
    .description("make age keys for a cluster and its administrator, and print their recipients")
    .argument("<env>", "environment")
    .option("--write", "put the recipients into the environment's spec, too", false)
    .option("--force", "with --write: in place of those that the spec names", false)
    .action(async function () {
      end(await (await import("./keys.ts")).keygen(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("age-key")
    .description("print the age key that Flux decrypts with, for a pipe")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./keys.ts")).ageKey(this.args, this.optsWithGlobals(), io));
    });
}
