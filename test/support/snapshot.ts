import { newestRelease } from "../../generator/catalog/linkerd.ts";
import type { Snapshot } from "../../generator/cluster/status/snapshot.ts";

/** A snapshot of a cluster that contains no objects. */
export const emptySnapshot: Snapshot = {
  sources: [],
  fluxVersion: null,
  kustomizations: [],
  releases: [],
  workloads: [],
  pods: [],
  claims: [],
  events: [],
  namespaces: [],
  identity: { trustRoots: null, committed: null, secrets: null },
  meshed: null,
  policies: [],
  installation: { release: newestRelease() },
  externalCertificates: false,
  linkerdConfig: null,
  proxyLogs: new Map(),
  proxyMetrics: new Map(),
  takenAt: new Date("2026-11-28T12:00:00Z"),
};
