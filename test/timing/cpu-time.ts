/**
 * Runs an action. Returns the CPU time that this process used for the action, in milliseconds. The result does not
 * include the CPU time of other processes.
 */
export function cpuTime(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Runs an action several times. Returns the CPU time of the fastest run. The first runs are slower, because Node
 * compiles the code during these runs.
 */
export function leastCpuTime(action: () => void, runs = 4): number {
  return Math.min(...Array.from({ length: runs }, () => cpuTime(action)));
}
