import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../../support/tools.ts";
import { busybox } from "./machine.ts";
import { addImage } from "./node.ts";

/** Name of an image with Node, a shell, and the test programs of `test/node/pods` in /pods. */
export const nodeImage = "registry.example/node:1";

/**
 * Packs the Node that runs the tests, the shared libraries that it needs and busybox as an image, and imports it.
 *
 * @param programs folder that becomes /pods
 */
export async function addNodeImage(programs: string): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "meshops-node-image-"));
  try {
    const put = (source: string, target: string): void => {
      mkdirSync(dirname(join(root, target)), { recursive: true });
      copyFileSync(source, join(root, target));
    };
    put(process.execPath, "usr/bin/node");
    put(busybox, "bin/busybox");
    for (const applet of ["sh", "sleep", "cat"]) symlinkSync("busybox", join(root, "bin", applet));
    const libraries = (await run("ldd", [process.execPath])).matchAll(/(\/\S+) \(0x/g);
    for (const [, library = ""] of libraries) put(library, library);
    mkdirSync(join(root, "tmp"), { mode: 0o1777 });
    cpSync(programs, join(root, "pods"), { recursive: true });
    await addImage({ name: nodeImage, source: root, entrypoint: ["/usr/bin/node"] });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
