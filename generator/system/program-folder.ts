/**
 * Folder of this program: `generator/` in a checkout, `dist/` in the package. Modules use this constant to find the
 * program's files, because the build moves the code of a bundled module to another folder. The module with this
 * constant is always exactly one folder below the program's folder; see scripts/build.ts.
 */
export const programFolder: URL = new URL("../", import.meta.url);
