import { exitCode, UserError } from "../system/errors.ts";

/**
 * Loads the Kubernetes client. It takes half a second and 67 MB, and only commands for clusters need it, so it is an
 * optional package.
 *
 * @throws UserError (missing) if it is not installed
 */
export async function kubernetesClient(): Promise<typeof import("@kubernetes/client-node")> {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UserError(
      exitCode.missing,
      "the Kubernetes client is not installed",
      "run npm install @kubernetes/client-node in the folder where meshops is installed",
    );
  }
}
