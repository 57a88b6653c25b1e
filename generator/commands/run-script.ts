import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exitCode, UserError } from "../system/errors.ts";
import { programFolder } from "../system/program-folder.ts";
import { shellWord } from "../system/shell.ts";
import type { Io } from "./io.ts";

/**
 * Runs a script in the root of the repository, and returns the exit code of the script. The script uses the terminal of
 * this process. If the script fails, it prints the meshops command that continues the run (MESHOPS_RESUME).
 *
 * @throws UserError (missing) if bash cannot be run
 */
export async function runScript(
  io: Io,
  name: string,
  script: string,
  root: string,
  words: readonly string[] = [],
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "meshops-"));
  let child: ChildProcess | undefined;
  // Ignore SIGINT in this process. If the user presses Ctrl-C, the terminal also sends SIGINT to the script, which
  // handles the signal.
  const noLongerIgnore = io.onSignals(["SIGINT"], () => {});
  const noLongerPass = io.onSignals(["SIGTERM", "SIGHUP"], (signal) => void child?.kill(signal));
  try {
    const path = join(folder, `${name}.sh`);
    writeFileSync(path, script, { mode: 0o600 });
    return await new Promise((resolve, reject) => {
      child = spawn("bash", [path, ...words], {
        cwd: root,
        stdio: "inherit",
        env: {
          ...io.env,
          MESHOPS_CLI: fileURLToPath(new URL("cli.js", programFolder)),
          MESHOPS_RESUME: ["meshops", ...io.argv.map(shellWord)].join(" "),
        },
      });
      child.on("error", () =>
        reject(
          new UserError(
            exitCode.missing,
            "cannot run bash",
            "install bash; or remove --run, save the printed script, and run the script on a machine that has bash",
          ),
        ),
      );
      child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : exitCode.problem)));
    });
  } finally {
    noLongerIgnore();
    noLongerPass();
    rmSync(folder, { recursive: true, force: true });
  }
}
