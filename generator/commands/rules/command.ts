import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops rules export`, which prints rules as ValidatingAdmissionPolicies for the API server. */
export function declareRules(program: Program, { io, end }: Runtime): void {
  const rules = program.command("rules").description("export rules of meshops as admission policies for the API server");
  rules
    .command("export")
    .description("print the rules that check a single object, as ValidatingAdmissionPolicies with bindings")
    .requiredOption("--validating-admission-policy", "print ValidatingAdmissionPolicies; needs Kubernetes 1.30 or later")
    .option("--linkerd <release>", "Linkerd release of the cluster (default: accept the annotations of all releases)")
    .addOption(
      new Option("--action <action>", "what the API server does with an object that violates a rule")
        .choices(["Deny", "Warn", "Audit"])
        .default("Deny"),
    )
    .action(async function () {
      end(await (await import("./export.ts")).exportRules(this.optsWithGlobals(), io));
    });
}
