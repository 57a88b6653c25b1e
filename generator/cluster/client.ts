import { exitCode, UserError } from "../system/errors.ts";

/**
 * The Kubernetes client: half a second and 67 MB that only commands about a cluster pay, so a package of its own that may be missing.
 *
 * @throws UserError (missing) where it is not installed
 */
export async function kubernetesClient(): Promise<typeof import("@kubernetes/client-node")> {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UserError(
      exitCode.missing,
      "the Kubernetes client is not installed",
      "npm install @kubernetes/client-node, beside meshops",
    );
  }
}
