// Listens on the ports in its arguments, and sends data to every client. Starts to listen on these ports only after a
// request to port 9998.
import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";

let listening = false;
createHttp((_, response) => {
  if (!listening)
    for (const port of process.argv.slice(2)) createServer((socket) => socket.on("error", () => {}).end("here\n")).listen(Number(port));
  listening = true;
  response.end("{}");
}).listen(9998);
process.on("SIGTERM", () => process.exit(0));
