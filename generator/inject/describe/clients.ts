import type { ManifestSet } from "../../kubernetes/manifest-set.ts";
import { containersOf, type Workload } from "../../kubernetes/workload.ts";
import { serviceNamed, servicePorts, targetOf } from "../../mesh/services.ts";
import { asMap, listOf } from "../../system/data.ts";

/**
 * A client of a set of pods, found in manifests. Set A is a client of set B if the environment variables, commands or
 * arguments of set A contain the address of a Service that selects the pods of set B.
 */
export interface DescribedClient {
  readonly key: string;
  /** Name of the set of pods that is the client, in the form `<workload>/<set>`. */
  readonly workload: string;
  /** Keys of the ports to which the client connects. Null if the client can connect to all ports. */
  readonly ports: readonly string[] | null;
  /**
   * Text for the user. Contains the names of the environment variables or arguments that contain the address, such as
   * `REDIS_HOST`.
   */
  readonly guess: string;
}

/** The address of a Service, found in an environment variable, a command or an argument of a workload. */
interface Address {
  /** Name of the environment variable or argument that contains the address. */
  readonly place: string;
  /** Workloads whose pods the Service selects. */
  readonly workloads: readonly Workload[];
  /** Number of the target port. Null if the address contains no port, or if the Service does not have this port. */
  readonly port: number | null;
}

/**
 * Returns the addresses of Services in the environment variables, commands and arguments of a workload's containers. A
 * value such as `redis:6379` or `http://api.shop.svc:8080/path` is an address if its host is the name of a Service in
 * the manifests and this Service selects workloads.
 */
export function addressesIn(workload: Workload, stream: ManifestSet): Address[] {
  return containersOf(workload).flatMap(({ container }) => {
    const variables = listOf(container["env"])
      .map(asMap)
      .map(({ name, value }) => ({ place: String(name), text: value }));
    const flags = [...listOf(container["command"]), ...listOf(container["args"])].map((text) => ({
      place: String(text).replace(/[= ].*$/, ""),
      text: String(text).replace(/^-[^=]*=/, ""),
    }));
    return [...variables, ...flags].flatMap(({ place, text }) => {
      const found = typeof text === "string" ? addressOf(text, hostName.test(place), workload, stream) : null;
      return found === null ? [] : [{ place, ...found }];
    });
  });
}

/**
 * Names of environment variables and arguments whose value can be a host name, even if the value contains neither a
 * scheme nor a port.
 */
const hostName = /(host|addr|address|url|uri|server|endpoint|service)$/i;

/** @param mayBeHost whether a text without a scheme and a port can be a host name */
function addressOf(text: string, mayBeHost: boolean, { manifest }: Workload, stream: ManifestSet): Omit<Address, "place"> | null {
  const [, scheme, host = "", port] =
    /^(?:([a-z0-9+]+):\/\/)?(?:[^@/]*@)?([a-z0-9][a-z0-9.-]*)(?::(\d+))?(?:[/?].*)?$/i.exec(text.trim()) ?? [];
  // A text without a scheme and a port is a host name only if the name of the environment variable or argument
  // indicates a host name.
  if (host === "" || (scheme === undefined && port === undefined && !mayBeHost)) return null;
  // The host is either the name of a Service (`service` or `service.namespace`), or the name of a pod of a Service
  // (`pod.service` or `pod.service.namespace`).
  const [first = "", second, third] = host.split(".");
  const service =
    serviceNamed(stream, first, second ?? manifest.namespace) ??
    (second === undefined ? null : serviceNamed(stream, second, third ?? manifest.namespace));
  if (service === null) return null;
  const workloads = stream.workloadsOf(service);
  const entry = port === undefined ? undefined : servicePorts(service).find(({ number }) => number === Number(port));
  const [behind] = workloads;
  const target = entry === undefined || behind === undefined ? null : targetOf(entry, behind);
  return workloads.length === 0 ? null : { workloads, port: target };
}
