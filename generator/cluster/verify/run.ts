import type { Placement } from "../../bundle/emit/placement.ts";
import type { ClusterState, RunSettings } from "../../components/check.ts";
import type { CheckResult } from "../../components/check-result.ts";
import type { Model } from "../../components/model.ts";
import type { Cluster } from "../connection.ts";
import type { Probe } from "./probe.ts";
import type { TestResult } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";
import type { TestResources } from "./test-resources.ts";

export interface VerifyOptions {
  /**
   * Image of the probes. The image must contain curl, grpcurl and the .proto file of the service. If null, the tests
   * that need this image are skipped.
   */
  readonly image: string | null;
  /** Image that contains curl. The tests of workloads use this image if `image` is null. */
  readonly curlImage: string;
  /** IDs of the tests to run. */
  readonly only: ReadonlySet<string>;
  /** Whether to remove the policies before T0, and to restore the policies after T0. */
  readonly baseline: boolean;
  readonly write: boolean;
  /** Whether to keep the probes in the cluster after the tests. */
  readonly keep: boolean;
  /** Timeout of a probe in seconds. */
  readonly seconds: number;
  /** Names, namespaces and paths of the environment's Flux objects. */
  readonly placement: Placement;
  readonly signal: AbortSignal;
  /** Function that the run calls at the end of each test, with the result of the test. */
  readonly onResult: (result: TestResult) => void;
  /** Function that the run calls with a description of each step. */
  readonly onStep: (step: string) => void;
}

/** One run of meshops verify. Contains the values that all tests use. */
export interface Run {
  /** A word that distinguishes the objects of this run from those of other runs. */
  readonly id: string;
  readonly cluster: Cluster;
  readonly model: Model;
  readonly options: VerifyOptions;
  readonly settings: RunSettings;
  readonly state: ClusterState;
  readonly resources: TestResources;
  /**
   * Kustomization that applies the policies of the access tests' target. Null if the environment has no policies for
   * this target.
   */
  readonly policies: { readonly name: string; readonly namespace: string } | null;
  /** Whether at least one of the tests with these IDs was selected. */
  wants(...ids: readonly string[]): boolean;
  /** @param image image of the pod; default: `options.image` */
  probe(probe: Probe, image?: string): Promise<ProbeRun>;
  /** @param since start of the test, in milliseconds since the epoch */
  report(test: string, since: number, finding: CheckResult): void;
}

/**
 * Waits until all actions have ended. If an action failed, throws the error of this action, but only after all actions
 * have ended. Otherwise, a running action could create objects after the cleanup.
 */
export async function allFinished(actions: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(actions);
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}
