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

/** Returns the path of the file with the private signing keys. This file is encrypted only for the administrators. */
export function signingKeysFile(environment: string): string {
  return `${identityFolder(environment)}/trust-anchor${encrypted}`;
}

export function overlayFolder(environment: string, component?: string): string {
  return component === undefined ? `${overlaysFolder}/${environment}` : `${overlaysFolder}/${environment}/${component}`;
}

/** Whether the name of a file ends in the suffix of SOPS-encrypted files. */
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

/** Returns the path of the SOPS-encrypted file of a Secret that belongs to the identity. */
export function secretFile(environment: string, secret: string): string {
  return `${overlayFolder(environment, "identity")}/${encryptedName(secret)}`;
}

/**
 * Folder with one subfolder per environment. The root Kustomization of an environment applies the subfolder of this
 * environment.
 */
export const fluxRootFolder = "flux";

/** Returns the path of the folder that the root Kustomization of an environment applies. */
export function fluxFolder(environment: string): string {
  return `${fluxRootFolder}/${environment}`;
}

/** File name of the helmfile in the root folder, and of the helmfile in the folder of each environment's overlays. */
export const helmfileFile = "helmfile.yaml";
/**
 * File with the fields of a HelmRelease that differ between environments. The base contains the other fields. If the
 * component has no base, the file contains the whole HelmRelease.
 */
export const releaseFile = "release.yaml";
/** File with the HelmRepository or the OCIRepository of a component's chart. */
export const repositoryFile = "repository.yaml";
/** File with the values of a component's chart. Flux and helmfile read this file. */
export const valuesFile = "values.yaml";
/**
 * File with the chart values of an override. These values are merged after the values from the ConfigMaps and Secrets
 * to which the override refers.
 */
export const lastValuesFile = "values-last.yaml";
/**
 * File with patches for the objects that the chart renders. Only helmfile reads this file. For Flux, the HelmRelease
 * contains the same patches.
 */
export const patchesFile = "patches.yaml";
/**
 * File with Kustomize transformers for the patches that have a target, and for new names of images. Only helmfile reads
 * this file. For Flux, the HelmRelease contains the same patches and names.
 */
export const transformersFile = "transformers.yaml";
