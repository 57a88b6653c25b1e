import type { Assessed, ChangedObject, ChangeSet, FieldChange, Procedure, Step } from "../components/change-rule.ts";
import { type Risk, risks } from "../components/risk-levels.ts";
import { isEncryptedFile, patchesFile, secretIn, transformersFile } from "../spec/layout.ts";
import { compareText, folderOf } from "../system/text.ts";
import { compareFields } from "./fields.ts";
import { type Files, type StatedObject, statedObjects } from "./objects.ts";
import { riskOf } from "./risk.ts";
import { removedRecipients } from "./risks/age-key.ts";
import { removedEnvironment } from "./risks/environment.ts";
import { comparePlaintext, isInCluster, recipientsIn, removedSecret, secretRisk } from "./secrets.ts";

/** A change of one object, with its risk. */
export interface AssessedChange {
  /** Empty if the object does not belong to a single environment. */
  readonly environment: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly risk: Risk;
  /** One reason per line. */
  readonly reason: string;
  /** Steps for the user, in order of execution. */
  readonly steps: readonly Step[];
  /** The procedures whose steps are in `steps`. If omitted, all steps are one procedure. */
  readonly procedures?: readonly Procedure[];
  readonly fields: readonly FieldChange[];
}

/** Files of an environment before and after a change. Includes unchanged files in the folders of changed files. */
export interface Sides {
  readonly environment: string;
  /** Whether the environment had no generated files before the change. */
  readonly isNew: boolean;
  /** Whether the environment has no spec after the change. */
  readonly isRemoved: boolean;
  readonly before: Files;
  readonly after: Files;
  readonly specs: ChangeSet["specs"];
}

/**
 * Returns the objects that differ between two states of an environment's files. The objects with the highest risk are
 * first.
 *
 * @param identities age identities that decrypt the encrypted files, so that the plaintexts can be compared
 */
export async function diffObjects(sides: Sides, identities: readonly string[]): Promise<AssessedChange[]> {
  const { environment, specs } = sides;
  const before = statedObjects(withoutSecrets(sides.before));
  const after = statedObjects(withoutSecrets(sides.after));
  const pairs = [...new Set([...before.keys(), ...after.keys()])].map((key) => [before.get(key), after.get(key)] as const);
  const changed = pairs.flatMap(([previous, next]) => compareObjects(previous, next) ?? []);
  const all = changed.map((change) => change.object);
  const assess = (object: ChangedObject): Assessed =>
    sides.isNew
      ? newEnvironment(object.kind)
      : sides.isRemoved
        ? removedEnvironment(environment)
        : riskOf(object, { environment, objects: all, specs });
  const reported = new Set(changed.flatMap(({ files }) => files));
  const changes = [
    ...all.map((object) => objectChange(environment, object, assess(object))),
    ...(await secretChanges(sides, identities)),
    ...layoutChanges(sides, reported),
  ];
  return changes.sort((a, b) => risks.indexOf(b.risk) - risks.indexOf(a.risk) || compareText(idOf(a), idOf(b)));
}

function idOf({ namespace, kind, name }: AssessedChange): string {
  return [namespace, kind, name].join("/");
}

/**
 * Compares an object before and after a change. Returns the change, and the files that declare the object before or
 * after the change. Returns null if the object does not change.
 */
function compareObjects(
  before: StatedObject | undefined,
  after: StatedObject | undefined,
): { readonly object: ChangedObject; readonly files: readonly string[] } | null {
  const declared = after ?? before;
  if (declared === undefined) return null;
  const both = before !== undefined && after !== undefined;
  const fields = both ? compareFields(before.value, after.value) : [];
  if (both && fields.length === 0) return null;
  const { kind, namespace, name } = declared;
  const change = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const object = { change, kind, namespace, name, fields, before: before?.value ?? {}, after: after?.value ?? {} } as const;
  return { object, files: [...(before?.files ?? []), ...(after?.files ?? [])] };
}

function objectChange(
  environment: string,
  { kind, namespace, name, change, fields }: ChangedObject,
  assessed: Assessed,
): AssessedChange {
  return { environment, kind, namespace, name, change, ...assessed, fields };
}

/**
 * Effects of the objects of a new environment on a cluster that already contains objects with the same names. The keys
 * are the kinds of the objects.
 */
const ifPresent: ReadonlyMap<string, string> = new Map([
  [
    "HelmRelease",
    "if the cluster already has a Helm release with this name, Flux upgrades that Helm release to the values of this object",
  ],
  ["Namespace", "if the namespace already exists, Flux adds the labels and annotations of this object to the namespace"],
]);

function newEnvironment(kind: string): Assessed {
  const remark = ifPresent.get(kind);
  return { risk: "harmless", reason: `the environment is new${remark === undefined ? "" : `; ${remark}`}`, steps: [] };
}

function withoutSecrets(files: Files): Files {
  return new Map([...files].filter(([path]) => !isEncryptedFile(path)));
}

/**
 * Returns the changes of encrypted files. Each change shows whether the plaintext differs, but never contains
 * plaintext.
 */
async function secretChanges(
  { environment, isNew, before, after }: Sides,
  identities: readonly string[],
): Promise<AssessedChange[]> {
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(isEncryptedFile);
  const changes = await Promise.all(
    paths.map(async (path): Promise<AssessedChange | null> => {
      const [previous, next] = [before.get(path), after.get(path)];
      if (previous === next) return null;
      const name = secretIn(path);
      const object = { environment, kind: "Secret", namespace: "", name };
      if (previous === undefined)
        return {
          ...object,
          change: "added",
          ...(isNew ? newEnvironment("Secret") : { risk: "harmless", reason: "this encrypted file is new", steps: [] }),
          fields: [],
        };
      if (next === undefined) return { ...object, change: "removed", steps: [], ...removedSecret(path), fields: [] };
      const plaintext = await comparePlaintext(previous, next, identities);
      const fields = [
        {
          path: "data",
          before: "(encrypted)",
          after: `(encrypted; plaintext ${plaintext === "same" ? "is the same" : plaintext === "differs" ? "differs" : "unknown"})`,
        },
      ];
      const lost = isInCluster(path) ? removedRecipients(environment, recipientsIn(previous), recipientsIn(next)) : null;
      return { ...object, change: "changed", ...(lost ?? { steps: [], ...secretRisk(path, plaintext) }), fields };
    }),
  );
  return changes.flatMap((change) => change ?? []);
}

/** Files with patches that only helmfile reads. */
const ofHelmfile = [patchesFile, transformersFile];

/**
 * Returns files whose text differs although all their objects are the same. For example, only the comments or the order
 * of the objects differ.
 */
function layoutChanges({ environment, before, after }: Sides, reported: ReadonlySet<string>): AssessedChange[] {
  // If `reported` contains a file in a folder, do not report the file with patches in this folder. The HelmRelease in
  // the folder contains the same patches, so the change of the HelmRelease already shows a change of the patches.
  const folders = new Set([...reported].map(folderOf));
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => !isEncryptedFile(path) && before.get(path) !== after.get(path) && !reported.has(path),
  );
  return paths
    .filter((path) => !(ofHelmfile.some((file) => path.endsWith(`/${file}`)) && folders.has(folderOf(path))))
    .map((name) => {
      const change = !before.has(name) ? "added" : !after.has(name) ? "removed" : "changed";
      const reason =
        "the objects in this file do not change. The comments, the layout or the order of the objects changed, or a part of an object moved to another file";
      return { environment, kind: "File", namespace: "", name, change, risk: "harmless", reason, steps: [], fields: [] };
    });
}
