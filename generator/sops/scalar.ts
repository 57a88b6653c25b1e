/**
 * A value of an encrypted file, as sops represents it: the type of the value, and the text that is encrypted and
 * authenticated.
 */
export interface TypedScalar {
  readonly type: ScalarType;
  readonly text: string;
}

export type ScalarType = "str" | "int" | "float" | "bool" | "time" | "comment";

/**
 * Returns the text of a value for the MAC and for encryption. The text has the form in which Go writes the value (sops,
 * sops.go, ToBytes). Files from other programs may contain `1.50` or `true`, but Go writes `1.5` and `True` for these
 * values.
 *
 * @throws Error if the text is not a value of the type; the message does not contain the text, which may be a secret
 */
export function canonical({ type, text }: TypedScalar): string {
  switch (type) {
    case "int":
      if (!/^[-+]?[0-9]+$/.test(text)) throw new Error("the value is not an integer");
      return BigInt(text).toString();
    case "float":
      return goFloat(parseGoFloat(text));
    case "bool":
      return parseGoBool(text) ? "True" : "False";
    default:
      return text;
  }
}

/**
 * Formats a number as the shortest decimal text that parses to the same number, without an exponent (Go's
 * `strconv.FormatFloat(f, 'f', -1, 64)`).
 */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([-+]\d+))?$/.exec(String(value)) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return sign + digits + "0".repeat(point - digits.length);
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function parseGoFloat(text: string): number {
  const special: Readonly<Record<string, number>> = { nan: Number.NaN, "+inf": Infinity, inf: Infinity, "-inf": -Infinity };
  const value = special[text.toLowerCase()] ?? (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined);
  if (value === undefined) throw new Error("the value is not a number");
  return value;
}

/** Parses a boolean like Go's `strconv.ParseBool`. */
function parseGoBool(text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new Error("the value is neither true nor false");
}
