import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const hierarchies = "/sys/fs/cgroup";

/** Path of the node's cgroup in each hierarchy of cgroups version 1. */
export const cgroup = "/meshops-node";

/** Kernel settings of the machine that a kubelet changes (kubernetes, pkg/util/sysctl/sysctl.go). */
const settings = [
  "kernel/keys/root_maxbytes",
  "kernel/keys/root_maxkeys",
  "kernel/panic",
  "kernel/panic_on_oops",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
] as const;

/** Whether the machine uses cgroups version 1. */
export function hasCgroups1(): boolean {
  return !existsSync(join(hierarchies, "cgroup.controllers")) && existsSync(join(hierarchies, "memory"));
}

/** Returns the current values of the settings that the kubelet changes. */
export function kernelSettings(): Record<string, string> {
  return Object.fromEntries(settings.map((name) => [name, readFileSync(`/proc/sys/${name}`, "utf8").trim()]));
}

/** Sets kernel settings to values that `kernelSettings` has returned earlier. */
export function restoreKernelSettings(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) writeFileSync(`/proc/sys/${name}`, value);
}

/**
 * Creates the node's cgroup in each hierarchy. In the hierarchy `cpuset`, a new cgroup has no CPUs and no memory nodes.
 * Therefore this function copies the CPUs and memory nodes of the parent cgroup to the new cgroup.
 */
export function makeCgroups(): void {
  for (const hierarchy of versionOne()) {
    const folder = join(hierarchies, hierarchy, cgroup);
    mkdirSync(folder, { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      if (existsSync(join(folder, file))) writeFileSync(join(folder, file), readFileSync(join(folder, "..", file)));
  }
}

/** Removes the node's cgroup in each hierarchy. @throws if a cgroup still contains processes */
export function removeCgroups(): void {
  for (const folder of cgroupsLeft()) removeBelow(folder);
}

/** Returns the folders of the node's existing cgroups. */
export function cgroupsLeft(): string[] {
  return versionOne()
    .map((hierarchy) => join(hierarchies, hierarchy, cgroup))
    .filter((folder) => existsSync(folder));
}

function versionOne(): string[] {
  return readdirSync(hierarchies).filter((name) => existsSync(join(hierarchies, name, "tasks")));
}

function removeBelow(folder: string): void {
  for (const name of readdirSync(folder)) if (statSync(join(folder, name)).isDirectory()) removeBelow(join(folder, name));
  rmdirSync(folder);
}
