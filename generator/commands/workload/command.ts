import { Option } from "@commander-js/extra-typings";
import { context, kubeconfig } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops workload`, whose subcommand `add` adds a service to a spec. */
export function declareWorkload(program: Program, { io, end }: Runtime): void {
  program
    .command("workload")
    .description("describe your own services in a spec")
    .command("add")
    .description("find the pods, ports and clients of a service, and add them to spec.workloads")
    .argument("<name>", "name of the workload in the spec")
    .option("--env <env>", "environment (default: the only environment in the repository)")
    .option(
      "--namespace <namespace>",
      "namespace of the service (default: the namespace in the manifests, otherwise the name of the workload)",
    )
    .addOption(
      new Option("--manifests <path>", "read manifests from a file or a folder, or from stdin (-)").conflicts([
        "path",
        "chart",
        "fromCluster",
      ]),
    )
    .addOption(new Option("--path <folder>", "build a folder with kustomize").conflicts(["chart", "fromCluster"]))
    .addOption(
      new Option(
        "--chart <chart>",
        "render a chart with helm, such as oci://registry/chart@1.2.3 or https://host/chart@1.2.3",
      ).conflicts("fromCluster"),
    )
    .option("--from-cluster <namespace>", "read the objects of a namespace in the cluster")
    .option("--no-source", "with --path or --chart: write only the description of the service; another tool installs the service")
    .option("--print", "print the description of the new workload, and do not change the spec", false)
    .addOption(kubeconfig())
    .addOption(
      context(
        "kubeconfig context (default: cluster.context in the spec, or the name of the AKS cluster, or the current context)",
      ),
    )
    .action(async function () {
      end(await (await import("./add.ts")).add(this.args, this.optsWithGlobals(), io));
    });
}
