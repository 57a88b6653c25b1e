// Listens on each port that is given as an argument, and answers every connection.
import { createServer } from "node:net";

for (const port of process.argv.slice(2)) createServer((socket) => socket.on("error", () => {}).end("here\n")).listen(Number(port));
process.on("SIGTERM", () => process.exit(0));
