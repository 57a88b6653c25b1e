import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectRoot, run, tool } from "../../support/tools.ts";
import { busybox } from "./machine.ts";
import { addImage } from "./node.ts";

/** Name of the image of the pods in tests. It contains Node, a shell, and the programs of `test/node/pods` in /pods. */
export const nodeImage = "registry.example/node:1";

/**
 * Name of the image that replaces the image of clients/pydgraph in these tests. The image contains the programs that a
 * probe of `meshops verify` runs, but not Python.
 */
export const clientImage = "registry.example/client:1";

/**
 * Packs the image `nodeImage`, and imports it into the node. The image contains a copy of the Node binary that runs the
 * tests.
 *
 * @param programs folder whose content is copied to /pods
 */
export async function addNodeImage(programs: string): Promise<void> {
  await fromFolder(nodeImage, ["/usr/bin/node"], [], async (root) => {
    await addProgram(root, process.execPath, "usr/bin/node");
    cpSync(programs, join(root, "pods"), { recursive: true });
  });
}

export async function addClientImage(): Promise<void> {
  const proto = "opt/dgraph/api.proto";
  await fromFolder(clientImage, ["/bin/sh"], [`DGRAPH_PROTO=/${proto}`], async (root) => {
    await addProgram(root, (await run("sh", ["-c", "command -v curl"])).trim(), "usr/bin/curl");
    await addProgram(root, tool("grpcurl"), "usr/bin/grpcurl");
    put(root, join(projectRoot, "test/client/api.proto"), proto);
  });
}

/** Packs an image, and imports it into the node. The image contains busybox and the files that `fill` writes. */
async function fromFolder(
  name: string,
  entrypoint: readonly string[],
  env: readonly string[],
  fill: (root: string) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "meshops-node-image-"));
  try {
    put(root, busybox, "bin/busybox");
    for (const applet of ["base64", "basename", "cat", "dirname", "mktemp", "rm", "sh", "sleep", "tr"])
      symlinkSync("busybox", join(root, "bin", applet));
    mkdirSync(join(root, "tmp"), { mode: 0o1777 });
    await fill(root);
    await addImage({ name, source: root, entrypoint, env });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * Copies a program to the path `target` in the image. Also copies each shared library that the program needs. A library
 * has the same path in the image as on this machine.
 */
async function addProgram(root: string, program: string, target: string): Promise<void> {
  put(root, program, target);
  const found = await run("sh", ["-c", 'ldd "$0" 2>/dev/null || true', program]);
  for (const [, library = ""] of found.matchAll(/(\/\S+) \(0x/g)) put(root, library, library);
}

function put(root: string, source: string, target: string): void {
  mkdirSync(dirname(join(root, target)), { recursive: true });
  copyFileSync(source, join(root, target));
}
