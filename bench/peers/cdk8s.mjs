// Writes the objects of each environment with cdk8s. Creates one App per environment, as users of cdk8s do. If a single
// App contained all environments, the run time would grow faster than the number of environments.
// Usage: node cdk8s.mjs <folder with node_modules> <objects.json> <output>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules, file, output] = process.argv.slice(2);
const { ApiObject, App, Chart } = createRequire(join(modules, "package.json"))("cdk8s");
for (const [environment, objects] of Object.entries(JSON.parse(readFileSync(file, "utf8")))) {
  const app = new App({ outdir: join(output, environment) });
  const chart = new Chart(app, environment, { disableResourceNameHashes: true });
  for (const [index, object] of objects.entries()) new ApiObject(chart, `${object.kind}-${index}`, object);
  app.synth();
}
