import { type Reply, type Request, refuse } from "./http.ts";
import type { Operation, State } from "./state.ts";

/** What every handler of Azure Resource Manager is given. */
export interface Call extends Request {
  readonly state: State;
  /** Where the stand-in is reached. */
  readonly base: string;
  /** The resource that the path names, spelled as the caller does, and the rest of the path. */
  readonly id: string;
  readonly rest: string;
}

/** A reply that says where to ask whether the work is done. */
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
