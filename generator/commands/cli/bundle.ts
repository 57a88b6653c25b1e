import { Option } from "@commander-js/extra-typings";
import { risks } from "../../components/risk-levels.ts";
import { output } from "./arguments.ts";
import type { Program, Runtime } from "./runtime.ts";

/** From spec to bundle: validate, generate, images. */
export function declareBundle(program: Program, { io, end }: Runtime): void {
  program
    .command("init")
    .description("write a repository to begin with: specs, bases, editor settings, hook, workflows")
    .argument("[dir]", "folder", ".")
    .addOption(new Option("--cluster <kind>", "aks: bootstrap makes it; own: there is one").choices(["aks", "own"]))
    .option("--environments <names>", "names, separated by commas")
    .option("--git-url <url>", "URL of the repository, as Flux clones it")
    .option("--branch <name>", "branch that Flux follows", "main")
    .option("--name <name>", "name of the platform; otherwise the folder's")
    .option("-y, --yes", "ask nothing", false)
    .addOption(
      new Option("--keep", "write into a folder that is not empty, beside what is there").default(false).conflicts("force"),
    )
    .option("--force", "write into a folder that is not empty, over what is there", false)
    .action(async function () {
      end(await (await import("../init/init.ts")).init(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("validate")
    .description("check the environment specs and report every problem at once")
    .argument("[env...]", "environments; all where none is named")
    .option("--manifests <path>", "judge the Kubernetes objects of a folder or file, or of stdin (-), instead of specs")
    .option("--linkerd <version>", "with --manifests: the Linkerd that they run under, where they do not say")
    .addOption(output("text", "json", "sarif", "github"))
    .action(async function () {
      end(await (await import("../validate.ts")).validate(this.args, this.optsWithGlobals(), io));
    });

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
    .action(async function () {
      end(await (await import("../generate/generate.ts")).generate(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("diff")
    .description("show what generate would change against a commit, object by object, and what each change risks")
    .argument("[env...]", "environments; all where none is named")
    .option("--from <commit>", "the commit to compare with: a branch, a tag, a hash", "HEAD")
    .addOption(new Option("--fail-on <risk>", "exit 1 only where something changes that is at least as grave").choices(risks))
    .addOption(output("text", "json", "markdown"))
    .action(async function () {
      end(await (await import("../diff/diff.ts")).diff(this.args, this.optsWithGlobals(), io));
    });

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
    .action(async function () {
      end(await (await import("../images.ts")).images(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("graph")
    .description("draw in which order an environment comes up, and who may talk to whom; of two environments, what differs")
    .argument("<env>", "environment")
    .argument("[other]", "the environment to put beside it")
    .addOption(new Option("-f, --format <format>", "how to draw").choices(["mermaid", "svg", "html"]).default("mermaid"))
    .addOption(new Option("--show <picture>", "one of the pictures alone").choices(["order", "traffic"]))
    .action(async function () {
      end(await (await import("../graph/graph.ts")).graph(this.args, this.optsWithGlobals(), io));
    });
}
