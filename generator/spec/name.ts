/**
 * Form of an environment's name, as in the schema. The name is a file name, a folder name and a part of object names.
 */
const form = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/**
 * Whether a text can be the name of an environment. A valid name is safe as a part of a path, because the name contains
 * neither slashes nor dots.
 */
export function isEnvironmentName(text: string): boolean {
  return text.length <= 40 && form.test(text);
}
