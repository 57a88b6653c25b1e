import { type ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { containersOf, listOf, type Workload } from "../../kubernetes/workload.ts";
import { resolvePort } from "../../mesh/ports.ts";
import { serviceNamed } from "../../mesh/services.ts";
import { asMap } from "../../system/data.ts";

/** A client that the manifests suggest. */
export interface DescribedClient {
  readonly key: string;
  /** The set of pods of the client, in the form `workload/set`. */
  readonly workload: string;
  /** Keys of the ports to which the client connects; null for all ports. */
  readonly ports: readonly string[] | null;
  /** Place in the manifests that contains the address of the server. */
  readonly guess: string;
}

/** The address of a Service in the configuration of a workload. */
interface Address {
  /** Environment variable or argument that contains the address. */
  readonly place: string;
  /** Workloads whose pods the Service selects. */
  readonly workloads: readonly Workload[];
  /** Port of the pods; null if the address contains no port. */
  readonly port: number | null;
}

/**
 * Returns the addresses of Services in the environment variables and arguments of a workload's containers. An address
 * is a value such as `redis:6379` or `http://api.shop.svc:8080/path`, if its host is the name of a Service in the
 * manifests.
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

/** Names of variables and arguments whose value can be the name of a host without a port. */
const hostName = /(host|addr|address|url|uri|server|endpoint|service)$/i;

/** @param mayBeHost whether a word without scheme and port can be a host */
function addressOf(text: string, mayBeHost: boolean, { manifest }: Workload, stream: ManifestSet): Omit<Address, "place"> | null {
  const [, scheme, host = "", port] =
    /^(?:([a-z0-9+]+):\/\/)?(?:[^@/]*@)?([a-z0-9][a-z0-9.-]*)(?::(\d+))?(?:[/?].*)?$/i.exec(text.trim()) ?? [];
  // A value without scheme and port is a host name only if the name of the variable or argument indicates a host.
  if (host === "" || (scheme === undefined && port === undefined && !mayBeHost)) return null;
  // A host is the name of a Service, or of a pod of a Service, with or without the namespace.
  const [first = "", second, third] = host.split(".");
  const service =
    serviceNamed(stream, first, second ?? manifest.namespace) ??
    (second === undefined ? null : serviceNamed(stream, second, third ?? manifest.namespace));
  if (service === null) return null;
  const workloads = stream.workloadsOf(service);
  const entry = listOf(specOf(service)["ports"])
    .map(asMap)
    .find((each) => port !== undefined && Number(each["port"]) === Number(port));
  const [behind] = workloads;
  const target = entry === undefined || behind === undefined ? null : resolvePort(entry["targetPort"] ?? entry["port"], behind);
  return workloads.length === 0 ? null : { workloads, port: target };
}
