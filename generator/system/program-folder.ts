/**
 * Folder of this program: `generator/` in a checkout, `dist/` in the package. Modules use this constant to find the
 * program's files, because a bundled module is not in the folder of its source file. The module with this constant is
 * always exactly one folder below the program's folder; see scripts/build.ts.
 */
export const programFolder: URL = new URL("../", import.meta.url);
