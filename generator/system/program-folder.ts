/**
 * Folder of this program: `generator/` in a checkout, `dist/` in the package. Modules find the files that come with the program from here,
 * because a bundled module is not in the folder of its source. This module is one folder below it in both: see scripts/build.ts.
 */
export const programFolder: URL = new URL("../", import.meta.url);
