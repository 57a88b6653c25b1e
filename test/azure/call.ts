import { type Reply, type Request, refuse } from "./http.ts";
import type { Operation, State } from "./state.ts";

/** A request to Azure Resource Manager, in the form that the handlers receive. */
export interface Call extends Request {
  readonly state: State;
  /** Base URL of the stand-in. */
  readonly base: string;
  /**
   * Resource ID at the start of the request's path. The ID has the same upper-case and lower-case letters as the path.
   */
  readonly id: string;
  /** Part of the path after `id`. */
  readonly rest: string;
}

/**
 * Starts a long-running operation. Returns a reply with a URL. The client polls this URL until the operation has a
 * result.
 */
export function begun(
  { state, base }: Call,
  status: 201 | 202,
  body: unknown,
  finish: () => void,
  error: Operation["error"] = null,
): Reply {
  const operation = state.begin(finish, error);
  const url = status === 201 ? `${base}/operations/${operation}` : `${base}/results/${operation}`;
  return { status, body, headers: { [status === 201 ? "azure-asyncoperation" : "location"]: url, "retry-after": "1" } };
}

export function notFound({ id }: Call): Reply {
  const [, , , , group, , ...resource] = id.split("/");
  return refuse(404, "ResourceNotFound", `The Resource '${resource.join("/")}' under resource group '${group}' was not found.`);
}
