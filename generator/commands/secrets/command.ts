import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops secrets`: SOPS files. */
export function declareSecrets(program: Program, { io, end }: Runtime): void {
  const secrets = program.command("secrets").description("SOPS files, without the sops binary");
  const age = (): Option => new Option("--age <recipient...>", "recipients, instead of those that .sops.yaml names");

  secrets
    .command("encrypt")
    .description("encrypt a file, by the rules of .sops.yaml")
    .argument("<file>", "YAML or JSON")
    .option("-i, --in-place", "write the file instead of printing it", false)
    .addOption(age())
    .action(async function () {
      end(await (await import("./secrets.ts")).encrypt(this.args, this.optsWithGlobals(), io));
    });
  secrets
    .command("decrypt")
    .description("print a file decrypted; its MAC is checked")
    .argument("<file>", "YAML or JSON")
    .action(async function () {
      end(await (await import("./secrets.ts")).decrypt(this.args, this.optsWithGlobals(), io));
    });
  secrets
    .command("updatekeys")
    .description("give files to other recipients; who is taken off gets a new data key made")
    .argument("<file...>", "YAML or JSON")
    .addOption(age())
    .action(async function () {
      end(await (await import("./secrets.ts")).updatekeys(this.args, this.optsWithGlobals(), io));
    });
}
