// Preloaded into the measured process. When the process exits, writes its peak resident memory in KiB to a file.
process.on("exit", () => require("node:fs").writeFileSync(process.env.MESHOPS_BENCH_PEAK, String(process.resourceUsage().maxRSS)));
