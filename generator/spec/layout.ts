/** Layout of the repository. Paths are relative to its root, with forward slashes. */

export const environmentsFolder = "environments";

/** Folder of the files that all environments share. */
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

/** Names of the files with the public certificates, in the identity folder. */
export const certificateFiles = {
  trustAnchors: "trust-anchors.crt",
  issuer: "issuer.crt",
  webhookCa: "webhook-ca.crt",
  webhooks: "webhooks.crt",
} as const;

/** Folder of the overlays of workloads, below the folder of the environment. */
export const workloadsFolder = "workloads";

/** Suffix of the names of SOPS-encrypted files. */
const encrypted = ".sops.yaml";

/**
 * Path of the administrators' file. It contains the private signing keys and is encrypted only to the administrators.
 */
export function signingKeysFile(environment: string): string {
  return `${identityFolder(environment)}/trust-anchor${encrypted}`;
}

export function overlayFolder(environment: string, component?: string): string {
  return component === undefined ? `${overlaysFolder}/${environment}` : `${overlaysFolder}/${environment}/${component}`;
}

/** Whether a file is SOPS-encrypted, from its name. */
export function isEncryptedFile(path: string): boolean {
  return path.endsWith(encrypted);
}

/** File name of an encrypted Secret, without the folder. */
export function encryptedName(secret: string): string {
  return `${secret}${encrypted}`;
}

/** Returns the name of the Secret in an encrypted file. */
export function secretIn(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -encrypted.length);
}

/** Path of the SOPS-encrypted file of a Secret. */
export function secretFile(environment: string, secret: string): string {
  return `${overlayFolder(environment, "identity")}/${encryptedName(secret)}`;
}

/** Folder of Flux's entry points, with one subfolder per environment. */
export const fluxRootFolder = "flux";

/** Path of an environment's entry point for Flux. */
export function fluxFolder(environment: string): string {
  return `${fluxRootFolder}/${environment}`;
}

/** Name of the helmfile in the root folder, and of the helmfile in the folder of each environment's overlays. */
export const helmfileFile = "helmfile.yaml";
/** File with the fields of a HelmRelease that differ between environments. The base contains the other fields. */
export const releaseFile = "release.yaml";
/** File with the HelmRepository of a component's chart. */
export const repositoryFile = "repository.yaml";
/** File with the values of a component's chart. Flux and helmfile read this file. */
export const valuesFile = "values.yaml";
/** File with the chart values of an override. These values are merged after the values from ConfigMaps and Secrets. */
export const lastValuesFile = "values-last.yaml";
/**
 * File with patches for the objects that the chart renders. Only helmfile reads this file. For Flux, the HelmRelease
 * contains the same patches.
 */
export const patchesFile = "patches.yaml";
/** File with the patches that have a target. Otherwise, the file has the same purpose as `patchesFile`. */
export const transformersFile = "transformers.yaml";
