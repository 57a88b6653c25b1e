import { join } from "node:path";
import { scratchFolder } from "./platform.ts";
import { projectRoot, run } from "./tools.ts";

/**
 * Builds the program in `x509/main.go`, which verifies certificates with Go's crypto/x509. Returns the path of the
 * program.
 */
export async function goVerifier(): Promise<string> {
  const verify = join(scratchFolder("go"), "verify");
  await run("go", ["build", "-o", verify, join(projectRoot, "test/support/x509/main.go")], {
    env: { GOFLAGS: "-buildvcs=false", GO111MODULE: "off" },
  });
  return verify;
}
