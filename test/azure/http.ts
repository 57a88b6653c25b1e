import type { IncomingMessage } from "node:http";

/** A request in the form that the handlers receive. */
export interface Request {
  readonly method: string;
  /** Decoded path, without a trailing slash. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /**
   * Number of the az call that sent the request, as in the User-Agent. Null if the User-Agent contains no number of a
   * call.
   */
  readonly call: number | null;
}

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  /** Body of the reply as text. If this field is set, the server sends this text instead of `body`. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(body: unknown, status: number = 200): Reply {
  return { status, body };
}

/** Returns an error reply in the format of Azure Resource Manager. */
export function refuse(status: number, code: string, message: string): Reply {
  return { status, body: { error: { code, message } } };
}

/** Reads a complete request. If the body is not JSON, `body` is an empty object. */
export async function readRequest(message: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(message.url ?? "/", "https://localhost");
  return {
    method: message.method ?? "GET",
    path: decodeURIComponent(pathname).replace(/(.)\/$/, "$1"),
    query: searchParams,
    body: parse(Buffer.concat(chunks).toString()),
    call: callOf(message.headers["user-agent"] ?? ""),
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function callOf(userAgent: string): number | null {
  const found = /meshops-call\/(\d+)/.exec(userAgent)?.[1];
  return found === undefined ? null : Number(found);
}
