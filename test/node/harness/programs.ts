import { join } from "node:path";
import { stringify } from "yaml";
import { cgroup } from "./kernel.ts";
import { network } from "./namespaces.ts";

/** Address ranges of the node's pods and Services, and the address of its DNS server. */
export const ranges = { pods: "10.244.0.0/24", services: "10.96.0.0/16", dns: "10.96.0.10", api: "10.96.0.1" } as const;

export const nodeName = "node-1";

/** Image of the container that holds a pod's network. */
export const pauseImage = "registry.example/pause:1";

/**
 * Configuration of containerd 1.6. Without CAP_SYS_RESOURCE, runc cannot lower the oom_score_adj of a process.
 * Therefore containerd must not request a lower value.
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

/** Configuration of the pod network. The network is a bridge. The address of the bridge is the gateway of the pods. */
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
 * Configuration of the kubelet. Only pods are connected to the network, so the kubelet's API needs no authentication.
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
    // Other programs use the same disk. Therefore the kubelet evicts pods only if the disk is almost full.
    evictionHard: { "memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "0%" },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: "5s",
    // The kubelet reports the status of pods and probes immediately, so that tests wait less.
    syncFrequency: "10s",
  });
}

/**
 * Arguments of kube-proxy. kube-proxy must not change the kernel's limits for tracked connections, because these
 * limits apply to the whole machine.
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

/** Arguments of kube-router. In this harness, kube-router only enforces NetworkPolicies. */
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

/** Script that gives the node's network its address and routes. */
export const networkScript: string = `
ip link set eth0 up
ip addr add ${network.node}/${network.prefix} dev eth0
ip route add default via ${network.machine}
# Without this route, the API server reaches no webhook and no aggregated API.
ip route add ${ranges.services} dev eth0
sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.bridge.bridge-nf-call-iptables=1 || true
`;
