import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../generator/identity/authority.ts";
import { pydgraph } from "../../scripts/tools/paths.ts";
import { until } from "../cluster/harness/processes.ts";
import { whereOnPath, withPydgraph } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { environmentOf } from "../support/specs.ts";
import { projectRoot, run } from "../support/tools.ts";
import { startDgraph } from "./real-dgraph.ts";

const python = join(pydgraph, "bin/python");
const folder = join(projectRoot, "clients/pydgraph");
const [schema, films] = [join(folder, "sw.schema"), join(folder, "sw.nquads.rdf")];
const running: ChildProcess[] = [];

/** Runs load_data.py until it ends. Returns its exit code, stdout and stderr. */
async function load(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(python, [join(folder, "load_data.py"), ...args], { env: { PATH: process.env["PATH"] ?? "" } });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (err += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

/** Starts dgraph.py. Returns its address. `calls` contains all calls that the server has received so far. */
async function serve(
  ...args: string[]
): Promise<{ alpha: string; calls: { call: string; triples: number; dropAll?: boolean }[] }> {
  const child = spawn(python, [join(projectRoot, "test/client/dgraph.py"), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  running.push(child);
  const lines: string[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk) => {
    rest += chunk;
    lines.push(...rest.split("\n").slice(0, -1));
    rest = rest.slice(rest.lastIndexOf("\n") + 1);
  });
  await until("the server listens", async () => lines.length > 0, 20);
  return {
    alpha: `localhost:${lines[0]}`,
    get calls() {
      return lines.slice(1).map((line) => JSON.parse(line) as { call: string; triples: number });
    },
  };
}

afterEach(() => {
  for (const child of running.splice(0)) child.kill();
});

withPydgraph("load_data.py", () => {
  const quads = 104; // number of N-Quads in sw.nquads.rdf

  test("loads the schema and the films, in transactions of the requested size", async () => {
    const server = await serve();
    const { alpha } = server;
    const { code, out, err } = await load("--alpha", alpha, "--plaintext", "--schema", schema, "--files", films, "--batch", "20");
    expect({ code, out }, err).toEqual({ code: 0, out: `loaded ${quads} N-Quads in 6 transactions, 0 tried again\n` });
    expect(server.calls.map(({ call }) => call)).toEqual(["CheckVersion", "Alter", ...Array(6).fill(["Query", "commit"]).flat()]);
    expect(server.calls.at(-1)?.triples).toBe(quads);
    expect(server.calls.some(({ dropAll }) => dropAll)).toBe(false);
  });

  test.each([
    ["abort=3", 3],
    ["lost=1", 1], // the server committed, but its response was lost; the retry must not add a film twice
    ["unavailable=2", 2],
    ["indexing=1", 1],
  ])("loads all N-Quads in spite of the fault %s", async (fault, again) => {
    const server = await serve("--fault", fault);
    const { code, out, err } = await load("--alpha", server.alpha, "--plaintext", "--schema", schema, "--files", films);
    expect({ code, out }, err).toEqual({ code: 0, out: `loaded ${quads} N-Quads in 1 transactions, ${again} tried again\n` });
    expect(server.calls.at(-1)?.triples).toBe(quads);
  });

  test("load_data.py stops after the last retry, and reports the lines that were not loaded", async () => {
    const server = await serve("--fault", "abort=99");
    const { code, err } = await load("--alpha", server.alpha, "--plaintext", "--files", films, "--retries", "3");
    expect(code).toBe(1);
    expect(err).toMatch(/sw\.nquads\.rdf:3-\d+: given up after 3 tries: .*aborted/);
  });

  test("a line that is not an N-Quad is rejected with its position", async () => {
    const server = await serve();
    const bad = join(scratchFolder("rdf"), "bad.rdf");
    writeFileSync(bad, '_:a <name> "A" .\nnonsense\n');
    const { code, err } = await load("--alpha", server.alpha, "--plaintext", "--files", bad, "--batch", "1");
    expect(code).toBe(1);
    expect(err).toContain(`${bad}:2-2: UNKNOWN: while lexing nonsense`);
  });

  test("--drop-all drops all data; a file can be compressed, and can use a blank node of another file", async () => {
    const server = await serve();
    const dir = scratchFolder("rdf");
    writeFileSync(join(dir, "a.rdf.gz"), gzipSync('_:a <name> "see _:b" .\n'));
    writeFileSync(join(dir, "b.rdf"), "_:a <knows> _:b .\n");
    const files = [join(dir, "a.rdf.gz"), join(dir, "b.rdf")];
    const { code, err } = await load("--alpha", server.alpha, "--plaintext", "--drop-all", "--files", ...files);
    expect(code, err).toBe(0);
    expect(server.calls[1]).toMatchObject({ call: "Alter", dropAll: true });
  });

  describe("TLS", () => {
    const identity = environmentOf().spec.linkerd.identity;
    const [ca, otherCa] = [makeWebhookCa(identity, new Date()), makeWebhookCa(identity, new Date())];
    const certificate = makeServerCertificate("localhost", identity, ca, new Date());
    const write = (name: string, text: string): string => {
      const path = join(scratchFolder("tls"), name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const files = (): { cert: string; key: string; ca: string } => ({
      cert: write("tls.crt", certificate.certificate),
      key: write("tls.key", privateKeyPem(certificate)),
      ca: write("ca.crt", ca.certificate),
    });

    test("the server's certificate is verified", async () => {
      const { cert, key, ca: authority } = files();
      const { alpha } = await serve("--cert", cert, "--key", key);
      expect((await load("--alpha", alpha, "--tls-cacert", authority, "--files", films)).code).toBe(0);
      const other = write("other.crt", otherCa.certificate);
      const refused = await load("--alpha", alpha, "--tls-cacert", other, "--files", films, "--retries", "1", "--timeout", "5");
      expect(refused.code).toBe(1);
      expect(refused.err).toContain("UNAVAILABLE");
    });

    test("mutual TLS succeeds with the client's certificate and fails without it", async () => {
      const { cert, key, ca: authority } = files();
      const dir = scratchFolder("client");
      const [own, ownKey] = [join(dir, "client.crt"), join(dir, "client.key")];
      const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=loader"];
      await run("openssl", ["req", "-x509", ...ec, "-keyout", ownKey, "-out", own]);
      const { alpha } = await serve("--cert", cert, "--key", key, "--client-ca", own);
      const args = ["--alpha", alpha, "--tls-cacert", authority, "--files", films, "--retries", "1", "--timeout", "5"];
      expect(await load(...args, "--tls-cert", own, "--tls-key", ownKey)).toMatchObject({ code: 0 });
      expect(await load(...args)).toMatchObject({ code: 1 });
    });
  });

  test.each([
    [["--alpha", "x", "--plaintext", "--tls-cacert", "f", "--files", films], 2, "exclude each other"],
    [["--alpha", "x", "--tls-cert", "f", "--files", films], 2, "go together"],
    [["--alpha", "x"], 2, "nothing to do"],
    [["--files", films], 2, "--alpha"],
    [["--alpha", "x", "--plaintext", "--files", "missing.rdf"], 3, "cannot read missing.rdf"],
  ])("%j exits %d", async (args, code, text) => {
    const refused = await load(...args);
    expect(refused).toMatchObject({ code, out: "" });
    expect(refused.err).toContain(text);
  });

  whereOnPath("dgraph", "with a real Dgraph", () => {
    test("the films are loaded and can be queried", async () => {
      const { grpc: alpha, http, stop } = await startDgraph();
      for (const drop of [[], ["--drop-all"]]) {
        const { code, out, err } = await load(
          "--alpha",
          alpha,
          "--plaintext",
          "--schema",
          schema,
          "--files",
          films,
          "--batch",
          "20",
          ...drop,
        );
        expect({ code, out }, err).toMatchObject({ code: 0, out: expect.stringContaining(`loaded ${quads} N-Quads in 6`) });
      }
      const query = "{ q(func: eq(episode, 5)) { title director { name } role { actor { name } } } }";
      const answer = await fetch(`http://${http}/query`, {
        method: "POST",
        headers: { "content-type": "application/dql" },
        body: query,
      }).then((response) => response.json() as Promise<{ data: { q: unknown[] } }>);
      expect(answer.data.q).toHaveLength(1);
      expect(answer.data.q[0]).toMatchObject({ title: "The Empire Strikes Back", director: [{ name: "Irvin Kershner" }] });
      stop();
    }, 180_000);
  });
});
