import { processIo } from "./commands/io.ts";
import { reportError, run } from "./commands/run.ts";
import { exitCode } from "./system/errors.ts";

const argv = process.argv.slice(2);
const io = processIo(argv);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCode.ok); // the reader closed the pipe
  process.exit(reportError(error, io));
});

process.exitCode = await run(argv, io);
