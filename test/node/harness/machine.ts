import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cachedTool } from "../../../scripts/tools/paths.ts";
import { goTools } from "../../../scripts/tools/pins.ts";
import { hasCgroups1 } from "./kernel.ts";

/** Path of a statically linked busybox, which Debian's package busybox-static installs. */
export const busybox = "/bin/busybox";

/** Programs that a node needs, each with the name of its Debian package. */
const packages: Readonly<Record<string, string>> = {
  containerd: "containerd",
  runc: "runc",
  iptables: "iptables",
  ipset: "ipset",
  conntrack: "conntrack",
  etcd: "etcd-server",
  ip: "iproute2",
  sysctl: "procps",
};

/** Returns null if this machine can run a node; otherwise one text with the reason and a fix. */
export function nodeProblem(): string | null {
  const instead = "use another cluster for the tests of real pods, for example kind: https://kind.sigs.k8s.io";
  if (process.platform !== "linux") return `the node needs Linux; ${instead}`;
  if (process.getuid?.() !== 0) return `the node needs root, to create namespaces and mounts; ${instead}`;
  if (!hasCgroups1()) return `the node needs cgroups of version 1; ${instead}`;
  const has = (program: string): boolean => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  const wanted = Object.entries(packages).flatMap(([program, name]) => (has(program) ? [] : [name]));
  if (!existsSync("/usr/lib/cni/bridge")) wanted.push("containernetworking-plugins");
  if (!existsSync(busybox)) wanted.push("busybox-static");
  if (wanted.length > 0) return `some programs are missing: apt-get install ${wanted.join(" ")}`;
  const unbuilt = goTools.filter(({ name, version }) => needed.includes(name) && !existsSync(cachedTool(name, version)));
  return unbuilt.length > 0 ? `${unbuilt.map(({ name }) => name).join(", ")} must be built: npm run tools` : null;
}

const needed = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kube-router", "coredns"];
