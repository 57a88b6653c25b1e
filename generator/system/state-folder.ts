/** Folder of a repository in which meshops keeps inventories, locks and unfinished changes. */
export const stateFolder = ".meshops";
