import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withAzureCli } from "../support/guards.ts";
import { readTree, scratchFolder, testIdentity } from "../support/platform.ts";
import { type Ended, makeSite, onAzure, printedScript, printedScriptOf, runScript, type Site } from "./platform.ts";
import { State } from "./state.ts";

withAzureCli("bootstrap with the real az against a stand-in for Azure", () => {
  let site: Site;
  let script: string;
  let first: Ended;
  let finished: unknown;

  beforeAll(async () => {
    site = await makeSite();
    script = await printedScript(site, "bootstrap");
    first = await runScript(site, script);
    finished = site.cloud.state.summary();
  });
  afterAll(() => site.stop());

  /**
   * Runs the script. The script stores its files in the folder `state`. kubectl.py stores the objects of the cluster in
   * the file `<state>.cluster`. All runs with the same `state` share these files.
   */
  const runIn = (state: string, env: Record<string, string> = {}, at: Site = site): Promise<Ended> =>
    runScript(at, script, { env: { MESHOPS_STATE: state, KUBECTL_STATE: `${state}.cluster`, ...env } });

  test("creates all resources in the spec, installs Flux, and waits until Flux applies the repository", () => {
    expect(first, first.stderr).toMatchObject({ code: 0 });
    expect(site.cloud.unknown).toEqual([]);
    const text = JSON.stringify(finished);
    for (const part of [
      '"networkPolicy":"calico"',
      '"networkPluginMode":"overlay"',
      '"availabilityZones":["1","2"]',
      '"environment":"dev"',
    ])
      expect(text).toContain(part);
    expect(first.stderr).toContain("Flux runs in the cluster of dev and applies the components.");
  });

  test("a second run finds the existing resources, and creates or changes no resource", async () => {
    const again = await runScript(site, script);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(site.cloud.state.summary()).toEqual(finished);
    expect(again.calls.filter((call) => changes(call) && call[1] !== "get-credentials")).toEqual([]);
    expect(again.stderr.match(/already (exists|registered|granted|installed|in the registry)/g)?.length).toBeGreaterThan(6);
  });

  test("the script records image digests; only the owner can read the records and the kubeconfig", () => {
    const state = join(site.env["HOME"] ?? "", ".local/state/meshops/dev");
    expect(statSync(state).mode & 0o77).toBe(0);
    expect(statSync(join(state, "kubeconfig")).mode & 0o777).toBe(0o600);
    const records = readdirSync(join(state, "images"));
    expect(records).toHaveLength(5);
    for (const record of records)
      expect(readFileSync(join(state, "images", record), "utf8")).toMatch(/^[a-z/-]+:[\w.-]+@sha256:[0-9a-f]{64}\n$/);
  });

  test("the age key and the Git token do not appear in the script, in its trace, in an argument, or in a file that the script leaves behind", async () => {
    const [key, token] = [testIdentity().clusterKey, "a-token-for-git"];
    const state = scratchFolder("state");
    const trace = `${state}.trace`;
    const docker = "a-token-for-docker-hub";
    const env = {
      MESHOPS_STATE: state,
      KUBECTL_STATE: `${state}.cluster`,
      GIT_PASSWORD: token,
      DOCKERHUB_USERNAME: "acme",
      DOCKERHUB_TOKEN: docker,
    };
    site.cloud.state = new State();
    const strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-s", "65536", "-e", "trace=execve", "-o", trace];
    const traced = await runScript(site, script, { under: strace, bash: ["-x"], env });
    expect(traced, traced.stderr).toMatchObject({ code: 0 });
    const shown = [readFileSync(script, "utf8"), traced.stderr, readFileSync(trace, "utf8"), ...Object.values(readTree(state))];
    for (const text of shown) for (const secret of [key, token, docker]) expect(text).not.toContain(secret);
    expect([...site.cloud.state.logins]).toEqual([`docker.io acme ${docker}`]);
    // Checks that the cluster contains the age key and the Git token. Without this check, a script that does nothing
    // would also pass the test.
    const cluster = JSON.parse(readFileSync(`${state}.cluster`, "utf8")) as Record<string, string>;
    expect(JSON.parse(cluster["Secret/sops-age"] ?? "")).toMatchObject({ length: key.length + 1 });
    expect(JSON.parse(cluster["Secret/flux-system"] ?? "")).toMatchObject({ length: token.length });
    expect(readFileSync(trace, "utf8")).toContain("sops-age");
  });

  test("a missing SSH key, or a host that known_hosts does not contain, is reported before any resource is created", async () => {
    const ssh = { ...onAzure, gitops: { url: "ssh://git@git.example.org:2222/acme/platform" } };
    const other = await printedScriptOf(ssh, "bootstrap");
    site.cloud.state = new State();
    const work = scratchFolder("ssh");
    const [key, hosts] = [join(work, "key"), join(work, "known_hosts")];
    writeFileSync(key, "a key\n");
    writeFileSync(hosts, "github.com ssh-ed25519 AAAA\n");
    const attempt = (env: Record<string, string>): Promise<Ended> =>
      runScript(site, other, { env: { MESHOPS_STATE: join(work, "state"), KUBECTL_STATE: join(work, "cluster"), ...env } });
    const without = await attempt({});
    expect(without).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Flux has no ssh key for ssh://git@git.example.org:2222"),
    });
    expect(without.stderr).toMatch(/stopped at step 3 of \d+: existing Flux/);
    const unknown = await attempt({ GIT_SSH_KEY_FILE: key, GIT_KNOWN_HOSTS_FILE: hosts });
    expect(unknown.stderr).toContain(`${hosts} does not contain the host [git.example.org]:2222`);
    for (const { calls } of [without, unknown]) expect(calls.filter(changes)).toEqual([]);
    const line = "[git.example.org]:2222 ssh-ed25519 BBBB\n";
    writeFileSync(hosts, `github.com ssh-ed25519 AAAA\n${line}`);
    const ended = await attempt({ GIT_SSH_KEY_FILE: key, GIT_KNOWN_HOSTS_FILE: hosts });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    // The script copies only the known_hosts line of this host into the cluster. kubectl.py stores the length of stdin.
    const cluster = JSON.parse(readFileSync(join(work, "cluster"), "utf8")) as Record<string, string>;
    expect(JSON.parse(cluster["Secret/flux-system"] ?? "")).toMatchObject({ length: line.length });
  });

  const manifestsOf = (version: string): string => `https://github.com/fluxcd/flux2/releases/download/${version}/install.yaml`;

  /** Returns the objects that kubectl.py has stored. The keys are `<kind>/<name>` or the URL of a manifest. */
  const objectsOf = (state: string): Record<string, string> =>
    JSON.parse(readFileSync(`${state}.cluster`, "utf8")) as Record<string, string>;

  test("if the user's age keys cannot be read, the age key in the cluster is kept", async () => {
    const state = scratchFolder("state");
    writeFileSync(`${state}.cluster`, JSON.stringify({ "Secret/sops-age": "the good one" }));
    const ended = await runIn(state, { SOPS_AGE_KEY_FILE: "/nonexistent" });
    expect(ended).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /stopped at step 13 of 15: age key of the cluster\n.*the age keys of SOPS_AGE_KEY_FILE cannot be read/,
      ),
    });
    expect(objectsOf(state)["Secret/sops-age"]).toBe("the good one");
  });

  test("Flux is not changed if it is configured for another repository and MESHOPS_TAKE_OVER is not yes", async () => {
    const state = scratchFolder("state");
    const theirs = "kind: GitRepository\nurl: https://example.com/theirs\nref:\n  branch: main\n";
    writeFileSync(`${state}.cluster`, JSON.stringify({ [manifestsOf("v2.9.6")]: "", "GitRepository/flux-system": theirs }));
    const ended = await runIn(state);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Flux in this cluster syncs another repository or path: https://example.com/theirs"),
    });
    expect(objectsOf(state)["GitRepository/flux-system"]).toBe(theirs);
    expect(await runIn(state, { MESHOPS_TAKE_OVER: "yes" })).toMatchObject({ code: 0 });
    expect(objectsOf(state)["GitRepository/flux-system"]).toContain("https://github.com/acme/platform");
  });

  test("if another tool created a Secret with the name that meshops uses for the age key, this Secret is not changed", async () => {
    const state = scratchFolder("state");
    writeFileSync(`${state}.cluster`, JSON.stringify({ "Secret/sops-age": "foreign key" }));
    const ended = await runIn(state);
    expect(ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "Secret sops-age already exists in namespace flux-system, but meshops did not create this Secret",
      ),
    });
    expect(ended.stderr).toContain("fix: set gitops.decryption.secretRef.name in environments/dev.yaml to another name");
    expect(objectsOf(state)["Secret/sops-age"]).toBe("foreign key");
  });

  test("an old Flux version is reported before the script creates any resource; only --upgrade-flux upgrades Flux", async () => {
    const state = scratchFolder("state");
    writeFileSync(`${state}.cluster`, JSON.stringify({ [manifestsOf("v2.6.4")]: "" }));
    const before = readFileSync(`${state}.cluster`, "utf8");
    const ended = await runIn(state);
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toContain("Flux v2.6.4 in this cluster is older than v2.7.0, and rejects the generated HelmReleases");
    expect(ended.stderr).toMatch(/stopped at step 3 of 15: existing Flux/);
    expect(ended.calls.filter((call) => changes(call) && call[1] !== "get-credentials")).toEqual([]);
    expect(readFileSync(`${state}.cluster`, "utf8")).toBe(before);
    const upgrade = await printedScript(site, "bootstrap", "--upgrade-flux");
    const env = { MESHOPS_STATE: state, KUBECTL_STATE: `${state}.cluster` };
    const upgraded = await runScript(site, upgrade, { env });
    expect(upgraded, upgraded.stderr).toMatchObject({ code: 0 });
    expect(Object.keys(objectsOf(state))).toContain(manifestsOf("v2.9.6"));
  });

  test("if another supported version of Flux is installed, the script keeps this version and prints a note", async () => {
    const state = scratchFolder("state");
    writeFileSync(`${state}.cluster`, JSON.stringify({ [manifestsOf("v2.8.3")]: "" }));
    const ended = await runIn(state);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain("already installed, v2.8.3");
    expect(Object.keys(objectsOf(state))).not.toContain(manifestsOf("v2.9.6"));
  });

  test("a rerun applies a Git token that the first run did not have; later runs without a token keep this token", async () => {
    const state = scratchFolder("state");
    expect((await runIn(state)).code).toBe(0);
    expect(objectsOf(state)["GitRepository/flux-system"]).not.toContain("secretRef");
    expect((await runIn(state, { GIT_PASSWORD: "a-token" })).code).toBe(0);
    for (const env of [{}, { GIT_PASSWORD: "" }]) {
      expect(objectsOf(state)["GitRepository/flux-system"]).toContain("secretRef");
      expect((await runIn(state, env)).code).toBe(0);
    }
    expect(objectsOf(state)["GitRepository/flux-system"]).toContain("secretRef");
  });

  test("a registry name that is already in use, and an exceeded quota, are reported with a fix", async () => {
    const azure = onAzure["azure"] as { cluster: object };
    const { name } = { name: "platform-dev" };
    for (const [spec, text, fix] of [
      [
        { ...azure, registry: { name: "taken1" } },
        "registry name taken1 is already in use outside of resource group platform",
        "set another azure.registry.name",
      ],
      [
        { ...azure, cluster: { name, nodeCount: 500 } },
        "ErrCode_InsufficientVCPUQuota",
        "run az vm list-usage --location westus2",
      ],
    ] as const) {
      const other = await printedScriptOf({ ...onAzure, azure: spec }, "bootstrap");
      site.cloud.state = new State();
      const ended = await runScript(site, other, { env: { MESHOPS_STATE: scratchFolder("state") } });
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(text) });
      expect(ended.stderr).toContain(`fix: ${fix}`);
      expect(ended.stderr).toMatch(/stopped at step \d+ of \d+: .*\n/);
    }
  });

  describe("if one call of az fails, or the script is killed after this call", () => {
    test("a second run completes the work, with the same result as a run without faults", { timeout: 3_600_000 }, async () => {
      const cases = sample(casesOf(first.calls));
      const lanes = await Promise.all([makeSite(), makeSite()]);
      const seen = { completed: 0, stopped: 0, killed: 0 };
      const wrong: string[] = [];
      await Promise.all(
        lanes.map(async (lane) => {
          for (let next = cases.pop(); next !== undefined; next = cases.pop()) {
            const outcome = await disturb(next, lane);
            if (outcome.wrong !== null) wrong.push(outcome.wrong);
            else seen[outcome.first]++;
          }
          await lane.stop();
        }),
      );
      console.log(`disturbed runs: ${JSON.stringify(seen)}, wrong: ${wrong.length}`);
      expect(wrong).toEqual([]);
      expect(seen.completed).toBeGreaterThan(0);
      expect(seen.stopped).toBeGreaterThan(0);
      expect(seen.killed).toBeGreaterThan(0);
    });

    /**
     * Runs the script with one fault, and then runs the script again without a fault. `first` describes how the first
     * run ended. `wrong` is null if both runs behaved as expected. Otherwise, `wrong` contains the fault and the output
     * of both runs.
     */
    async function disturb(
      { line, mishap }: Case,
      lane: Site,
    ): Promise<{ first: "completed" | "stopped" | "killed"; wrong: string | null }> {
      const { cloud, env } = lane;
      cloud.state = new State();
      const state = scratchFolder("state");
      const log = env["AZ_LOG"] ?? "";
      const begun = readFileSync(log, "utf8").split("\n").length - 1;
      let left = mishap === "throttled" ? 2 : mishap === "hang-up" ? 1 : Number.POSITIVE_INFINITY;
      cloud.watch = ({ call, method }) => {
        if (mishap === "killed" || call === null || call < begun || left === 0) return null;
        if (readFileSync(log, "utf8").split("\n")[call] !== line || (mishap === "half-made" && method === "GET")) return null;
        left--;
        return mishap;
      };
      const disturbed = await runIn(state, mishap === "killed" ? { AZ_KILL_AFTER: line } : {}, lane);
      cloud.watch = () => null;
      cloud.state.settle();
      const first = disturbed.code === 0 ? "completed" : disturbed.code === null ? "killed" : "stopped";
      const rerun = await runIn(state, {}, lane);
      const reported = first !== "stopped" || /stopped at step \d+ of \d+: .+\n(.*\n)*.*to continue: bash/.test(disturbed.stderr);
      // If Azure forbids a query, the script must stop. If the script treated the resource as missing, the script would
      // complete the run.
      const ignoredError = mishap === "forbidden" && first === "completed";
      const fine =
        rerun.code === 0 && reported && !ignoredError && JSON.stringify(cloud.state.summary()) === JSON.stringify(finished);
      return { first, wrong: fine ? null : `${mishap} ${line}\n${disturbed.stderr}\n--- again\n${rerun.stderr}` };
    }
  });
});

interface Case {
  /** Arguments of the call of az, in the format of the log of az-client.py. */
  readonly line: string;
  readonly mishap: "killed" | "forbidden" | "throttled" | "hang-up" | "half-made";
}

/** Returns the test cases: one case for each possible fault of each distinct call. Omits the imports of most images. */
function casesOf(calls: readonly string[][]): Case[] {
  const [image] = calls
    .filter(([group, command]) => group === "acr" && command === "import")
    .map((call) => call[call.indexOf("--image") + 1]);
  const wanted = calls.filter((call) => !call.some((word) => /^(linkerd|dgraph)\//.test(word) && !image?.startsWith(word)));
  const lines = [...new Set(wanted.map((call) => JSON.stringify(call).replace(/","/g, '", "')))];
  return lines.flatMap((line) => {
    const always: Case["mishap"][] = ["killed", "forbidden", "throttled", "hang-up"];
    const all: Case["mishap"][] = changes(JSON.parse(line) as string[]) ? [...always, "half-made"] : always;
    // `az account` reads only local files and sends no request. Therefore the only possible fault is `killed`.
    const local = /^\["account"/.test(line);
    return (local ? (["killed"] as const) : all).map((mishap) => ({ line, mishap }));
  });
}

/**
 * Returns all cases if SLOW=1. Otherwise, returns one case for every third call. The faults of these cases alternate.
 */
function sample(cases: readonly Case[]): Case[] {
  if (process.env["SLOW"] === "1") return [...cases];
  const lines = [...new Set(cases.map(({ line }) => line))];
  return lines.flatMap((line, index) => {
    const own = cases.filter((each) => each.line === line);
    return index % 3 === 0 ? own.slice((index / 3) % own.length, ((index / 3) % own.length) + 1) : [];
  });
}

function changes(call: readonly string[]): boolean {
  return call.some((word) => ["create", "register", "import", "build", "update", "delete", "get-credentials"].includes(word));
}
