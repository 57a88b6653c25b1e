// Acts as Dgraph's Alpha for the probes of `meshops verify`. Serves /health and /state over HTTP on port 8080, and the
// method api.Dgraph/CheckVersion over gRPC on port 9080.
import { createServer } from "node:http";
import { createServer as createHttp2 } from "node:http2";

createServer(({ url }, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(url === "/health" ? [{ instance: "alpha", status: "healthy", version: "v24.1.4" }] : { groups: {} }));
}).listen(8080);

/**
 * The field `tag` of the protobuf message `Version { string tag = 1; }`. `frame` contains this message in a gRPC frame.
 * The frame consists of one byte for "not compressed", the length of the message, and the message.
 */
const tag = Buffer.from("v24.1.4");
const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, tag.length + 2, 0x0a, tag.length]), tag]);

createHttp2()
  .on("stream", (stream, headers) => {
    const known = headers[":path"] === "/api.Dgraph/CheckVersion";
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": known ? "0" : "12" }));
    stream.end(known ? frame : undefined);
  })
  .listen(9080);
process.on("SIGTERM", () => process.exit(0));
