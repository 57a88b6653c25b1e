import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";

/**
 * Result of a request in the mesh. `pass`: Alpha receives the request. `denied`: Alpha's proxy refuses the request.
 * `unreachable`: the packets are dropped. `untrusted`: the client's proxy does not trust Alpha's proxy. For
 * `unreachable` and `untrusted`, the client's proxy reports "fail-fast" after some seconds, as HTTP 504 or gRPC status
 * 4 (linkerd2-proxy, outbound).
 */
export type Fate = "pass" | "denied" | "unreachable" | "untrusted";

/** Faults of Dgraph itself, not of the mesh. */
export interface DgraphFaults {
  zerosAlive: number;
  writesLost: boolean;
}

const { root } = protobuf.parse(
  `syntax = "proto3";
   message Mutation { bytes set_nquads = 3; }
   message Request { string query = 4; repeated Mutation mutations = 12; bool commit_now = 13; }
   message Response { bytes json = 1; }
   message Operation { string drop_attr = 2; }
   message Payload { bytes Data = 1; }
   message Version { string tag = 1; }`,
  { keepCase: true },
);

/**
 * Simulates Alphas on loopback, over HTTP and gRPC. The servers return what the client's proxy would return to the
 * client: the response of Alpha, or an error of the proxy.
 */
export class Alphas {
  readonly faults: DgraphFaults = { zerosAlive: 3, writesLost: false };
  #stored: string[] = [];

  /**
   * Starts an HTTP server for one probe. Returns its port.
   *
   * @param fateOf returns the result of a request with the given path
   */
  http(fateOf: (path: string) => Fate, closers: (() => void)[]): Promise<number> {
    const server = createServer((request, response) => this.#answerHttp(request, response, fateOf(request.url ?? "")));
    closers.push(() => server.close().closeAllConnections());
    return listening(server);
  }

  /**
   * Starts a gRPC server for one probe. Returns its port.
   *
   * @param fateOf returns the result of a call with the given path
   */
  grpc(fateOf: (path: string) => Fate, closers: (() => void)[]): Promise<number> {
    const server = createHttp2();
    server.on("stream", (stream, headers) => {
      const path = String(headers[":path"]);
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", () => {});
      stream.on("end", () => {
        const fate = fateOf(path);
        if (fate === "denied") return end(stream, null, 7, "unauthorized request on route");
        if (fate !== "pass") return end(stream, null, 4, "logical service: service in fail-fast");
        end(stream, this.#call(path, Buffer.concat(chunks).subarray(5)), 0, "");
      });
    });
    closers.push(() => server.close());
    return listening(server);
  }

  #call(path: string, body: Buffer): Uint8Array {
    const encode = (name: string, value: object): Uint8Array => {
      const type = root.lookupType(name);
      return type.encode(type.fromObject(value)).finish();
    };
    if (path.endsWith("/CheckVersion")) return encode("Version", { tag: "v24.1.4" });
    if (path.endsWith("/Alter")) {
      this.#stored = [];
      return encode("Payload", {});
    }
    const request = root.lookupType("Request").decode(body).toJSON() as { mutations?: { set_nquads: string }[]; query?: string };
    for (const { set_nquads } of request.mutations ?? [])
      if (!this.faults.writesLost) this.#stored.push(/"(.*)"/.exec(Buffer.from(set_nquads, "base64").toString())?.[1] ?? "");
    const json = JSON.stringify({ q: this.#stored.map((v) => ({ v })) });
    return encode("Response", { json: Buffer.from(json) });
  }

  #answerHttp({ url = "" }: IncomingMessage, response: ServerResponse, fate: Fate): void {
    const proxy = {
      denied: [403, "unauthorized request on route"],
      unreachable: [504, "logical service: service in fail-fast"],
      untrusted: [504, "logical service: service in fail-fast"],
    } as const;
    if (fate !== "pass") {
      const [status, error] = proxy[fate];
      response.writeHead(status, { "l5d-proxy-error": error }).end();
      return;
    }
    const body = url === "/state" ? this.#state() : [{ instance: "alpha", status: "healthy" }];
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  }

  #state(): object {
    const member = (name: string, index: number, alive: number): object => ({
      id: String(index + 1),
      addr: `demo-dgraph-${name}-${index}`,
      ...(index === 0 && alive > 1 ? { leader: true } : {}),
      ...(index >= alive ? { amDead: true } : {}),
    });
    const set = (name: string, alive: number): object =>
      Object.fromEntries([0, 1, 2].map((index) => [String(index + 1), member(name, index, alive)]));
    return { groups: { 1: { members: set("alpha", 3) } }, zeros: set("zero", this.faults.zerosAlive) };
  }
}

function end(stream: ServerHttp2Stream, message: Uint8Array | null, status: number, text: string): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(status), "grpc-message": text }));
  if (message === null) {
    stream.end();
    return;
  }
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
}

async function listening(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}
