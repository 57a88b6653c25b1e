import { exitCode, UserError } from "../system/errors.ts";

/**
 * Loads the Kubernetes client. The client is an optional package, because only the commands that connect to a cluster
 * need this package. Loading the client takes half a second. The client takes 67 MB of disk space.
 *
 * @throws UserError (missing) if the client is not installed
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
