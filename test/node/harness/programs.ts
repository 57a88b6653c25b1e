import { join } from "node:path";
import { stringify } from "yaml";
import { cgroup } from "./kernel.ts";
import { network } from "./namespaces.ts";

/** Address ranges of pods and Services, and the addresses of the DNS Service and of the API server's Service. */
export const ranges = { pods: "10.244.0.0/24", services: "10.96.0.0/16", dns: "10.96.0.10", api: "10.96.0.1" } as const;

export const nodeName = "node-1";

/** Name of the image of the container that containerd starts first in each pod, to keep the pod's network namespace. */
export const pauseImage = "registry.example/pause:1";

/**
 * Returns the configuration of containerd 1.6. `restrict_oom_score_adj` is set, because runc cannot lower the
 * oom_score_adj of a process if the machine does not grant CAP_SYS_RESOURCE.
 */
export function containerdConfig(folder: string): string {
  return `version = 2
root = "${join(folder, "containerd")}"
state = "/run/containerd"
[grpc]
  address = "${join(folder, "containerd.sock")}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(folder, "cni")}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** CNI configuration of the pod network. All pods are connected to a bridge, which is also their gateway. */
export const cniConfig: string = JSON.stringify({
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      hairpinMode: true,
      ipam: { type: "host-local", ranges: [[{ subnet: ranges.pods }]], routes: [{ dst: "0.0.0.0/0" }] },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

/**
 * Returns the configuration of the kubelet. The kubelet's API needs no authentication, because only pods of the tests
 * can connect to it.
 */
export function kubeletConfig(folder: string): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    containerRuntimeEndpoint: `unix://${join(folder, "containerd.sock")}`,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    clusterDomain: "cluster.local",
    clusterDNS: [ranges.dns],
    podLogsDir: join(folder, "pod-logs"),
    resolvConf: "",
    // With this setting, the kubelet evicts pods only if the disk is almost full. Other programs on the machine also
    // write to this disk.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "0%" },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: "5s",
    // The kubelet synchronizes pods every 10 seconds instead of every minute (the default), so that tests wait less.
    syncFrequency: "10s",
  });
}

/**
 * Returns the arguments of kube-proxy. They prevent kube-proxy from changing the kernel's conntrack settings, because
 * these settings apply to the whole machine.
 */
export function kubeProxyArguments(kubeconfig: string): string[] {
  const limits = [
    "max-per-core",
    "min",
    "tcp-timeout-established",
    "tcp-timeout-close-wait",
    "udp-timeout",
    "udp-timeout-stream",
  ];
  return [
    `--kubeconfig=${kubeconfig}`,
    "--proxy-mode=iptables",
    `--cluster-cidr=${ranges.pods}`,
    `--hostname-override=${nodeName}`,
    ...limits.map((name) => `--conntrack-${name}=0${name.includes("timeout") ? "s" : ""}`),
  ];
}

/** Returns the arguments of kube-router. They disable all functions except the enforcement of NetworkPolicies. */
export function kubeRouterArguments(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    "--run-router=false",
    "--run-service-proxy=false",
    "--run-firewall=true",
    "--run-loadbalancer=false",
    `--service-cluster-ip-range=${ranges.services}`,
    "--iptables-sync-period=10s",
    "--health-port=0",
    "--metrics-port=0",
  ];
}

/** Shell script that sets the address and the routes of the node's network, and enables forwarding. */
export const networkScript: string = `
ip link set eth0 up
ip addr add ${network.node}/${network.prefix} dev eth0
ip route add default via ${network.machine}
# Without this route, the API server reaches no webhook and no aggregated API.
ip route add ${ranges.services} dev eth0
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true
`;
