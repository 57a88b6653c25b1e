import type { Placement } from "../../bundle/emit/placement.ts";
import type { ClusterState, RunSettings } from "../../components/check.ts";
import type { Finding } from "../../components/finding.ts";
import type { Model } from "../../components/model.ts";
import type { Cluster } from "../connection.ts";
import type { Probe } from "./probe.ts";
import type { TestResult } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";
import type { TestResources } from "./test-resources.ts";

export interface VerifyOptions {
  /** Image of the probes, with curl, grpcurl and the .proto file of the service; null to skip the tests with probes. */
  readonly image: string | null;
  /** Image with curl, for the tests of workloads if `image` is null. */
  readonly curlImage: string;
  /** IDs of the tests to run. */
  readonly only: ReadonlySet<string>;
  /** Remove the policies for T0, and restore the policies after T0. */
  readonly baseline: boolean;
  readonly write: boolean;
  /** Do not delete the probes. */
  readonly keep: boolean;
  /** Timeout of a probe in seconds. */
  readonly seconds: number;
  /** Where the Flux objects of the environment are. */
  readonly placement: Placement;
  readonly signal: AbortSignal;
  /** Called with the result of each test as soon as the test ends. */
  readonly onResult: (result: TestResult) => void;
  /** Called with a description of each step. */
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
   * Kustomization that applies the policies that the access tests evaluate; null if the environment has no such
   * policies.
   */
  readonly policies: { readonly name: string; readonly namespace: string } | null;
  /** Whether at least one of the tests with these IDs was selected. */
  wants(...ids: readonly string[]): boolean;
  /** @param image image of the pod; default: `options.image` */
  probe(probe: Probe, image?: string): Promise<ProbeRun>;
  /** @param since start of the test, in milliseconds since the epoch */
  report(test: string, since: number, finding: Finding): void;
}

/** Waits for all actions, even if one action fails: the cleanup must know all objects that the actions create. */
export async function settled(actions: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(actions);
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}
