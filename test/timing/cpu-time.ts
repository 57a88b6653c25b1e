/** CPU time that an action takes in this process, in milliseconds: other processes of the machine do not count. */
export function cpuTime(action: () => void): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The least CPU time of several runs: the first ones include the compilation of the code. */
export function leastCpuTime(action: () => void, runs = 4): number {
  return Math.min(...Array.from({ length: runs }, () => cpuTime(action)));
}
