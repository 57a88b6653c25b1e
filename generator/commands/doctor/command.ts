import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops doctor`, which checks tools, access and keys. */
export function declareDoctor(program: Program, { io, end }: Runtime): void {
  program
    .command("doctor")
    .description("check tools, access and keys, and show how to fix problems")
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./doctor.ts")).doctor(this.args, this.optsWithGlobals(), io));
    });
}
