// Preloaded into the measured process: writes its largest resident memory, in KiB, to a file when it exits.
process.on("exit", () => require("node:fs").writeFileSync(process.env.MESHOPS_BENCH_PEAK, String(process.resourceUsage().maxRSS)));
