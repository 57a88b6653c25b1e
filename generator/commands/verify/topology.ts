import type { TestResult } from "../../cluster/verify/result.ts";
import type { AccessTarget } from "../../components/check.ts";

/** The probes, top to bottom: what they are, and which test tells how they fared. An arrow that should not arrive is dashed. */
const probes = [
  { id: "T0", name: "unmeshed, no policy", sort: "no proxy", arrives: true },
  { id: "T1", name: "unmeshed", sort: "no proxy, other namespace", arrives: false },
  { id: "T2a", name: "client on the list", sort: "proxy, its service account", arrives: true },
  { id: "T2b", name: "stranger", sort: "proxy, another service account", arrives: false },
  { id: "T2c", name: "forged label", sort: "no proxy, label of one", arrives: false },
] as const;

const [width, row, top] = [900, 64, 20] as const;

/**
 * Clients that reached the target, and clients that were refused, as SVG; words and dashes carry the same information as colors.
 * Its texts come from the tests and the component, not from the cluster, so nothing needs escaping.
 */
export function topology(tests: readonly TestResult[], target: AccessTarget): string {
  const shown = probes.flatMap((probe) => {
    const test = tests.find(({ id }) => id === probe.id);
    return test === undefined || test.status === "skipped" ? [] : [{ ...probe, status: test.status }];
  });
  if (shown.length === 0) return "";
  const height = top * 2 + shown.length * row;
  const middle = height / 2;
  const arrows = shown.map(({ id, name, sort, arrives, status }, index) => {
    const y = top + index * row + row / 2;
    const [style, word] =
      status === "undecided"
        ? ["open", "not decided"]
        : status === "passed"
          ? ["good", arrives ? "allowed" : "refused"]
          : ["bad", arrives ? "should arrive, does not" : "should be refused, is not"];
    const end = arrives === (status === "passed") ? 640 : 585;
    const endY = y + (middle - y) * 0.35;
    const dashed = end === 585 ? " refused" : "";
    const tip =
      end === 640
        ? `<path class="${style}" d="M640 ${endY} l-11 -6 v12 z"/>`
        : `<path class="${style}" fill="none" stroke-width="2.5" d="M580 ${endY - 7} l10 14 M590 ${endY - 7} l-10 14"/>`;
    return `<g><rect class="box" x="10" y="${y - 24}" width="230" height="48" rx="6"/>
<text x="24" y="${y - 3}">${id} ${name}</text><text class="dim" x="24" y="${y + 15}">${sort}</text>
<path class="${style}${dashed}" fill="none" stroke-width="2" d="M240 ${y} L${end - 8} ${endY}"/>${tip}
<text class="${style}" x="262" y="${y - 8 + (middle - y) * 0.05}">${word}</text></g>`;
  });
  const words = shown.map(({ id, name, status }) => `${id} ${name}: ${status}`).join("; ");
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Access to ${target.title}. ${words}">
${arrows.join("\n")}
<rect class="box" x="650" y="${top}" width="230" height="${height - 2 * top}" rx="6"/>
<text x="668" y="${middle - 8}">${target.pods.title}</text><text class="dim" x="668" y="${middle + 12}">${portsOf(target)}</text>
</svg>`;
}

/** Ports that the calls go to, as `HTTP 8080, gRPC 9080`. */
function portsOf({ guarded, pods }: AccessTarget): string {
  const names = { http: "HTTP", grpc: "gRPC", spread: "" };
  return guarded.map(({ kind, name }) => `${names[kind]} ${pods.ports[name]?.port}`).join(", ");
}
