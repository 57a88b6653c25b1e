import ipaddr from "ipaddr.js";

/** A network without the networks in `except`. */
export interface Network {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/**
 * Networks of pods and nodes in the default values of Linkerd's chart (linkerd-control-plane, `clusterNetworks`). All
 * releases have the same default. The default inbound policies `cluster-…` admit clients in these networks.
 */
const clusterNetworks = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"] as const;

/**
 * Whether an address is in a network. If the address is not known (null), returns whether the network contains all
 * addresses.
 */
export function inNetwork(address: string | null, { cidr, except = [] }: Network): boolean {
  if (cidr.endsWith("/0") && except.length === 0) return address === null || kindOf(address) === kindOf(cidr);
  return address !== null && contains(cidr, address) && !except.some((each) => contains(each, address));
}

/** Whether a text is a valid CIDR: an address and the length of its prefix. */
export function isNetwork(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** Whether a network is equal to another network, or is a part of the other network. */
export function isWithin(inner: string, outer: string): boolean {
  if (!isNetwork(inner) || !isNetwork(outer)) return inner === outer;
  const [address, prefix] = ipaddr.parseCIDR(inner);
  const [base, length] = ipaddr.parseCIDR(outer);
  return address.kind() === base.kind() && prefix >= length && address.match(base, length);
}

/**
 * Whether an address is in the networks of the cluster. Assumes that an unknown address (null) is the address of a pod.
 */
export function inCluster(address: string | null): boolean {
  return address === null || clusterNetworks.some((cidr) => contains(cidr, address));
}

function contains(cidr: string, address: string): boolean {
  // A NetworkAuthentication can contain an address without the length of a prefix (linkerd2, NetworkAuthentication).
  const [network, prefix] = cidr.includes("/") ? cidr.split("/") : [cidr, kindOf(cidr) === "ipv6" ? "128" : "32"];
  if (!ipaddr.isValid(address) || !isNetwork(`${network}/${prefix}`)) return false;
  const [parsed, base] = [ipaddr.parse(address), ipaddr.parse(network ?? "")];
  return parsed.kind() === base.kind() && parsed.match(base, Number(prefix));
}

function kindOf(address: string): "ipv4" | "ipv6" {
  return address.includes(":") ? "ipv6" : "ipv4";
}
