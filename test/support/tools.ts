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

/** Root folder of this checkout, with a slash at the end. */
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
 * Runs a program, waits until the program exits, and returns its stdout. If the program fails, throws an error. The
 * error contains the program's stderr and the last 4000 characters of the program's stdout.
 */
export async function run(command: string, args: readonly string[], { cwd, env = {}, input }: RunOptions = {}): Promise<string> {
  // Node connects the stdin of a child process to a socket. A program cannot open a socket as /dev/stdin. Therefore the
  // shell runs `cat`, which reads from the socket, and connects `cat` to the program with a pipe.
  const [program, all] = input === undefined ? [command, args] : ["sh", ["-c", 'cat | "$0" "$@"', command, ...args]];
  const running = exec(program, [...all], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    maxBuffer: 1024 ** 3,
  });
  running.child.stdin?.on("error", () => {}); // the program may exit before it reads its input
  running.child.stdin?.end(input ?? "");
  try {
    return (await running).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stderr ?? ""}${(stdout ?? "").slice(-4000)}`);
  }
}
