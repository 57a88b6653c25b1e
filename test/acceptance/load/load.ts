import { readFileSync } from "node:fs";
import { until } from "../../cluster/harness/processes.ts";
import type { Kubectl } from "../kubectl.ts";
import { NotRun } from "../step.ts";

/** Namespace of the pods `load` (load client) and `probe` (prober). */
export const loadNamespace = "meshops-acceptance";

/** Service account of the load client. The spec of the run lists it as a client of Dgraph. */
export const loadAccount = "load";

const clientSource = readFileSync(new URL("client.mjs", import.meta.url), "utf8");

/** One line of client.mjs. The line contains either the numbers of calls in one second, or one failed call. */
interface Line {
  readonly at: string;
  readonly calls?: Readonly<Record<string, number>>;
  readonly failed?: Readonly<Record<string, number>>;
  readonly answered?: Readonly<Record<string, number>>;
  readonly way?: string;
  readonly error?: string;
}

/** The calls that the load client made while an action ran. */
export interface Counted {
  readonly calls: number;
  readonly failed: number;
  /** One text for each failed call: `<time> <way>: <error>`. */
  readonly failures: readonly string[];
}

type Program = "load" | "probe";

/** Starts pods that run client.mjs, and reads their logs. The pod `load` has a proxy. The pod `probe` has no proxy. */
export class Load {
  readonly #kubectl: Kubectl;
  readonly #image: string;

  constructor(kubectl: Kubectl, image: string) {
    this.#kubectl = kubectl;
    this.#image = image;
  }

  /** Creates the namespace, the service account, and a ConfigMap with client.mjs. */
  async prepare(): Promise<void> {
    const metadata = { namespace: loadNamespace };
    await this.#kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: loadNamespace } });
    await this.#kubectl.apply(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { ...metadata, name: loadAccount } },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { ...metadata, name: "client" }, data: { "client.mjs": clientSource } },
    );
  }

  /**
   * Starts a pod with the given name. If a pod with this name exists, deletes that pod first.
   *
   * @param targets arguments of client.mjs after `load` or `probe`
   */
  async start(program: Program, targets: readonly string[]): Promise<void> {
    const pod = { name: program, image: this.#image, args: [program, ...targets], meshed: program === "load" };
    await this.stop(program);
    await this.#kubectl.apply(podOf(pod));
  }

  async stop(program: Program): Promise<void> {
    const flags = ["--namespace", loadNamespace, "--ignore-not-found", "--grace-period=1"];
    await this.#kubectl.run(["delete", "pod", program, ...flags]);
  }

  /** Returns all lines in the log of a pod. @throws NotRun if the pod prints no line within the given seconds */
  async #lines(program: Program, seconds: number): Promise<Line[]> {
    const read = async (): Promise<Line[] | null> => {
      const text = await this.#kubectl.run(["logs", program, "--container", "client", "--namespace", loadNamespace]);
      const lines = text.split("\n").filter((line) => line.startsWith("{"));
      return lines.length === 0 ? null : lines.map((line) => JSON.parse(line) as Line);
    };
    return until(`the pod ${loadNamespace}/${program} prints a line`, read, seconds).catch(asNotRun);
  }

  /** Returns the numbers of calls and answers since the prober started. @throws NotRun if the prober prints no line */
  async probed(): Promise<{ readonly tries: number; readonly answered: Readonly<Record<string, number>> }> {
    const lines = await this.#lines("probe", 60);
    const answered: Record<string, number> = {};
    for (const line of lines)
      for (const [address, count] of Object.entries(line.answered ?? {})) answered[address] = (answered[address] ?? 0) + count;
    return { tries: sum(lines.map(({ calls }) => total(calls))), answered };
  }

  /**
   * Starts the load client, runs an action, and stops the load client ten seconds after the action. Returns the calls
   * since the start of the action. If the action restarts the load client, the result does not contain the calls during
   * the restart.
   *
   * @param action function that receives a function `restart`, and calls `restart` when the load client needs a new
   *   proxy
   * @throws NotRun if the load client does not run, or if its calls fail before the action starts
   */
  async during(host: string, action: (restart: () => Promise<void>) => Promise<void>): Promise<Counted> {
    const earlier: Line[] = [];
    const since = async (): Promise<void> => {
      await this.start("load", [host]);
      await this.#calm(host);
    };
    await since();
    let begin = lastTime(await this.#lines("load", 120));
    const read = async (): Promise<Line[]> => (await this.#lines("load", 60)).filter(({ at }) => at > begin);
    await action(async () => {
      earlier.push(...(await read()));
      await since();
      begin = lastTime(await this.#lines("load", 120));
    });
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const lines = [...earlier, ...(await read())];
    await this.stop("load");
    const failures = lines.flatMap(({ at, way, error }) => (error === undefined ? [] : [`${at} ${way}: ${error}`]));
    return { calls: sum(lines.map(({ calls }) => total(calls))), failed: failures.length, failures };
  }

  /** Waits until no call has failed during one second. @throws NotRun if there is no such second within two minutes */
  async #calm(host: string): Promise<void> {
    const isCalm = async (): Promise<boolean> => {
      const lines = await this.#lines("load", 120);
      const second = lines.findLast(({ calls }) => calls !== undefined);
      if (second !== undefined && total(second.calls) > 0 && total(second.failed) === 0) return true;
      throw new Error(lines.findLast(({ error }) => error !== undefined)?.error ?? "no call");
    };
    await until(`the load client calls ${host} without an error before the step begins`, isCalm, 120).catch(asNotRun);
  }
}

/** Converts an error of the load client to NotRun, because the step cannot run without the load client. */
function asNotRun(error: Error): never {
  throw new NotRun(error.message);
}

function podOf(pod: { name: string; image: string; args: readonly string[]; meshed: boolean }): object {
  const inject = pod.meshed ? "enabled" : "disabled";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: pod.name,
      namespace: loadNamespace,
      labels: { "app.kubernetes.io/name": pod.name },
      annotations: { "linkerd.io/inject": inject },
    },
    spec: {
      serviceAccountName: loadAccount,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: "client",
          image: pod.image,
          command: ["node", "/client/client.mjs", ...pod.args],
          volumeMounts: [{ name: "client", mountPath: "/client" }],
          resources: { requests: { cpu: "50m", memory: "64Mi" } },
        },
      ],
      volumes: [{ name: "client", configMap: { name: "client" } }],
    },
  };
}

function lastTime(lines: readonly Line[]): string {
  return lines.at(-1)?.at ?? "";
}

function total(counts: Readonly<Record<string, number>> = {}): number {
  return sum(Object.values(counts));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
