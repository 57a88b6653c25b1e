import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Folder with the state of all environments, as an expression that the shell expands. The scripts store the kubeconfig
 * and logs of an environment in a subfolder with the environment's name.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands these variables
export const stateFolderInShell: string = "${MESHOPS_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/meshops}";

/** Returns the folder to which a shell with the environment variables `env` expands `stateFolderInShell`. */
export function stateFolderIn(env: Readonly<Record<string, string | undefined>>): string {
  const of = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  return of("MESHOPS_STATE") ?? join(of("XDG_STATE_HOME") ?? join(of("HOME") ?? homedir(), ".local/state"), "meshops");
}
