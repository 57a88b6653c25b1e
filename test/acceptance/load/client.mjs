// client.mjs load HOST          calls Dgraph's Alpha in four ways
// client.mjs probe HOST:PORT…   calls each address
// Both commands print one line of JSON per second, with the numbers of calls in this second:
//   load:   {"at": …, "calls": {"http-new": 10, …}, "failed": {…}}
//   probe:  {"at": …, "calls": {"HOST:PORT": 6, …}, "answered": {…}}
// For each failed call, `load` also prints {"at": …, "way": …, "error": …}.
import { Agent, request } from "node:http";
import { connect } from "node:http2";

const [mode, ...targets] = process.argv.slice(2);
/** Time between two calls in the same way, in milliseconds. The four ways together make 40 calls per second. */
const loadInterval = 100;
/** Time between two calls to the same address, in milliseconds. */
const probeInterval = 150;
const timeout = 5000;

let second = { calls: {}, failed: {}, answered: {} };
const count = (what, way) => (second[what][way] = (second[what][way] ?? 0) + 1);
const print = (line) => process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`);
setInterval(() => {
  print(second);
  second = { calls: {}, failed: {}, answered: {} };
}, 1000);

/** Sends a GET request. Rejects unless the status is 200. */
function http(host, port, path, agent) {
  return new Promise((resolve, reject) => {
    const call = request({ host, port, path, agent, timeout }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
      response.on("error", reject);
    });
    call.on("timeout", () => call.destroy(new Error("no answer within 5 s")));
    call.on("error", reject);
    call.end();
  });
}

/** Calls a gRPC method with an empty message on an HTTP/2 session. Resolves with the gRPC status. */
function grpc(session, method) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": method, "content-type": "application/grpc", te: "trailers" });
    let status;
    const read = (headers) => (status ??= headers["grpc-status"]);
    stream.setTimeout(timeout, () => stream.destroy(new Error("no answer within 5 s")));
    stream.on("response", (headers) => {
      if (headers[":status"] !== 200) stream.destroy(new Error(`status ${headers[":status"]}`));
      read(headers);
    });
    stream.on("trailers", read);
    stream.on("error", reject);
    stream.on("close", () => (status === undefined ? reject(new Error("the stream ended without a status")) : resolve(Number(status))));
    stream.resume();
    stream.end(Buffer.alloc(5)); // one uncompressed message of length 0
  });
}

/**
 * Opens an HTTP/2 session. Ignores errors of the session, because the streams of the session report the same errors.
 */
function open(host, port) {
  const session = connect(`http://${host}:${port}`);
  session.on("error", () => {});
  return session;
}

async function checkVersion(session) {
  const status = await grpc(session, "/api.Dgraph/CheckVersion");
  if (status !== 0) throw new Error(`gRPC status ${status}`);
}

let kept;
const keptAgent = new Agent({ keepAlive: true, maxSockets: 1 });
const ways = {
  "http-new": (host) => http(host, 8080, "/state", new Agent({ keepAlive: false })),
  "http-kept": (host) => http(host, 8080, "/state", keptAgent),
  "grpc-new": async (host) => {
    const session = open(host, 9080);
    await checkVersion(session).finally(() => session.destroy());
  },
  "grpc-kept": async (host) => {
    if (kept === undefined || kept.closed || kept.destroyed) kept = open(host, 9080);
    await checkVersion(kept);
  },
};

function startLoad(host) {
  for (const [way, call] of Object.entries(ways))
    setInterval(async () => {
      count("calls", way);
      try {
        await call(host);
      } catch (error) {
        count("failed", way);
        print({ way, error: error.message });
      }
    }, loadInterval);
}

/**
 * Whether the server answers a call. HTTP status 403 and gRPC status 7 do not count as answers, because they mean that
 * a policy refused the call.
 */
async function answers(host, port) {
  const grpcPorts = ["9080", "7080", "5080"];
  if (grpcPorts.includes(port)) {
    const session = open(host, port);
    try {
      return (await grpc(session, "/grpc.health.v1.Health/Check")) !== 7;
    } catch (error) {
      return /^status (?!403)/.test(error.message);
    } finally {
      session.destroy();
    }
  }
  try {
    await http(host, port, "/state", new Agent({ keepAlive: false }));
    return true;
  } catch (error) {
    return /^status (?!403)/.test(error.message);
  }
}

function startProbe(addresses) {
  for (const address of addresses) {
    const [host, port] = address.split(":");
    setInterval(async () => {
      count("calls", address);
      if (await answers(host, port)) count("answered", address);
    }, probeInterval);
  }
}

if (mode === "load") startLoad(targets[0]);
else startProbe(targets);
process.on("SIGTERM", () => process.exit(0));
