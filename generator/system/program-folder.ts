/**
 * Folder of this program: `generator/` in a checkout, `dist/` in the package. Modules find the program's files through
 * this constant, because a bundled module is not in the folder of its source file. This module is always in a folder
 * directly below the program's folder; see scripts/build.ts.
 */
export const programFolder: URL = new URL("../", import.meta.url);
