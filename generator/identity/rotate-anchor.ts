import { parse } from "yaml";
import type { Environment } from "../spec/environment.generated.ts";
import { overlayFolder, valuesFile } from "../spec/layout.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { makeIssuer, makeTrustAnchor, privateKeyPem } from "./authority.ts";
import { issuerFiles, publicFile, type SecretStore, signingKeys } from "./files.ts";
import { fingerprint, parsePem, pemOf } from "./pem.ts";
import type { RotationStep } from "./rotate.ts";
import { gateOf, type IdentityState, newest, pairWith, readState } from "./state.ts";

/**
 * The next of the three steps that bring a new trust anchor, each a commit of its own: both anchors are believed; the new one signs the issuer;
 * the old one is dropped. Between them everything that is meshed must restart, or a proxy meets a certificate that it does not believe.
 *
 * @param pastGate the caller answers for it that the gate's condition holds
 * @throws UserError (problem) where the gate is closed, or the files fit no step
 */
export async function rotateAnchor(
  environment: Environment,
  store: SecretStore,
  now: Date,
  pastGate: boolean,
): Promise<RotationStep> {
  const state = await readState(environment, store);
  const { name } = environment.metadata;
  if (state.stage !== "settled") refuseUnlessGenerated(environment, store, state);
  const gate = gateOf(state.stage, state);
  if (gate !== null && !pastGate && now < gate.opensAt)
    throw new UserError(
      exitCode.problem,
      `the next step must wait until ${gate.until}: ${minutes(gate.opensAt)}`,
      "if you have seen that it is so, go on with --pods-restarted; counted is from when the last step was made, so wait longer if it was pushed later",
    );
  const { anchors, keys } = state;
  switch (state.stage) {
    case "settled": {
      const next = makeTrustAnchor(environment.spec.linkerd.identity, now);
      const bundle = [...anchors.map(pemOf), next.certificate].join("");
      return {
        changes: new Map([
          publicFile(name, "trustAnchors", bundle),
          await signingKeys(environment, store, { ...keys, "next-trust-anchor.key": privateKeyPem(next) }),
        ]),
        done: "step 1 of 3: a second trust anchor, which all proxies come to believe",
        next: "meshops generate, commit and push; every meshed pod restarts. Then run rotate-anchor again",
      };
    }
    case "bundled": {
      const anchor = pairWith([newest(anchors)], keys["next-trust-anchor.key"] ?? "");
      const issuer = makeIssuer(environment.spec.linkerd.identity, anchor, now);
      const { "webhook-ca.key": webhookCa } = keys;
      return {
        changes: new Map([
          ...(await issuerFiles(environment, issuer, anchor.certificate, store)),
          await signingKeys(environment, store, { "trust-anchor.key": privateKeyPem(anchor), "webhook-ca.key": webhookCa }),
        ]),
        done: "step 2 of 3: a new issuer, signed by the new trust anchor",
        next: "meshops generate, commit and push; every meshed pod restarts and gets a certificate of the new issuer. Then run rotate-anchor again",
      };
    }
    case "reissued": {
      const anchor = pairWith([state.signer], keys["trust-anchor.key"]);
      return {
        changes: new Map([publicFile(name, "trustAnchors", anchor.certificate)]),
        done: "step 3 of 3: the old trust anchor is believed no more",
        next: "meshops generate, commit and push; the rotation is complete",
      };
    }
  }
}

/** A step that is not in the bundle yet cannot have been rolled out. Compared are PEM blocks, since line ends differ between values and files. */
function refuseUnlessGenerated(
  { metadata: { name } }: Environment,
  store: SecretStore,
  { stage, anchors, issuer }: IdentityState,
): void {
  const path = `${overlayFolder(name, "linkerd-control-plane")}/${valuesFile}`;
  const values = (parse(store.read(path) ?? "") ?? {}) as {
    identityTrustAnchorsPEM?: string;
    podAnnotations?: Record<string, string>;
  };
  const believed = parsePem(values.identityTrustAnchorsPEM ?? "").map(fingerprint);
  const bundled = JSON.stringify(believed) === JSON.stringify(anchors.map(fingerprint));
  const reissued = Object.values(values.podAnnotations ?? {}).includes(fingerprint(issuer));
  if (bundled && (stage === "bundled" || reissued)) return;
  throw new UserError(
    exitCode.problem,
    `the last step is not in the bundle: ${path} does not say it`,
    `meshops generate ${name}, commit and push`,
  );
}

function minutes(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
