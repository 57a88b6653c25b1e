import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Shell expression for the folder with the state of all environments. The scripts store the kubeconfig and the logs of
 * an environment in a subfolder with the name of the environment.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands these variables
export const stateFolderInShell: string = "${MESHOPS_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/meshops}";

/** Returns the result of expanding `stateFolderInShell` in a shell with the environment variables `env`. */
export function stateFolderIn(env: Readonly<Record<string, string | undefined>>): string {
  const of = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  return of("MESHOPS_STATE") ?? join(of("XDG_STATE_HOME") ?? join(of("HOME") ?? homedir(), ".local/state"), "meshops");
}
