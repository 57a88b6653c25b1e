import type { Scraper } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** Programs other than linkerd-viz that are allowed to scrape the metrics of the proxies (`monitoring.prometheus`). */
export function scrapersOf({ spec: { monitoring } }: Environment): Scraper[] {
  const { serviceAccountRef, cidrs, unmeshed } = monitoring.prometheus ?? {};
  if (cidrs !== undefined) return [{ cidrs }];
  const namespace = serviceAccountRef?.namespace ?? unmeshed;
  return namespace === undefined ? [] : [{ namespace }];
}
