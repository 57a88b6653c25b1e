import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/**
 * Declares `meshops doctor`, which checks the installed tools, the kubeconfig contexts, the Azure account and the age
 * keys.
 */
export function declareDoctor(program: Program, { io, end }: Runtime): void {
  program
    .command("doctor")
    .description(
      "check the installed tools, the kubeconfig contexts, the Azure account and the age keys, and show how to fix problems",
    )
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./doctor.ts")).doctor(this.args, this.optsWithGlobals(), io));
    });
}
