/** Form of an environment's name, as the schema's pattern says it: it is a file name, a folder name and part of an object's name. */
const form = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Whether a text can be the name of an environment. No such name leads out of a folder. */
export function isEnvironmentName(text: string): boolean {
  return text.length <= 40 && form.test(text);
}
