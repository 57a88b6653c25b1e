import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../../generator/spec/environment.generated.ts";
import { meshopsProcess } from "../../support/cli.ts";
import { testIdentity } from "../../support/platform.ts";
import { referenceFolder, run, tool } from "../../support/tools.ts";
import type { Api, ApiObject } from "./api.ts";
import { clusterCharts } from "./charts.ts";
import type { ControlPlane } from "./control-plane.ts";
import { GitSource, type Source } from "./git-source.ts";
import { HelmActor, isReady } from "./helm-actor.ts";
import type { Platform } from "./platform.ts";
import { reservePort, until } from "./processes.ts";
import { egressSocket, startSimulatedNodes } from "./simulated-nodes.ts";
import { Webhooks } from "./webhooks.ts";

export interface ClusterOptions {
  /** Folder of a platform repository with generated files. */
  readonly repository: string;
  readonly environment: Environment;
  /** Private age key of the cluster. `bootstrap` stores this key in the cluster. */
  readonly ageKey: string;
  /** Folder of packaged charts. */
  readonly charts: string;
  /** Path of the command line that runs the scripts; default: the command line of this checkout. */
  readonly cli?: string;
  /** Flux source from which Flux reads the generated files; default: the GitRepository that bootstrap creates. */
  readonly source?: Source;
  /**
   * If set, Flux runs with the multi-tenancy lockdown. With the lockdown, an object cannot refer to objects in other
   * namespaces. The value is the name of the service account that Flux uses for objects that specify no account. In the
   * Flux docs ("Multi-tenancy lockdown"), this name is `default`. In the Flux extension of AKS, this name is
   * `flux-applier`.
   */
  readonly lockdown?: string;
}

/**
 * A cluster with Flux on loopback. Stand-ins replace some programs: see the comments of the classes GitSource,
 * HelmActor and Webhooks. kwok simulates the nodes.
 */
export class Cluster {
  readonly plane: ControlPlane;
  readonly git: GitSource;
  readonly helm: HelmActor;
  readonly webhooks: Webhooks;
  readonly #options: ClusterOptions;

  private constructor(plane: ControlPlane, options: ClusterOptions) {
    this.plane = plane;
    this.#options = options;
    this.git = new GitSource(plane.api, options.repository, options.source);
    this.helm = new HelmActor(plane.api, {
      kubeconfig: plane.kubeconfigFile("admin"),
      charts: options.charts,
      folder: join(plane.folder, "helm"),
      lockdown: options.lockdown ?? null,
    });
    this.webhooks = new Webhooks(plane.api);
  }

  get api(): Api {
    return this.plane.api;
  }

  /**
   * Starts a control plane, applies Flux's CRDs, and starts the stand-in for Linkerd's webhooks. Does not start Flux.
   */
  static async start(options: ClusterOptions): Promise<Cluster> {
    // The path must be short, because the folder contains Unix sockets, and Linux limits the length of a socket's path.
    const plane = await startSimulatedNodes(mkdtempSync(join(tmpdir(), "mc-")));
    const cluster = new Cluster(plane, options);
    await cluster.webhooks.start(egressSocket(plane));
    await cluster.git.start();
    const crds = join(referenceFolder, "crds/flux");
    for (const file of readdirSync(crds)) await plane.api.applyAll(readFileSync(join(crds, file), "utf8"));
    await plane.api.apply(clusterReconciler);
    return cluster;
  }

  /**
   * Starts a cluster and Flux for a platform repository. The cluster uses the age key that the test run created for
   * clusters. The test must call `bootstrap`, which creates the root Kustomization.
   */
  static async startFor({ root, environment }: Platform, options: Partial<ClusterOptions> = {}): Promise<Cluster> {
    const { clusterKey: ageKey } = testIdentity();
    const cluster = await Cluster.start({ repository: root, environment, ageKey, charts: await clusterCharts(), ...options });
    await cluster.startFlux();
    return cluster;
  }

  /**
   * Starts kustomize-controller and the stand-ins for the other parts of Flux. Flux reconciles nothing until
   * `bootstrap` creates the root Kustomization.
   */
  async startFlux(): Promise<void> {
    this.helm.start();
    this.git.follow();
    await this.#startKustomizeController();
  }

  /** Commits all files, and runs `meshops bootstrap` with the real kubectl. Returns its stderr. */
  async bootstrap(): Promise<string> {
    await this.git.commit("the environment");
    return this.script("bootstrap");
  }

  /**
   * Runs `meshops bootstrap --run` or `meshops teardown --run` on this cluster. Returns stderr.
   *
   * @throws if the command fails
   */
  async script(command: "bootstrap" | "teardown"): Promise<string> {
    const { repository, environment, ageKey, cli } = this.#options;
    const path = `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`;
    const env = { PATH: path, KUBECONFIG: this.plane.kubeconfigFile("admin"), HOME: this.plane.folder, SOPS_AGE_KEY: ageKey };
    const { code, stderr } = await meshopsProcess(
      repository,
      [command, environment.metadata.name, "--context", "harness", "--run", ...(command === "teardown" ? ["--yes"] : [])],
      { env, ...(cli === undefined ? {} : { cli }) },
    );
    if (code !== 0) throw new Error(stderr);
    return stderr;
  }

  async setAgeKey(key: string): Promise<void> {
    const metadata = { name: "sops-age", namespace: "flux-system" };
    await this.api.apply({ apiVersion: "v1", kind: "Secret", metadata, stringData: { "age.agekey": key } });
  }

  /** Requests an immediate reconciliation, as `flux reconcile` does. Also resets the number of failed retries. */
  async reconcile(kind: "kustomizations" | "helmreleases", namespace: string, name: string): Promise<void> {
    const base = kind === "kustomizations" ? "/apis/kustomize.toolkit.fluxcd.io/v1" : "/apis/helm.toolkit.fluxcd.io/v2";
    const at = new Date().toISOString();
    const annotations = { "reconcile.fluxcd.io/requestedAt": at, "reconcile.fluxcd.io/resetAt": at };
    await this.api.merge(`${base}/namespaces/${namespace}/${kind}/${name}`, { metadata: { annotations } });
  }

  async kustomizations(): Promise<ApiObject[]> {
    return this.api.list("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations");
  }

  /** Waits until the given Kustomizations of a namespace exist and are ready. */
  async ready(names: readonly string[], namespace: string = "flux-system"): Promise<void> {
    await until(
      `${names.join(", ")} are ready`,
      async () => {
        const found = await this.api.list(`/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations`);
        const left = names.filter((name) => !found.some((each) => each.metadata.name === name && isReady(each)));
        if (left.length > 0) throw new Error(found.map(describe).join("; "));
        return true;
      },
      200,
    );
  }

  /**
   * Waits until all Kustomizations of the environment exist, and are ready at the given revision. Also waits until Flux
   * has deleted Kustomizations that the folder flux/<environment> no longer contains.
   */
  async settled(revision: string, seconds: number = 400): Promise<void> {
    const folder = join(this.#options.repository, "flux", this.#options.environment.metadata.name);
    // Each file contains one Kustomization, and the root Kustomization is not in a file. In the files of older versions
    // of meshops, sources.yaml contains HelmRepositories and no Kustomization.
    const expected = readdirSync(folder).filter((file) => file !== "sources.yaml").length + 1;
    await until(
      `all Kustomizations are ready at ${revision}`,
      async () => {
        const all = await this.kustomizations();
        const left = all.filter((object) => !isReady(object) || object["status"].lastAppliedRevision !== revision);
        if (left.length > 0 || all.length !== expected)
          throw new Error(`${left.map(describe).join("; ")}\n${this.plane.processes.log("kustomize-controller")}`);
        return true;
      },
      seconds,
    );
  }

  /**
   * Runs the steps that `meshops diff` printed. Runs the kubectl commands of the steps, including commands in a shell
   * loop over names. Calls `push` for the step whose text begins with "Push". Skips commands of meshops such as
   * `meshops status`, because `push` waits until Flux has applied the commit.
   */
  async follow(steps: readonly PrintedStep[], push: () => Promise<unknown>): Promise<void> {
    const env = {
      ...process.env,
      KUBECONFIG: this.plane.kubeconfigFile("admin"),
      PATH: `${join(tool("kubectl"), "..")}:${process.env["PATH"]}`,
    };
    for (const { text, command } of steps) {
      if (text.startsWith("Push")) await push();
      if (/^(kubectl|for name in) /.test(command ?? "")) await run("bash", ["-ec", command ?? ""], { env });
    }
  }

  async stop(): Promise<void> {
    await this.helm.stop();
    this.git.stop();
    this.webhooks.stop();
    await this.plane.stop();
    rmSync(this.plane.folder, { recursive: true, force: true });
  }

  /**
   * Kills the process of kustomize-controller, and starts it again. In a real cluster, a restart of the Deployment has
   * the same effect.
   *
   * @param gates value of `--feature-gates`
   */
  async restartKustomizeController(gates: string): Promise<void> {
    await this.plane.processes.kill("kustomize-controller");
    await this.#startKustomizeController(gates);
  }

  async #startKustomizeController(gates: string = "CancelHealthCheckOnNewRevision=true"): Promise<void> {
    const health = await reservePort();
    const { lockdown } = this.#options;
    const flags = [
      "--watch-all-namespaces=true",
      "--enable-leader-election=false",
      "--requeue-dependency=2s",
      "--metrics-addr=0",
      ...(lockdown === undefined ? [] : ["--no-cross-namespace-refs=true", `--default-service-account=${lockdown}`]),
    ];
    this.plane.processes.start(
      "kustomize-controller",
      tool("kustomize-controller"),
      [...flags, `--health-addr=127.0.0.1:${health}`, `--feature-gates=${gates}`],
      {
        KUBECONFIG: this.plane.kubeconfigFile("kustomize-controller"),
        RUNTIME_NAMESPACE: "flux-system",
        KUBE_FEATURE_WatchListClient: "false",
      },
    );
    await until("kustomize-controller is ready", () => healthy(`http://127.0.0.1:${health}/readyz`));
  }
}

function describe({ metadata, ...object }: ApiObject): string {
  const conditions = (object["status"]?.conditions ?? []) as { type: string; reason: string; message: string }[];
  const found = conditions.find(({ type }) => type === "Ready");
  return `${metadata.name}: ${found?.reason} ${found?.message}`;
}

function healthy(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on("error", reject);
  });
}

const clusterReconciler: ApiObject = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: "cluster-reconciler-flux-system" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
  subjects: [{ kind: "ServiceAccount", name: "kustomize-controller", namespace: "flux-system" }],
} as ApiObject;

/** A step in the JSON output of `meshops diff`. */
export interface PrintedStep {
  readonly text: string;
  readonly command: string | null;
}
