// Preloaded into what is measured: notes the largest resident memory, in KiB, when the process ends.
process.on("exit", () => require("node:fs").writeFileSync(process.env.MESHOPS_BENCH_PEAK, String(process.resourceUsage().maxRSS)));
