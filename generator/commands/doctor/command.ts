import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops doctor`: tools, access and keys. */
export function declareDoctor(program: Program, { io, end }: Runtime): void {
  program
    .command("doctor")
    .description("say which tools, access and keys are there, what is missing, and how to get it")
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./doctor.ts")).doctor(this.args, this.optsWithGlobals(), io));
    });
}
