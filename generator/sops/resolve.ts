import { goFloat, type TypedScalar } from "./scalar.ts";

/**
 * Resolves a plain YAML scalar as sops does, with the rules of Go's yaml.v3 (resolve.go). These rules match neither
 * YAML 1.1 nor YAML 1.2: `yes` is a string, `0777` is an octal number, `1_000` is the number 1000, and `2001-12-14` is
 * a time. Returns null for the YAML value null.
 *
 * @throws Error if sops itself would fail (an integer between 2^63 and 2^64), or if programs disagree about the value
 */
export function resolvePlain(text: string): TypedScalar | null {
  if (nulls.has(text)) return null;
  if (/^(true|True|TRUE|false|False|FALSE)$/.test(text)) return { type: "bool", text: /^t/i.test(text) ? "True" : "False" };
  if (/^\.(nan|NaN|NAN)$/.test(text)) return { type: "float", text: "NaN" };
  if (/^[-+]?\.(inf|Inf|INF)$/.test(text)) return { type: "float", text: text.startsWith("-") ? "-Inf" : "+Inf" };
  if (text.startsWith(".")) return resolveDotted(text);
  if (!/^[-+0-9]/.test(text)) return { type: "str", text };
  const time = parseTimestamp(text);
  if (time !== null) return { type: "time", text: time };
  const plain = text.replaceAll("_", "");
  const integer = parseInteger(plain);
  if (integer !== null) {
    if (integer >= -(2n ** 63n) && integer < 2n ** 63n) return { type: "int", text: integer.toString() };
    if (integer < 2n ** 64n && integer > 0n) throw new Error("the integer is too large for SOPS; quote the integer");
  }
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) {
    const value = Number(plain);
    if (Number.isFinite(value)) return { type: "float", text: goFloat(value) };
  }
  return { type: "str", text };
}

const nulls = new Set(["", "~", "null", "Null", "NULL"]);

/**
 * Resolves a scalar that starts with a decimal point. Go passes such a scalar only to ParseFloat, so the scalar cannot
 * be a hexadecimal number. The function throws an error if the digits contain an underscore.
 */
function resolveDotted(text: string): TypedScalar {
  if (/^\.[0-9_]*_/.test(text)) throw new Error("YAML parsers disagree on whether the value is a number; quote the value");
  if (/^\.[0-9]+([eE][-+]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text)))
    return { type: "float", text: goFloat(Number(text)) };
  return { type: "str", text };
}

/**
 * Parses an integer like Go's `ParseInt(text, 0, 64)` (decimal, 0x, 0b, 0o, and 0 for octal), but of any size. Returns
 * null if the text is not an integer.
 */
function parseInteger(text: string): bigint | null {
  const [, sign, digits] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  const body = digits ?? "";
  const magnitude = /^(0|[1-9][0-9]*)$/.test(body)
    ? BigInt(body)
    : /^0[xX][0-9a-fA-F]+$/.test(body) || /^0[bB][01]+$/.test(body) || /^0[oO][0-7]+$/.test(body)
      ? BigInt(body.toLowerCase())
      : /^0[0-7]+$/.test(body)
        ? BigInt(`0o${body.slice(1)}`)
        : null;
  if (magnitude === null) return null;
  return sign === "-" ? -magnitude : magnitude;
}

/**
 * Converts a timestamp to Go's form (RFC 3339, with as many decimals as necessary). Returns null if the text has none
 * of the four timestamp forms of yaml.v3.
 */
function parseTimestamp(text: string): string | null {
  const [, year, month, day, rest = ""] = /^(\d{4})-(\d{1,2})-(\d{1,2})(.*)$/s.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined || !isDate(+year, +month, +day)) return null;
  const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  if (rest === "") return `${date}T00:00:00Z`;
  const found = /^([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})([.,]\d+)?(Z|[-+]\d{2}:\d{2})?$/.exec(rest);
  if (found === null) return null;
  const [, separator, hour = "", minute = "", second = "", decimals = "", zone] = found;
  if (+hour > 23 || +minute > 59 || +second > 59) return null;
  if ((separator === " ") !== (zone === undefined)) return null;
  if (zone !== undefined && zone !== "Z" && (+zone.slice(1, 3) > 24 || +zone.slice(4) > 59)) return null;
  const fraction = decimals.slice(1, 10).replace(/0+$/, "");
  const clock = [hour, minute, second].map((part) => part.padStart(2, "0")).join(":");
  const offset = zone === undefined || /^[-+]00:00$/.test(zone) ? "Z" : zone;
  return `${date}T${clock}${fraction === "" ? "" : `.${fraction}`}${offset}`;
}

function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC((year % 400) + 2000, month, 0)).getUTCDate();
}
