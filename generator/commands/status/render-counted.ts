import type { Snapshot } from "../../cluster/status/snapshot.ts";
import type { Model } from "../../components/model.ts";
import { countedIn, type RefusedLater, refusedLater } from "../../mesh/counted.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { isAudited, isInSet } from "../../mesh/pod-set.ts";
import { plural } from "../../system/text.ts";
import { wrap } from "../terminal/wrap.ts";

/** Clients that reach a set of pods only because of the mode `audit`. */
export interface Counted {
  /** Set of pods, such as `shop/api`. */
  readonly pods: string;
  readonly clients: readonly RefusedLater[];
  /** Number of pods whose metrics could not be read. */
  readonly unread: number;
}

/** Returns the clients that the mode `enforce` would refuse, for each set with a port in the mode `audit`. */
export function countedClients({ components }: Model, { pods, proxyMetrics }: Snapshot): Counted[] {
  return components
    .flatMap((component) => component.pods)
    .filter(isAudited)
    .map((set) => {
      const own = pods.filter((pod) => isInSet(pod, set) && proxyOf(pod) !== undefined);
      const texts = own.map(({ metadata }) => proxyMetrics.get(`${metadata.namespace}/${metadata.name}`));
      const read = texts.filter((text) => typeof text === "string");
      return {
        pods: set.title,
        clients: refusedLater(set, read.flatMap(countedIn)),
        // Of a large set, the metrics of some pods are not read.
        unread: own.length - read.length,
      };
    })
    .filter(({ clients, unread }) => clients.length > 0 || unread > 0);
}

/** Returns the lines of the text output about clients that are not listed. */
export function renderCounted(found: readonly Counted[]): string[] {
  const counted = found.filter(({ clients }) => clients.length > 0);
  const unread = found.filter((each) => each.unread > 0);
  return [
    ...(counted.length === 0 ? [] : wrap("these clients are not listed, so the mode enforce would refuse them:", "")),
    ...counted.flatMap(({ pods, clients }) =>
      clients.flatMap(({ key, port, identity, count }) =>
        wrap(
          `${pods} ${key} ${port}: ${identity === null ? "a client without an identity (see the log of the proxy for its address)" : `${identity.namespace}/${identity.name}`}, ${plural(count, "time")}`,
          "    ",
        ),
      ),
    ),
    ...unread.flatMap((each) =>
      wrap(
        `the metrics of ${plural(each.unread, "pod")} of ${each.pods} were not read; this needs the permission get on pods/proxy, and a default inbound policy that admits the API server; at most 20 pods of a set are read`,
        "",
      ),
    ),
  ];
}
