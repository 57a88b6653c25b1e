/** Returns the CPU time of an action in this process, in milliseconds. Other processes of the machine do not count. */
export function cpuTime(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Returns the shortest CPU time of several runs, because the first runs include the compilation of the code. */
export function leastCpuTime(action: () => void, runs = 4): number {
  return Math.min(...Array.from({ length: runs }, () => cpuTime(action)));
}
