/**
 * Folder of this program: `generator/` in a checkout, `dist/` in the package. Modules use it to find the program's
 * files, because a bundled module is not in the folder of its source. This module is one folder below it in both cases;
 * see scripts/build.ts.
 */
export const programFolder: URL = new URL("../", import.meta.url);
