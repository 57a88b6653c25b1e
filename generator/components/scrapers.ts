import type { Scraper } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** Programs that may scrape the metrics of the proxies, apart from linkerd-viz (`monitoring.prometheus`). */
export function scrapersOf({ spec: { monitoring } }: Environment): Scraper[] {
  const { serviceAccountRef, cidrs, unmeshed } = monitoring.prometheus ?? {};
  if (cidrs !== undefined) return [{ cidrs }];
  const namespace = serviceAccountRef?.namespace ?? unmeshed;
  return namespace === undefined ? [] : [{ namespace }];
}
