import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../support/tools.ts";

/** Options of the command line. */
export interface Options {
  readonly context: string;
  /** kubeconfig file; null to use the file that kubectl uses by default. */
  readonly kubeconfig: string | null;
  readonly engine: "flux" | "helmfile";
  /** Ids of the steps to run; empty if all steps run. */
  readonly only: readonly string[];
  /** Linkerd release to install; null to install the release that `meshops init` writes into the spec. */
  readonly release: string | null;
  /** Linkerd release that the step `upgrade` installs; null to skip this step. */
  readonly upgradeTo: string | null;
  /**
   * URL from which Flux clones the repository. If `Story.localRemote` is null, the acceptance run also pushes to this
   * URL.
   */
  readonly gitUrl: string;
  /** `host:port` at which the acceptance run serves the repository; null if another server serves the repository. */
  readonly serveGit: string | null;
  /** File with Flux's install manifests; null if bootstrap downloads the manifests. */
  readonly fluxManifests: string | null;
  /** Image of `clients/pydgraph`, without a tag; null to omit the tests of `meshops verify` that start probes. */
  readonly clientImage: string | null;
  /** Image of the load client. The image has Node 20 or newer on the PATH. */
  readonly nodeImage: string;
  /** Folder of the run. It contains the platform repository, the age keys, and the record of the run. */
  readonly folder: string;
  readonly report: string;
  readonly junit: string;
  /** Whether the cluster may contain other installations of Linkerd. */
  readonly allowLinkerd: boolean;
  /** Whether to only remove everything that an interrupted run has left, without running steps. */
  readonly cleanUp: boolean;
}

export const usage = `usage: npm run acceptance -- --context NAME [options]

Tests meshops on the cluster of a kubectl context, in the same way as a user: creates a platform repository, installs
Linkerd and Dgraph, causes faults, rotates certificates under load, upgrades Linkerd, and removes everything.

  --context NAME          kubectl context of the cluster
  --kubeconfig FILE       kubeconfig file (default: as kubectl)
  --engine ENGINE         flux or helmfile (default: flux)
  --only STEPS            ids of the steps to run, separated by commas; repeats steps that passed earlier
  --release RELEASE       Linkerd release to install (default: the release that meshops init writes)
  --upgrade-to RELEASE    Linkerd release for the step "upgrade"
  --git-url URL           empty Git repository that this machine can push to and that Flux can clone (engine flux)
  --serve-git HOST:PORT   serve the repository from this machine; the cluster must be able to connect to HOST:PORT
  --flux-manifests FILE   install manifests of Flux (default: bootstrap downloads them)
  --client-image IMAGE    image of clients/pydgraph, without a tag; verify needs it for its probes
  --node-image IMAGE      image with Node 20 or newer, for the load client (default: docker.io/library/node:22-alpine)
  --folder DIR            folder of the run (default: .tools/acceptance/<context>)
  --report FILE           Markdown report (default: report.md in the folder of the run)
  --junit FILE            JUnit report (default: junit.xml in the folder of the run)
  --allow-linkerd         run even if the cluster contains another installation of Linkerd
  --clean-up              run no steps; revert the faults, and delete everything that an interrupted run created

To resume an interrupted run, run the same command again. Without --only, the run repeats
only the step preflight and the steps that have not passed.

exit codes: 0 all steps passed; 1 a step failed; 2 wrong usage; 4 no step failed, but some steps did not run
`;

/** A wrong command line. The program prints the message, refers to `--help`, and exits with code 2. */
export class UsageError extends Error {}

/** Parses the command line. @throws UsageError if an option is unknown, missing or invalid */
export function optionsOf(argv: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  let values: ReturnType<typeof read>;
  const read = () =>
    parseArgs({
      args: [...argv],
      options: {
        context: text,
        kubeconfig: text,
        engine: { ...text, default: "flux" },
        only: { ...text, default: "" },
        release: text,
        "upgrade-to": text,
        "git-url": text,
        "serve-git": text,
        "flux-manifests": text,
        "client-image": text,
        "node-image": { ...text, default: "docker.io/library/node:22-alpine" },
        folder: text,
        report: text,
        junit: text,
        "allow-linkerd": flag,
        "clean-up": flag,
      },
    }).values;
  try {
    values = read();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { context, engine } = values;
  if (context === undefined)
    throw new UsageError("--context is required, because the run never uses the current context of kubectl");
  if (engine !== "flux" && engine !== "helmfile") throw new UsageError(`--engine must be flux or helmfile, not ${engine}`);
  const serveGit = values["serve-git"] ?? null;
  if (serveGit !== null && !/^[^\s/:]+:\d+$/.test(serveGit)) throw new UsageError("--serve-git must have the form HOST:PORT");
  const gitUrl = values["git-url"] ?? (serveGit === null ? null : `http://${serveGit}/platform.git`);
  if (engine === "flux" && gitUrl === null)
    throw new UsageError("with --engine flux, set --git-url or --serve-git: Flux clones the repository from this URL or address");
  const folder = resolve(values.folder ?? join(projectRoot, ".tools/acceptance", context.replaceAll(/[^\w.-]/g, "_")));
  return {
    context,
    kubeconfig: values.kubeconfig === undefined ? null : resolve(values.kubeconfig),
    engine,
    only: values.only.split(",").filter(Boolean),
    release: values.release ?? null,
    upgradeTo: values["upgrade-to"] ?? null,
    gitUrl: gitUrl ?? "https://git.example.org/platform.git",
    serveGit,
    fluxManifests: values["flux-manifests"] === undefined ? null : resolve(values["flux-manifests"]),
    clientImage: values["client-image"] ?? null,
    nodeImage: values["node-image"],
    folder,
    report: resolve(values.report ?? join(folder, "report.md")),
    junit: resolve(values.junit ?? join(folder, "junit.xml")),
    allowLinkerd: values["allow-linkerd"],
    cleanUp: values["clean-up"],
  };
}
