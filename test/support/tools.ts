import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pinnedTool } from "../../scripts/tools/paths.ts";

export type ToolName =
  | "actionlint"
  | "age"
  | "cert-manager"
  | "grpcurl"
  | "helm"
  | "helm4"
  | "helmfile"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubeconform"
  | "kubectl"
  | "kustomize"
  | "kustomize-controller"
  | "kwok"
  | "sops";

/** Root of this checkout. */
export const projectRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/** Folder with reference data of upstream charts. The folder is outside the checkout; see `withReference`. */
export const referenceFolder: string = fileURLToPath(new URL("../../../shared/reference/", import.meta.url));

/** Returns the path of a tool that `npm run tools` builds. */
export function tool(name: ToolName): string {
  return pinnedTool(name);
}

const exec = promisify(execFile);

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * Runs a program to completion and returns its stdout. If the program fails, throws an error that contains its output.
 */
export async function run(command: string, args: readonly string[], { cwd, env = {}, input }: RunOptions = {}): Promise<string> {
  // Node uses a socket as the stdin of a child process. A socket cannot be opened as /dev/stdin. Therefore `cat`
  // provides a pipe.
  const [program, all] = input === undefined ? [command, args] : ["sh", ["-c", 'cat | "$0" "$@"', command, ...args]];
  const running = exec(program, [...all], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    maxBuffer: 1024 ** 3,
  });
  running.child.stdin?.on("error", () => {}); // the program may have exited without reading its input
  running.child.stdin?.end(input ?? "");
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stderr ?? ""}${(stdout ?? "").slice(-4000)}`);
  }
}
