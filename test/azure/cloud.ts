import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../generator/identity/authority.ts";
import { environmentOf } from "../support/specs.ts";
import { ok, type Reply, type Request, readRequest, refuse } from "./http.ts";
import { buildLog, registryData } from "./registries.ts";
import { resourceManager } from "./resource-manager.ts";
import { State } from "./state.ts";

/**
 * A fault that the stand-in causes. `forbidden` and `throttled`: the stand-in replies with an error, and changes
 * nothing. `hang-up`: it closes the connection without a reply. `half-made`: it makes the requested change, and then
 * replies with an error.
 */
type Mishap = "forbidden" | "throttled" | "hang-up" | "half-made";

/**
 * The stand-in calls this function for each request, before it replies to the request. The function returns the fault
 * that the stand-in must cause; null for no fault.
 */
export type Watcher = (request: Request) => Mishap | null;

/**
 * A stand-in for Azure on loopback. It serves Azure Resource Manager, the API of registries, uploads of build sources,
 * and the token endpoint of a managed identity.
 */
export class Cloud {
  state: State = new State();
  /** Requests that the stand-in does not support, as `<method> <path>`. Tests check that the list is empty. */
  readonly unknown: string[] = [];
  watch: Watcher = () => null;
  readonly ca: string;
  readonly #servers: Server[];

  private constructor(ca: string, servers: Server[]) {
    this.ca = ca;
    this.#servers = servers;
  }

  static async start(): Promise<Cloud> {
    const { identity } = environmentOf().spec.linkerd;
    const ca = makeWebhookCa(identity, new Date());
    const server = makeServerCertificate("localhost", identity, ca, new Date());
    let cloud: Cloud | undefined;
    const answer = (message: IncomingMessage, response: ServerResponse): void =>
      void cloud?.answer(message, response).catch(() => response.destroy()); // the client has disconnected
    const servers = [createServer({ cert: server.certificate, key: privateKeyPem(server) }, answer), createHttpServer(answer)];
    for (const each of servers) await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
    cloud = new Cloud(ca.certificate, servers);
    return cloud;
  }

  get base(): string {
    return `https://localhost:${port(this.#servers[0])}`;
  }

  /** URL at which a managed identity requests tokens. */
  get identityEndpoint(): string {
    return `http://127.0.0.1:${port(this.#servers[1])}/msi/token`;
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      const closed = new Promise((resolve) => server.close(resolve));
      // `close` must come first, because it stops the server from accepting new connections. A connection that is
      // accepted after `closeAllConnections` would keep the server open.
      (server as ReturnType<typeof createHttpServer>).closeAllConnections();
      await closed;
    }
  }

  private async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message);
    const mishap = this.watch(request);
    if (mishap === "hang-up") return void message.socket.destroy();
    const reply = mishap === null || mishap === "half-made" ? this.reply(request) : mishaps[mishap];
    if (mishap === "half-made") this.state.settle();
    const { status, body, text, headers = {} } = mishap === "half-made" ? mishaps[mishap] : reply;
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(request.method === "HEAD" ? undefined : (text ?? (body === undefined ? undefined : JSON.stringify(body))));
  }

  private reply(request: Request): Reply {
    const { path, method } = request;
    if (path.startsWith("/msi/token") || path.startsWith("/metadata/")) return token(request);
    if (path.startsWith("/blobs/") && method === "PUT") {
      this.state.uploads.add(path.slice("/blobs/".length));
      return { status: 201, headers: { etag: '"0x1"', "x-ms-request-server-encrypted": "true" } };
    }
    if (path.endsWith("/log.txt")) return buildLog(request);
    const [, kind, operation] = /^\/(operations|results)\/([^/]+)$/.exec(path) ?? [];
    if (operation !== undefined) return this.poll(kind as "operations" | "results", operation);
    const known = registryData(request, this.state, this.base) ?? resourceManager(request, this.state, this.base);
    if (known !== null) return known;
    this.unknown.push(`${method} ${path}`);
    return refuse(404, "NotModelled", `${method} ${path} is not modelled`);
  }

  /** Handles a poll for the result of an operation. The first reply is `InProgress`. The second reply is the result. */
  private poll(kind: "operations" | "results", id: string): Reply {
    const operation = this.state.operations.get(id);
    if (operation === undefined) return kind === "operations" ? ok({ status: "Succeeded" }) : ok({});
    if (operation.polls++ === 0) {
      const again = { "retry-after": "1", ...(kind === "results" ? { location: `${this.base}/results/${id}` } : {}) };
      return { status: kind === "operations" ? 200 : 202, body: { status: "InProgress" }, headers: again };
    }
    this.state.operations.delete(id);
    operation.finish();
    if (operation.error === null) return ok({ status: "Succeeded" });
    if (kind === "operations") return ok({ status: "Failed", error: operation.error });
    return refuse(400, operation.error.code, operation.error.message);
  }
}

const mishaps: Readonly<Record<Exclude<Mishap, "hang-up">, Reply>> = {
  forbidden: refuse(403, "AuthorizationFailed", "The client does not have authorization to perform this action."),
  throttled: { ...refuse(429, "TooManyRequests", "The request is being throttled."), headers: { "retry-after": "1" } },
  "half-made": refuse(500, "InternalServerError", "The work was done, but the answer was lost."),
};

function token({ query }: Request): Reply {
  const claims = { aud: query.get("resource"), oid: "stand-in", tid: "22222222-2222-2222-2222-222222222222", exp: 4102444800 };
  const parts = ["{}", JSON.stringify(claims), "signature"].map((part) => Buffer.from(part).toString("base64url"));
  return ok({
    access_token: parts.join("."),
    expires_on: "4102444800",
    expires_in: "86399",
    resource: query.get("resource"),
    token_type: "Bearer",
  });
}

function port(server: Server | undefined): number {
  const address = server?.address() as AddressInfo | undefined;
  if (address === undefined) throw new Error("the stand-in does not listen");
  return address.port;
}
