/** Folder of a repository in which meshops stores inventories, locks and the data of unfinished changes. */
export const stateFolder = ".meshops";
