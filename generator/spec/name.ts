/** Form of an environment's name, as in the schema. It is a file name, a folder name and a part of object names. */
const form = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Whether a text can be the name of an environment. As a path, such a name never leaves its folder. */
export function isEnvironmentName(text: string): boolean {
  return text.length <= 40 && form.test(text);
}
