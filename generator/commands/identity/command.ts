import { output, validity } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops identity`, whose subcommands create, show and rotate certificates and keys. */
export function declareIdentity(program: Program, { io, end }: Runtime): void {
  const identity = program.command("identity").description("create, inspect and rotate the certificates of the mesh");
  identity
    .command("init")
    .description(
      "create the trust anchor, the issuer certificate and the webhook certificates; encrypt the private keys before writing them",
    )
    .argument("<env>", "environment")
    .option("--force", "replace an existing identity", false)
    .action(async function () {
      end(await (await import("./rotate.ts")).init(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("status")
    .description("show when each certificate expires, and which recipients can decrypt the private keys")
    .argument("[env...]", "environments (default: all)")
    .option("--fail-within <time>", "exit 1 if a certificate expires within this time, such as 60d", validity)
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./status.ts")).status(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-issuer")
    .description("create a new issuer certificate, signed by the same trust anchor as the old issuer certificate")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).issuer(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-webhooks")
    .description("create new server certificates for the webhooks")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).webhooks(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("rotate-anchor")
    .description("run the next of the three steps of a trust anchor rotation")
    .argument("<env>", "environment")
    .option(
      "--pods-restarted",
      "do not wait between two steps; use this option only if every meshed pod has restarted since the last step",
      false,
    )
    .action(async function () {
      end(await (await import("./rotate.ts")).anchor(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("updatekeys")
    .description("change the recipients of the identity's encrypted files to the recipients in the spec")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./rotate.ts")).updatekeys(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("keygen")
    .description("create age keys for a cluster and for its administrator, and print the recipients (public keys)")
    .argument("<env>", "environment")
    .option("--write", "also write the recipients to the environment's spec", false)
    .option("--force", "with --write: replace existing recipients in the spec", false)
    .action(async function () {
      end(await (await import("./keys.ts")).keygen(this.args, this.optsWithGlobals(), io));
    });
  identity
    .command("age-key")
    .description("print the private age key that Flux uses to decrypt files; stdout must be a pipe or a file, not a terminal")
    .argument("<env>", "environment")
    .action(async function () {
      end(await (await import("./keys.ts")).ageKey(this.args, this.optsWithGlobals(), io));
    });
}
