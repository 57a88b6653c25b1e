import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { tool } from "../../support/tools.ts";
import type { Api, ApiObject } from "./api.ts";
import { now, ready } from "./git-source.ts";

const exec = promisify(execFile);
const releases = "/apis/helm.toolkit.fluxcd.io/v2";
const finalizer = "finalizers.fluxcd.io";

/**
 * A stand-in for Flux's helm-controller, which is not available in the tests. The stand-in resolves `valuesFrom`, and
 * runs the real helm with the real kustomize as post-renderer. It sets conditions, history and finalizer of a
 * HelmRelease in the form that Flux's API defines. It reads all charts from a folder, including the charts of
 * OCIRepositories. If a HelmRelease specifies a service account, helm runs with the permissions of this account. With
 * the multi-tenancy lockdown, the stand-in refuses sources in other namespaces (helm-controller,
 * internal/controller/helmrelease_chart_controller.go).
 */
export class HelmActor {
  readonly #api: Api;
  readonly #kubeconfig: string;
  readonly #charts: string;
  readonly #folder: string;
  /**
   * Service account that HelmReleases without a service account use under the multi-tenancy lockdown; null without the
   * lockdown.
   */
  readonly #lockdown: string | null;
  readonly #busy: Map<string, Promise<void>> = new Map();
  /**
   * ConfigMaps and Secrets with values, as they were at the last poll of the API server. The keys are `<kind>
   * <namespace>/<name>`.
   */
  #sources: ReadonlyMap<string, ApiObject> = new Map();
  /**
   * HelmRepositories and OCIRepositories, as they were at the last poll of the API server. The keys are
   * `<kind>/<namespace>/<name>`.
   */
  #repositories: ReadonlyMap<string, ApiObject> = new Map();
  /** Earliest time of the next attempt after a failure. The keys are the UIDs of the HelmReleases. */
  readonly #retryAt: Map<string, number> = new Map();
  readonly #abort: AbortController = new AbortController();
  #stopping = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(api: Api, options: { kubeconfig: string; charts: string; folder: string; lockdown: string | null }) {
    this.#api = api;
    this.#kubeconfig = options.kubeconfig;
    this.#charts = options.charts;
    this.#folder = options.folder;
    this.#lockdown = options.lockdown;
  }

  start(): void {
    this.#loop = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#abort.abort();
    await this.#loop;
    await Promise.allSettled(this.#busy.values());
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      try {
        const [found, values, ...repositories] = await Promise.all([
          this.#api.list(`${releases}/helmreleases`),
          this.#api.list(`/api/v1/configmaps?labelSelector=${encodeURIComponent("app.kubernetes.io/managed-by=meshops")}`),
          this.#api.list("/apis/source.toolkit.fluxcd.io/v1/helmrepositories"),
          this.#api.list("/apis/source.toolkit.fluxcd.io/v1/ocirepositories"),
        ]);
        const secrets = await this.#secrets(found);
        this.#sources = new Map([
          ...values.map((each) => [`ConfigMap ${each.metadata.namespace}/${each.metadata.name}`, each] as const),
          ...secrets.map((each) => [`Secret ${each.metadata.namespace}/${each.metadata.name}`, each] as const),
        ]);
        const sources = repositories.flat();
        this.#repositories = new Map(
          sources.map((each) => [`${each.kind}/${each.metadata.namespace}/${each.metadata.name}`, each] as const),
        );
        for (const release of found) this.#look(release);
        for (const repository of sources) await this.#source(repository);
      } catch (error) {
        if (!this.#stopping && process.env["DEBUG"] !== undefined) console.error(`helm actor: ${String(error)}`);
      }
      await sleep(700);
    }
  }

  /** Returns the existing Secrets to which `valuesFrom` of a HelmRelease refers. */
  async #secrets(found: readonly ApiObject[]): Promise<ApiObject[]> {
    const paths = found.flatMap(({ metadata, spec }) =>
      valuesFromOf(spec)
        .filter(({ kind }) => kind === "Secret")
        .map(({ name }) => `/api/v1/namespaces/${metadata.namespace}/secrets/${name}`),
    );
    const secrets = await Promise.all([...new Set(paths)].map((path) => this.#api.get(path)));
    return secrets.filter((secret) => secret !== null);
  }

  /**
   * Installs, upgrades or uninstalls a release if necessary. Does nothing if another action for the release still runs.
   */
  #look(release: ApiObject): void {
    const uid = release.metadata.uid ?? "";
    if (this.#busy.has(uid)) return;
    const deleted = release.metadata.deletionTimestamp !== undefined;
    if (!deleted && (release["spec"].suspend === true || this.#settled(release))) return;
    const work = (deleted ? this.#uninstall(release) : this.#install(release)).catch((error: unknown) => {
      if (process.env["DEBUG"] !== undefined) console.error(`helm actor, ${release.metadata.name}: ${String(error)}`);
    });
    this.#busy.set(
      uid,
      work.finally(() => this.#busy.delete(uid)),
    );
  }

  /**
   * Whether a release needs no action now. This is true if the release was installed with its current spec and values.
   * This is also true if an attempt with the current spec and values has failed, and the time of the next attempt is in
   * the future.
   */
  #settled(release: ApiObject): boolean {
    const { status = {}, metadata } = release;
    const requested = metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
    if (requested !== undefined && requested !== status.lastHandledReconcileAt) return false;
    const same = status.lastAttemptedConfigDigest === this.#digest(release) && status.observedGeneration === metadata.generation;
    return same && (isReady(release) || Date.now() < (this.#retryAt.get(metadata.uid ?? "") ?? 0));
  }

  /** Returns all values of a release. @throws ReasonedError if an object or a key in `valuesFrom` does not exist */
  #values({ metadata: { namespace }, spec }: ApiObject): Values[] {
    const own: Values[] = spec.values === undefined ? [] : [{ text: stringify(spec.values), targetPath: null }];
    const read = valuesFromOf(spec).map(({ kind, name, valuesKey = "values.yaml", targetPath = null }) => {
      const text = this.#sources.get(`${kind} ${namespace}/${name}`)?.["data"]?.[valuesKey];
      if (text !== undefined)
        return { text: kind === "Secret" ? Buffer.from(String(text), "base64").toString() : String(text), targetPath };
      const message = `could not resolve ${kind} chart values reference '${namespace}/${name}' with key '${valuesKey}'`;
      throw new ReasonedError("ValuesError", message);
    });
    return [...read, ...own];
  }

  #digest(release: ApiObject): string {
    let values: Values[] | null = null;
    try {
      values = this.#values(release);
    } catch (error) {
      if (!(error instanceof ReasonedError)) throw error;
    }
    return `sha256:${createHash("sha256")
      .update(JSON.stringify([release["spec"], values]))
      .digest("hex")}`;
  }

  async #install(release: ApiObject): Promise<void> {
    const { metadata, spec, status = {} } = release;
    const upgrade = (status.history ?? []).length > 0;
    const action = upgrade ? "upgrade" : "install";
    const digest = this.#digest(release);
    const generation = metadata.generation ?? 1;
    if (metadata.finalizers?.includes(finalizer) !== true)
      await this.#api.merge(pathOf(release), { metadata: { finalizers: [finalizer] } });
    const progress = {
      type: "Ready",
      status: "Unknown",
      reason: "Progressing",
      message: `Running '${action}' action with timeout of ${spec.timeout ?? "5m0s"}`,
    };
    await this.#status(release, { conditions: [{ ...progress, observedGeneration: generation, lastTransitionTime: now() }] });
    const requested = metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
    const attempt = {
      observedGeneration: generation,
      lastAttemptedConfigDigest: digest,
      ...(requested === undefined ? {} : { lastHandledReconcileAt: requested }),
    };
    const name = `${metadata.namespace}/${releaseNameOf(release)}`;
    let { chart, version } = { chart: "", version: "" };
    try {
      ({ chart, version } = this.#chartOf(release));
      await this.#unlock(release);
      await this.#helm(release, this.#values(release));
      const revision = Number(status.history?.[0]?.version ?? 0) + 1;
      const message = `Helm ${action} succeeded for release ${name}.v${revision} with chart ${chart}@${version}`;
      const entry = {
        name: releaseNameOf(release),
        namespace: metadata.namespace,
        version: revision,
        chartName: chart,
        chartVersion: version,
      };
      const times = { firstDeployed: now(), lastDeployed: now() };
      await this.#status(release, {
        ...attempt,
        storageNamespace: metadata.namespace,
        history: [{ ...entry, ...times, status: "deployed", configDigest: digest, digest }],
        conditions: [ready(message, generation, upgrade ? "UpgradeSucceeded" : "InstallSucceeded")],
      });
    } catch (error) {
      this.#retryAt.set(metadata.uid ?? "", Date.now() + 5000);
      const failure = upgrade ? "UpgradeFailed" : "InstallFailed";
      const reason = error instanceof ReasonedError ? error.reason : failure;
      const output = (error as Error).message
        .replace(/^Command failed: .*\n/, "")
        .trim()
        .slice(0, 1000);
      const message =
        error instanceof ReasonedError
          ? output
          : `Helm ${action} failed for release ${name} with chart ${chart}@${version}: ${output}`;
      const failed = {
        type: "Ready",
        status: "False",
        reason,
        message,
        observedGeneration: generation,
        lastTransitionTime: now(),
      };
      await this.#status(release, { ...attempt, conditions: [failed] });
    }
  }

  async #helm(release: ApiObject, values: readonly Values[]): Promise<void> {
    const { metadata, spec } = release;
    const work = join(this.#folder, `${metadata.namespace}-${metadata.name}`);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(join(work, "rendered"), { recursive: true });
    const files = values.flatMap(({ text, targetPath }, index) => {
      const file = join(work, `values-${index}.yaml`);
      writeFileSync(file, text);
      return targetPath === null ? ["--values", file] : ["--set-file", `${targetPath}=${file}`];
    });
    const patches = ((spec.postRenderers ?? []) as { kustomize: { patches: object[] } }[]).flatMap(
      ({ kustomize }) => kustomize.patches,
    );
    const pairs = { "helm.toolkit.fluxcd.io/name": metadata.name, "helm.toolkit.fluxcd.io/namespace": metadata.namespace };
    writeFileSync(
      join(work, "rendered/kustomization.yaml"),
      stringify({ resources: ["all.yaml"], patches, labels: [{ pairs }] }),
    );
    const render = join(work, "post-render");
    writeFileSync(
      render,
      `#!/bin/sh\ncat > '${work}/rendered/all.yaml'\nexec '${tool("kustomize")}' build '${work}/rendered'\n`,
      { mode: 0o755 },
    );
    const { chart, version } = this.#chartOf(release);
    const packed = join(this.#charts, `${chart}-${version}.tgz`);
    if (!existsSync(packed)) {
      const helmChart = `HelmChart '${metadata.namespace}/${metadata.namespace}-${metadata.name}' is not ready`;
      throw new ReasonedError(
        "SourceNotReady",
        `${helmChart}: invalid chart reference: no '${chart}' chart with version matching '${version}' found`,
      );
    }
    await this.#run([
      ...["upgrade", "--install", releaseNameOf(release), packed, ...this.#connection(release)],
      ...(spec.install?.crds === "Create" ? [] : ["--skip-crds"]),
      ...["--wait", "--timeout", spec.timeout ?? "5m", "--history-max", "5", "--post-renderer", render],
      ...files,
    ]);
  }

  /**
   * Deletes the release record that an interrupted action of Helm left, as helm-controller does. While this record
   * exists, Helm rejects further actions for the release.
   */
  async #unlock(release: ApiObject): Promise<void> {
    const { metadata } = release;
    const secrets = `/api/v1/namespaces/${metadata.namespace}/secrets`;
    const pending = "status in (pending-install,pending-upgrade,pending-rollback)";
    const selector = encodeURIComponent(`owner=helm,name=${releaseNameOf(release)},${pending}`);
    for (const record of await this.#api.list(`${secrets}?labelSelector=${selector}`))
      await this.#api.delete(`${secrets}/${record.metadata.name}`);
  }

  async #uninstall(release: ApiObject): Promise<void> {
    const { metadata } = release;
    const account = this.#accountOf(release);
    // helm-controller does not uninstall a release if the HelmRelease is suspended, or if the release's service account
    // does not exist (helmrelease_controller.go, reconcileDelete).
    const isSuspended = release["spec"].suspend === true;
    const hasAccount =
      account === null || (await this.#api.get(`/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${account}`)) !== null;
    if (hasAccount && !isSuspended)
      await this.#run(["uninstall", releaseNameOf(release), ...this.#connection(release), "--ignore-not-found", "--wait"]);
    await this.#api.merge(pathOf(release), { metadata: { finalizers: null } });
  }

  /** Name of the service account that helm uses; null if helm uses helm-controller's own permissions. */
  #accountOf({ spec }: ApiObject): string | null {
    return (spec.serviceAccountName as string | undefined) ?? this.#lockdown;
  }

  /** Returns the arguments of helm that set the namespace, the kubeconfig and the service account of a release. */
  #connection(release: ApiObject): string[] {
    const { namespace = "" } = release.metadata;
    const account = this.#accountOf(release);
    const user = account === null ? [] : ["--kube-as-user", `system:serviceaccount:${namespace}:${account}`];
    return ["--namespace", namespace, "--kubeconfig", this.#kubeconfig, ...user];
  }

  /**
   * Returns the name and the version of a release's chart. For an OCIRepository, the version is the tag.
   *
   * @throws ReasonedError if the chart's source does not exist, or if the lockdown does not allow the release to use
   *   this source
   */
  #chartOf({ metadata, spec }: ApiObject): { chart: string; version: string } {
    const { kind, name, namespace = metadata.namespace } = (spec.chartRef ?? spec.chart.spec.sourceRef) as SourceReference;
    if (this.#lockdown !== null && namespace !== metadata.namespace)
      throw new ReasonedError(
        "AccessDenied",
        `can't access '${kind}/${namespace}/${name}', cross-namespace references have been blocked`,
      );
    const source = this.#repositories.get(`${kind}/${namespace}/${name}`);
    if (source === undefined) throw new ReasonedError("SourceNotReady", `${kind} '${namespace}/${name}' not found`);
    if (kind === "HelmRepository") return spec.chart.spec as { chart: string; version: string };
    return { chart: String(source["spec"].url).replace(/^.*\//, ""), version: String(source["spec"].ref.tag) };
  }

  /** Runs the real helm. The method `stop` kills helm. */
  async #run(args: readonly string[]): Promise<void> {
    const home = this.#folder;
    const env = { PATH: process.env["PATH"], HOME: home, HELM_CONFIG_HOME: home, HELM_CACHE_HOME: home, HELM_DATA_HOME: home };
    await exec(tool("helm"), [...args], { env, signal: this.#abort.signal });
  }

  async #status(release: ApiObject, status: object): Promise<void> {
    await this.#api.merge(`${pathOf(release)}/status?fieldManager=helm-controller`, { status });
  }

  /** Marks a HelmRepository or OCIRepository as ready. Does not access its URL, because the charts are in a folder. */
  async #source(repository: ApiObject): Promise<void> {
    const generation = repository.metadata.generation ?? 1;
    if (repository["status"]?.observedGeneration === generation) return;
    const { apiVersion, kind, metadata } = repository;
    const status = { observedGeneration: generation, conditions: [ready("stored artifact", generation)] };
    const named = { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
    await this.#api.applyStatus({ apiVersion, kind, metadata: named, status }, "source-controller");
  }
}

/** Values of one source. If `targetPath` is null, `text` is a YAML map of values. Otherwise, it is a single value. */
interface Values {
  readonly text: string;
  readonly targetPath: string | null;
}

interface SourceReference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

interface ValuesReference {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly valuesKey?: string;
  readonly targetPath?: string;
}

/** Returns the name of the Helm release. The default of Flux is the name of the HelmRelease. */
function releaseNameOf({ metadata, spec }: ApiObject): string {
  return String(spec.releaseName ?? metadata.name);
}

function valuesFromOf(spec: ApiObject["spec"]): readonly ValuesReference[] {
  return (spec.valuesFrom ?? []) as ValuesReference[];
}

/** An error that occurs before helm runs. The stand-in copies `reason` to the condition Ready of the HelmRelease. */
class ReasonedError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Whether an object has the condition Ready with status True. */
export function isReady(object: ApiObject): boolean {
  const conditions = (object["status"]?.conditions ?? []) as { type: string; status: string; observedGeneration?: number }[];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function pathOf({ metadata }: ApiObject): string {
  return `${releases}/namespaces/${metadata.namespace}/helmreleases/${metadata.name}`;
}
