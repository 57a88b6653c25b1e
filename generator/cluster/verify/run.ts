import type { ClusterState, RunSettings } from "../../components/check.ts";
import type { Finding } from "../../components/finding.ts";
import type { Model } from "../../components/model.ts";
import type { Cluster } from "../connection.ts";
import type { Probe } from "./probe.ts";
import type { TestResult } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";
import type { TestResources } from "./test-resources.ts";

export interface VerifyOptions {
  /** Image of the probes: curl, grpcurl and the .proto file of the service. */
  readonly image: string;
  /** Ids of the tests to run. */
  readonly only: ReadonlySet<string>;
  /** Remove the policies for T0, and restore them. */
  readonly baseline: boolean;
  readonly write: boolean;
  /** Leave the probes in the cluster. */
  readonly keep: boolean;
  /** Seconds that a probe may take. */
  readonly seconds: number;
  readonly fluxNamespace: string;
  readonly signal: AbortSignal;
  /** Called with each result as soon as it is known, and with what is done meanwhile. */
  readonly onResult: (result: TestResult) => void;
  readonly onStep: (step: string) => void;
}

/** One run of the tests: what all of them use. */
export interface Run {
  /** A word that distinguishes this run's objects from others'. */
  readonly id: string;
  readonly cluster: Cluster;
  readonly model: Model;
  readonly options: VerifyOptions;
  readonly settings: RunSettings;
  readonly state: ClusterState;
  readonly resources: TestResources;
  /** Kustomization that delivers the policies of the access tests; null if there are none. */
  readonly policies: { readonly name: string; readonly namespace: string } | null;
  /** Whether any of the tests was chosen. */
  wants(...ids: readonly string[]): boolean;
  probe(probe: Probe): Promise<ProbeRun>;
  /** @param since start of the test, in milliseconds since the epoch */
  report(test: string, since: number, finding: Finding): void;
}

/** Waits for all, even if one fails: what they created must be known before it is removed. */
export async function settled(actions: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(actions);
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}
