import { processIo } from "./commands/io.ts";
import { reportError, run } from "./commands/run.ts";
import { exitCode } from "./system/errors.ts";

const argv = process.argv.slice(2);
const io = processIo(argv);

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // EPIPE: the program that reads stdout, such as head, closed the pipe.
  if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCode.ok);
  process.exit(reportError(error, io));
});

process.exitCode = await run(argv, io);
