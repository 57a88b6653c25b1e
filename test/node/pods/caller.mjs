// Connects to addresses (host:port) on request. Serves these requests over HTTP on port 9999:
//   GET /try?to=a,b     connects to each address once; returns "open" or "closed" for each address
//   GET /watch?to=a,b   starts to connect to each address every 150 ms
//   GET /watched        returns the numbers of tries and of successful tries since /watch, for each address
import { createServer } from "node:http";
import { connect } from "node:net";

const interval = 150;

/**
 * Connects to an address. Returns "open" only if the server sends data, because a firewall can accept a connection and
 * drop the packets that follow.
 */
function attempt(address) {
  const [host, port] = address.split(":");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 1000 });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("data", () => end("open"));
    for (const event of ["error", "timeout", "close"]) socket.on(event, () => end("closed"));
  });
}

const watched = {};

createServer(async ({ url }, response) => {
  const { pathname, searchParams } = new URL(url, "http://caller");
  const addresses = (searchParams.get("to") ?? "").split(",").filter(Boolean);
  const answer = (body) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  if (pathname === "/try") {
    const results = await Promise.all(addresses.map(async (address) => [address, await attempt(address)]));
    answer(Object.fromEntries(results));
  } else if (pathname === "/watch") {
    for (const address of addresses) {
      watched[address] = { tries: 0, open: 0 };
      setInterval(async () => {
        const result = await attempt(address);
        watched[address].tries++;
        if (result === "open") watched[address].open++;
      }, interval);
    }
    answer({});
  } else answer(watched);
}).listen(9999);
process.on("SIGTERM", () => process.exit(0));
