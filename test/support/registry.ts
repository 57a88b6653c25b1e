import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import forge from "node-forge";
import { scratchFolder } from "./platform.ts";

/** A chart in the registry. */
export interface RegistryChart {
  /** Path in the registry, such as `charts/redis`. */
  readonly path: string;
  readonly version: string;
  /** Chart archive (`helm package`). */
  readonly archive: string;
}

/** A local OCI registry. With the environment variables in `env`, programs written in Go trust its certificate. */
export interface Registry {
  /** Host and port. */
  readonly host: string;
  /** Digests of the charts' manifests, keyed by the path of the chart. */
  readonly digests: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

/**
 * Serves charts from an OCI registry on a loopback address. The registry answers the requests for manifests and blobs
 * that the OCI Distribution Specification describes in its section "Pull". The manifests have the media types of Helm
 * charts (helm.sh/docs/topics/registries).
 */
export async function serveRegistry(charts: readonly RegistryChart[]): Promise<Registry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, string>();
  const digests: Record<string, string> = {};
  for (const { path, version, archive } of charts) {
    const add = (mediaType: string, content: Buffer): object => {
      const digest = digestOf(content);
      blobs.set(`/v2/${path}/blobs/${digest}`, content);
      return { mediaType, digest, size: content.length };
    };
    const name = path.slice(path.lastIndexOf("/") + 1);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: add("application/vnd.cncf.helm.config.v1+json", Buffer.from(JSON.stringify({ apiVersion: "v2", name, version }))),
      layers: [add("application/vnd.cncf.helm.chart.content.v1.tar+gzip", readFileSync(archive))],
    });
    digests[path] = digestOf(Buffer.from(manifest));
    for (const reference of [version, digests[path]]) manifests.set(`/v2/${path}/manifests/${reference}`, manifest);
  }
  const { key, cert } = certificate();
  const server = createServer({ key, cert }, (request, response) => {
    const { url = "", method } = request;
    const manifest = manifests.get(url);
    const content = manifest === undefined ? blobs.get(url) : Buffer.from(manifest);
    if (content === undefined) return response.writeHead(url === "/v2/" ? 200 : 404).end();
    response.writeHead(200, {
      "Content-Type": manifest === undefined ? "application/octet-stream" : manifestType,
      "Content-Length": content.length,
      "Docker-Content-Digest": digestOf(content),
    });
    return method === "HEAD" ? response.end() : response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const file = join(scratchFolder("registry"), "ca.crt");
  writeFileSync(file, cert);
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  return { host, digests, env: { SSL_CERT_FILE: file }, close: () => server.close() };
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";

function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function certificate(): { key: string; cert: string } {
  const keys = forge.pki.rsa.generateKeyPair(2048);
  const cert = forge.pki.createCertificate();
  cert.publicKey = keys.publicKey;
  cert.serialNumber = "01";
  cert.validity.notAfter = new Date(Date.now() + 24 * 3600 * 1000);
  const subject = [{ name: "commonName", value: "localhost" }];
  cert.setSubject(subject);
  cert.setIssuer(subject);
  cert.setExtensions([
    { name: "basicConstraints", cA: true },
    { name: "subjectAltName", altNames: [{ type: 2, value: "localhost" }] },
  ]);
  cert.sign(keys.privateKey, forge.md.sha256.create());
  return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(cert) };
}
