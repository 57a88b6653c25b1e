import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/**
 * Addresses and device of the network between the machine and the node. The node has no other network. RFC 2544
 * reserves the address range for tests.
 */
export const network = { machine: "198.18.0.1", node: "198.18.0.2", prefix: 30, device: "meshops-node" } as const;

/**
 * Path of the lock file that prevents a second node on this machine. The file stays locked while a process of the node
 * runs.
 */
const lockFile = "/run/lock/meshops-node";

/**
 * Linux namespaces of a node: for processes, mounts and network. If the process that created the namespaces ends, even
 * because of SIGKILL, the first process in the namespaces also ends. The kernel then kills all other processes in the
 * namespaces, and removes the mounts and network devices of the namespaces.
 */
export class Namespaces {
  readonly #outer: ChildProcess;
  /** Program and arguments that start another program inside the namespaces. */
  readonly enter: readonly string[];
  /** Process ID of the first process in the namespaces. The ID is valid outside of the namespaces. */
  readonly first: number;

  private constructor(outer: ChildProcess, first: number) {
    this.#outer = outer;
    this.first = first;
    this.enter = ["nsenter", `--target=${first}`, "--mount", "--net", "--pid", "--"];
  }

  /**
   * Creates the namespaces, and waits until their first process is ready.
   *
   * @param wait whether to wait until another node on this machine has ended
   * @throws Error if another node runs and `wait` is false
   */
  static async create(wait: boolean): Promise<Namespaces> {
    const lock = ["flock", "--no-fork", "--conflict-exit-code=75", ...(wait ? [] : ["--nonblock"]), lockFile];
    const unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation=private"];
    const outer = spawn("setpriv", ["--pdeathsig=KILL", "--", ...lock, ...unshare, "sh", "-c", firstProcess], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let log = "";
    outer.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
    const [event] = (await Promise.race([once(outer.stdout, "data"), once(outer, "exit")])) as [Buffer | number | null];
    if (event === 75) throw new Error("another node runs on this machine");
    if (!Buffer.isBuffer(event)) throw new Error(`the node's namespaces cannot be created: ${log}`);
    const first = Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim());
    return new Namespaces(outer, first);
  }

  /**
   * Creates a pair of network devices that connects the node's network to the machine. The kernel removes these devices
   * together with the namespaces.
   */
  connect(): void {
    const { machine, prefix, device } = network;
    sh(`ip link add ${device} type veth peer name eth0 netns ${this.first}`);
    sh(`ip addr add ${machine}/${prefix} dev ${device} && ip link set ${device} up`);
  }

  /**
   * Removes the network device of an earlier node, if the device still exists. Without this function, the device would
   * exist until the kernel has closed all connections of that node.
   */
  static disconnect(): void {
    sh(`! ip link show ${network.device} >/dev/null 2>&1 || ip link delete ${network.device}`);
  }

  /** Runs a shell script in the namespaces, and returns its output. */
  run(script: string): string {
    return sh(script, this.enter);
  }

  async end(): Promise<void> {
    if (this.#outer.exitCode !== null || this.#outer.signalCode !== null) return;
    const ended = once(this.#outer, "exit");
    this.#outer.kill("SIGKILL");
    await ended;
  }
}

/**
 * Shell script of the first process in the namespaces. The script mounts sysfs again, so that /sys shows the network
 * devices of the node. It keeps the machine's cgroup hierarchies in /sys/fs/cgroup. It also mounts empty folders at
 * /run, /var/lib and /var/log, because programs of the node write to fixed paths in these folders.
 */
const firstProcess = `set -e
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/cgroup
mount --rbind /sys/fs/cgroup /mnt/cgroup
mount -t sysfs sysfs /sys
mount --rbind /mnt/cgroup /sys/fs/cgroup
umount --lazy /mnt
for folder in /run /var/lib /var/log; do mount -t tmpfs tmpfs $folder; done
mkdir /run/lock
# No name server can be reached. With this file, lookups fail at once instead of after a timeout.
echo nameserver 127.0.0.1 > /run/resolv.conf
mount --bind /run/resolv.conf /etc/resolv.conf
mount --make-rshared /
ip link set lo up
echo ready
while :; do sleep 1000000 & wait; done
`;

function sh(script: string, enter: readonly string[] = []): string {
  const [program = "", ...args] = [...enter, "sh", "-euc", script];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${stderr}${script}`);
  return stdout;
}
