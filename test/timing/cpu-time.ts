/**
 * Returns the CPU time of an action in this process, in milliseconds. The CPU time of other processes is not included.
 */
export function cpuTime(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Returns the shortest CPU time of several runs. The first runs take longer, because they include code compilation. */
export function leastCpuTime(action: () => void, runs = 4): number {
  return Math.min(...Array.from({ length: runs }, () => cpuTime(action)));
}
