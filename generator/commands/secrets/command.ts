import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops secrets`, whose subcommands encrypt and decrypt SOPS files. */
export function declareSecrets(program: Program, { io, end }: Runtime): void {
  const secrets = program.command("secrets").description("encrypt and decrypt SOPS files without the sops binary");
  const age = (): Option => new Option("--age <recipient...>", "age recipients (default: the recipients in .sops.yaml)");

  secrets
    .command("encrypt")
    .description("encrypt a file according to the rules in .sops.yaml")
    .argument("<file>", "YAML or JSON")
    .option("-i, --in-place", "overwrite the file instead of printing the result", false)
    .addOption(age())
    .action(async function () {
      end(await (await import("./secrets.ts")).encrypt(this.args, this.optsWithGlobals(), io));
    });
  secrets
    .command("decrypt")
    .description("decrypt files, verify the MACs, and print the decrypted files")
    .argument("<file...>", "YAML or JSON")
    .action(async function () {
      end(await (await import("./secrets.ts")).decrypt(this.args, this.optsWithGlobals(), io));
    });
  secrets
    .command("updatekeys")
    .description("change the recipients of files; removing a recipient rotates the data key")
    .argument("<file...>", "YAML or JSON")
    .addOption(age())
    .action(async function () {
      end(await (await import("./secrets.ts")).updatekeys(this.args, this.optsWithGlobals(), io));
    });
}
