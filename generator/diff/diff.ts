import type { Assessment, ChangedObject, FieldChange } from "../components/change-rule.ts";
import { type Risk, risks } from "../components/risk-levels.ts";
import { isEncryptedFile, patchesFile, secretIn } from "../spec/layout.ts";
import { compareText, folderOf } from "../system/text.ts";
import { compareFields } from "./fields.ts";
import { type Files, objectsOf, type StatedObject } from "./objects.ts";
import { riskOf } from "./risk.ts";
import { comparePlaintext, secretRisk } from "./secrets.ts";

/** A change of one object, with what it may do. */
export interface ObjectChange {
  /** Empty for what belongs to no single environment. */
  readonly environment: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly risk: Risk;
  readonly reason: string;
  readonly fields: readonly FieldChange[];
}

/** The files of an environment that differ, and those that stand beside them, before and after. */
export interface Sides {
  readonly environment: string;
  /** Whether there was nothing generated of it before. */
  readonly isNew: boolean;
  readonly before: Files;
  readonly after: Files;
}

/**
 * The objects that differ between two states of an environment's files, the gravest first.
 *
 * @param identities age identities that may open encrypted files, to say whether their plaintext differs
 */
export async function diffObjects(sides: Sides, identities: readonly string[]): Promise<ObjectChange[]> {
  const { environment } = sides;
  const before = objectsOf(withoutSecrets(sides.before));
  const after = objectsOf(withoutSecrets(sides.after));
  const pairs = [...new Set([...before.keys(), ...after.keys()])].map((key) => [before.get(key), after.get(key)] as const);
  const changed = pairs.flatMap(([old, young]) => compareObjects(old, young) ?? []);
  const all = changed.map((change) => change.object);
  const told = new Set(changed.flatMap(({ files }) => files));
  const changes = [
    ...all.map((object) => judged(environment, object, sides.isNew ? newEnvironment : riskOf(object, all))),
    ...(await secretChanges(sides, identities)),
    ...layoutChanges(sides, told),
  ];
  return changes.sort((a, b) => risks.indexOf(b.risk) - risks.indexOf(a.risk) || compareText(idOf(a), idOf(b)));
}

function idOf({ namespace, kind, name }: ObjectChange): string {
  return [namespace, kind, name].join("/");
}

/** A change, and the files that state it; null where nothing differs. */
function compareObjects(
  before: StatedObject | undefined,
  after: StatedObject | undefined,
): { readonly object: ChangedObject; readonly files: readonly string[] } | null {
  const stated = after ?? before;
  if (stated === undefined) return null;
  const both = before !== undefined && after !== undefined;
  const fields = both ? compareFields(before.value, after.value) : [];
  if (both && fields.length === 0) return null;
  const { kind, namespace, name } = stated;
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const object = { change, kind, namespace, name, fields, before: before?.value ?? {}, after: after?.value ?? {} } as const;
  return { object, files: [...(before?.files ?? []), ...(after?.files ?? [])] };
}

function judged(
  environment: string,
  { kind, namespace, name, change, fields }: ChangedObject,
  judgement: Assessment,
): ObjectChange {
  return { environment, kind, namespace, name, change, ...judgement, fields };
}

const removedSecret = {
  risk: "trust-anchor",
  reason: "the cluster loses it at the next reconciliation: who needs it then stops renewing",
} as const;

const newEnvironment = { risk: "harmless", reason: "the environment is new" } as const;

function withoutSecrets(files: Files): Files {
  return new Map([...files].filter(([path]) => !isEncryptedFile(path)));
}

/** Encrypted files: that they differ, and whether what they hold does; never what they hold. */
async function secretChanges(
  { environment, isNew, before, after }: Sides,
  identities: readonly string[],
): Promise<ObjectChange[]> {
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(isEncryptedFile);
  const changes = await Promise.all(
    paths.map(async (path): Promise<ObjectChange | null> => {
      const [old, young] = [before.get(path), after.get(path)];
      if (old === young) return null;
      const name = secretIn(path);
      const object = { environment, kind: "Secret", namespace: "", name };
      if (old === undefined)
        return {
          ...object,
          change: "added",
          ...(isNew ? newEnvironment : { risk: "harmless", reason: "a new encrypted file" }),
          fields: [],
        };
      if (young === undefined) return { ...object, change: "removed", ...removedSecret, fields: [] };
      const plaintext = await comparePlaintext(old, young, identities);
      const fields = [
        {
          path: "data",
          before: "(encrypted)",
          after: `(encrypted; plaintext ${plaintext === "same" ? "is the same" : plaintext === "differs" ? "differs" : "unknown"})`,
        },
      ];
      return { ...object, change: "changed", ...secretRisk(name, plaintext), fields };
    }),
  );
  return changes.flatMap((change) => change ?? []);
}

/** Files whose text differs though no object of theirs does: comments, or order. */
function layoutChanges({ environment, before, after }: Sides, told: ReadonlySet<string>): ObjectChange[] {
  // Beside a release, patches.yaml is told as the release's own patches.
  const folders = new Set([...told].map(folderOf));
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => !isEncryptedFile(path) && before.get(path) !== after.get(path) && !told.has(path),
  );
  return paths
    .filter((path) => !(path.endsWith(`/${patchesFile}`) && folders.has(folderOf(path))))
    .map((name) => {
      const change = !before.has(name) ? "added" : !after.has(name) ? "removed" : "changed";
      const reason = "the file alone differs: order, layout, or a part that another file states";
      return { environment, kind: "File", namespace: "", name, change, risk: "harmless", reason, fields: [] };
    });
}
