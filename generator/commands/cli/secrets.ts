import { type Command, Option } from "commander";
import type { Run, Subcommand } from "./run.ts";

/** SOPS files of anybody's. */
export function declareSecrets(program: Command, run: Run): void {
  const secrets = program.command("secrets").description("SOPS files, without the sops binary");
  const action = (use: (commands: typeof import("../secrets.ts")) => Subcommand): ReturnType<Run> =>
    run(async () => use(await import("../secrets.ts")));
  const age = (): Option => new Option("--age <recipient...>", "recipients, instead of those that .sops.yaml names");

  secrets
    .command("encrypt")
    .description("encrypt a file, by the rules of .sops.yaml")
    .argument("<file>", "YAML or JSON")
    .option("-i, --in-place", "write the file instead of printing it", false)
    .addOption(age())
    .action(action(({ encrypt }) => encrypt));
  secrets
    .command("decrypt")
    .description("print a file decrypted; its MAC is checked")
    .argument("<file>", "YAML or JSON")
    .action(action(({ decrypt }) => decrypt));
  secrets
    .command("updatekeys")
    .description("give files to other recipients; who is taken off gets a new data key made")
    .argument("<file...>", "YAML or JSON")
    .addOption(age())
    .action(action(({ updatekeys }) => updatekeys));
}
