/** Where things are in the repository. Paths are relative to its root, with forward slashes. */

export const environmentsFolder = "environments";

/** Folder with what is the same in every environment. */
export const basesFolder = "bases";

/** Folder of the generated overlays. */
export const overlaysFolder = "overlays";

export function specFile(environment: string): string {
  return `${environmentsFolder}/${environment}.yaml`;
}

/** Folder of an environment's public certificates. */
export function identityFolder(environment: string): string {
  return `${environmentsFolder}/${environment}/identity`;
}

/** Files with the public certificates, in the folder of the identity. */
export const certificateFiles = {
  trustAnchors: "trust-anchors.crt",
  issuer: "issuer.crt",
  webhookCa: "webhook-ca.crt",
  webhooks: "webhooks.crt",
} as const;

/** End of the names of files that SOPS has encrypted. */
const encrypted = ".sops.yaml";

/** The administrators' file: the private keys that sign, encrypted to them alone. */
export function signingKeysFile(environment: string): string {
  return `${identityFolder(environment)}/trust-anchor${encrypted}`;
}

export function overlayFolder(environment: string, component?: string): string {
  return component === undefined ? `${overlaysFolder}/${environment}` : `${overlaysFolder}/${environment}/${component}`;
}

/** Whether a file, by its name, is encrypted with SOPS. */
export function isEncryptedFile(path: string): boolean {
  return path.endsWith(encrypted);
}

/** Name of the file of an encrypted Secret, without its folder. */
export function encryptedName(secret: string): string {
  return `${secret}${encrypted}`;
}

/** Name of the Secret that an encrypted file holds. */
export function secretIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -encrypted.length);
}

/** The SOPS-encrypted file of a Secret. */
export function secretFile(environment: string, secret: string): string {
  return `${overlayFolder(environment, "identity")}/${encryptedName(secret)}`;
}

/** Folder of what Flux reads first, a folder an environment. */
export const fluxRootFolder = "flux";

/** The path that Flux is pointed at. */
export function fluxFolder(environment: string): string {
  return `${fluxRootFolder}/${environment}`;
}

/** The helmfile at the root, and the one beside each environment's overlays. */
export const helmfileFile = "helmfile.yaml";
/** What of the base's HelmRelease differs between environments. */
export const releaseFile = "release.yaml";
/** Values of a component's chart, read by Flux and by helmfile. */
export const valuesFile = "values.yaml";
/** Patches on what the chart renders, read by helmfile; Flux has the same inline. */
export const patchesFile = "patches.yaml";
/** Patches with a target on what the chart renders, read by helmfile; Flux has the same inline. */
export const transformersFile = "transformers.yaml";
