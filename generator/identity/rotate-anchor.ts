import { parse } from "yaml";
import type { Environment } from "../spec/environment.generated.ts";
import { overlayFolder, valuesFile } from "../spec/layout.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { makeIssuer, makeTrustAnchor, privateKeyPem } from "./authority.ts";
import { issuerFiles, publicFile, type SecretStore, signingKeys } from "./files.ts";
import { fingerprint, parsePem, pemOf } from "./pem.ts";
import type { RotationStep } from "./rotate.ts";
import { gateOf, type IdentityState, keyPairFor, newest, readState } from "./rotation-state.ts";

/**
 * Returns the changes of the next step of a trust anchor rotation. A rotation has three steps, and the user commits
 * each step separately. Step 1 adds a new trust anchor to the trust bundle, which then contains two anchors. Step 2
 * creates an issuer that the new anchor signs. Step 3 removes the old anchor. All meshed pods must restart between step
 * 1 and step 2, and must get a certificate from the new issuer before step 3. Otherwise, proxies receive certificates
 * that they do not trust.
 *
 * @param pastGate whether to run the step before the end of the waiting time. Set to true if the user has checked that
 *   the condition `until` in `RotationWait` is true
 * @throws UserError (problem) if the step must wait, if `meshops generate` was not run after the previous step, or if
 *   the certificates match no stage of a rotation
 */
export async function rotateAnchor(
  environment: Environment,
  store: SecretStore,
  now: Date,
  pastGate: boolean,
): Promise<RotationStep> {
  const state = await readState(environment, store);
  const { name } = environment.metadata;
  if (state.stage !== "stable") assertGenerated(environment, store, state);
  const gate = gateOf(state.stage, state);
  if (gate !== null && !pastGate && now < gate.opensAt)
    throw new UserError(
      exitCode.problem,
      `do not run the next step before ${minutes(gate.opensAt)}. Wait until ${gate.until}`,
      `wait; or add --pods-restarted, if you have checked that ${gate.until}. The waiting time starts when you run the previous step. If you pushed the changes of this step later, add this delay to the waiting time`,
    );
  const { anchors, keys } = state;
  switch (state.stage) {
    case "stable": {
      const next = makeTrustAnchor(environment.spec.linkerd.identity, now);
      const bundle = [...anchors.map(pemOf), next.certificate].join("");
      return {
        changes: new Map([
          publicFile(name, "trustAnchors", bundle),
          await signingKeys(environment, store, { ...keys, "next-trust-anchor.key": privateKeyPem(next) }),
        ]),
        done: "step 1 of 3: a second trust anchor is added. Proxies trust this trust anchor after they restart",
        next: `run meshops generate, commit and push. The pods with the annotation meshops.dev/identity-revision restart automatically. Restart all other meshed pods yourself; meshops status ${name} lists these pods. After one day, run rotate-anchor again`,
      };
    }
    case "anchor-added": {
      const anchor = keyPairFor([newest(anchors)], keys["next-trust-anchor.key"] ?? "");
      const issuer = makeIssuer(environment.spec.linkerd.identity, anchor, now);
      const { "webhook-ca.key": webhookCa } = keys;
      return {
        changes: new Map([
          ...(await issuerFiles(environment, issuer, anchor.certificate, store)),
          await signingKeys(environment, store, { "trust-anchor.key": privateKeyPem(anchor), "webhook-ca.key": webhookCa }),
        ]),
        done: "step 2 of 3: a new issuer is created, signed by the new trust anchor",
        next: `run meshops generate, commit and push. The pods with the annotation meshops.dev/identity-revision restart automatically, and get certificates from the new issuer. Restart all other meshed pods yourself. After one day, run rotate-anchor again`,
      };
    }
    case "issuer-rotated": {
      const anchor = keyPairFor([state.signer], keys["trust-anchor.key"]);
      return {
        changes: new Map([publicFile(name, "trustAnchors", anchor.certificate)]),
        done: "step 3 of 3: the old trust anchor is removed",
        next: "run meshops generate, commit and push; this completes the rotation",
      };
    }
  }
}

/**
 * Throws a UserError if the generated files do not contain the changes of the previous step. Without these files,
 * neither Flux nor helmfile can have applied the changes to the cluster. The function compares fingerprints of
 * certificates and not PEM texts, because line breaks can differ between the chart values and the certificate files.
 */
function assertGenerated(
  { metadata: { name } }: Environment,
  store: SecretStore,
  { stage, anchors, issuer }: IdentityState,
): void {
  const path = `${overlayFolder(name, "linkerd-control-plane")}/${valuesFile}`;
  const values = (parse(store.read(path) ?? "") ?? {}) as {
    identityTrustAnchorsPEM?: string;
    podAnnotations?: Record<string, string>;
  };
  const trusted = parsePem(values.identityTrustAnchorsPEM ?? "").map(fingerprint);
  const bundled = JSON.stringify(trusted) === JSON.stringify(anchors.map(fingerprint));
  const reissued = Object.values(values.podAnnotations ?? {}).includes(fingerprint(issuer));
  if (bundled && (stage === "anchor-added" || reissued)) return;
  throw new UserError(
    exitCode.problem,
    `${path} is out of date. It does not contain the changes of the previous step of the trust anchor rotation`,
    `run meshops generate ${name}, commit and push`,
  );
}

function minutes(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
