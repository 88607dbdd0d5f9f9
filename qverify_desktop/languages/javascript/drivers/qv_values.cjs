// Values as JSON and back (languages/values/encoding.py tells the form).
"use strict";

const MOST_DEPTH = 10;
const MOST_ITEMS = 100;
const MOST_TEXT = 1000;

class Unwritable extends Error {}

function encoded(value, depth = MOST_DEPTH, above = []) {
  if (depth <= 0) throw new Unwritable();
  if (value === null || typeof value === "boolean") return value;
  if (value === undefined) return ["made", "undefined"];
  if (typeof value === "string") {
    if (value.length > MOST_TEXT || !value.isWellFormed()) throw new Unwritable();
    return value;
  }
  if (typeof value === "number") return number(value);
  if (typeof value === "bigint") return ["made", "bigint", ["int", String(value)]];
  if (typeof value !== "object" || above.includes(value)) throw new Unwritable();
  const inner = (one) => encoded(one, depth - 1, [...above, value]);
  const limited = (items) => {
    if (items.length > MOST_ITEMS) throw new Unwritable();
    return items;
  };
  if (Array.isArray(value)) {
    // A hole or a property of its own could not be told apart from an item.
    if (Object.keys(value).length !== value.length) throw new Unwritable();
    return ["list", ...limited(value).map(inner)];
  }
  const kind = Object.getPrototypeOf(value);
  if (kind === Set.prototype) return ["made", "Set", ["list", ...limited([...value]).map(inner)]];
  if (kind === Map.prototype) return ["made", "Map", ["list", ...limited([...value]).map((pair) => inner([...pair]))]];
  if (kind === Date.prototype) {
    if (Number.isNaN(value.getTime())) throw new Unwritable();
    return ["made", "Date", value.toISOString()];
  }
  if (kind !== Object.prototype || Object.getOwnPropertySymbols(value).length) throw new Unwritable();
  return ["map", ...limited(Object.entries(value)).map(([key, one]) => [key, inner(one)])];
}

function number(value) {
  if (Number.isNaN(value)) return ["float", "nan"];
  if (!Number.isFinite(value)) return ["float", value > 0 ? "inf" : "-inf"];
  if (Object.is(value, -0)) return ["float", "-0"];
  return [Number.isSafeInteger(value) ? "int" : "float", String(value)];
}

function decoded(document) {
  if (document === null || typeof document === "boolean" || typeof document === "string") return document;
  const [kind, ...rest] = document;
  if (kind === "int" || kind === "float") {
    const named = { nan: NaN, inf: Infinity, "-inf": -Infinity }[rest[0]];
    return named === undefined ? Number(rest[0]) : named;
  }
  if (kind === "list" || kind === "tuple") return rest.map(decoded);
  if (kind === "set") return new Set(rest.map(decoded));
  if (kind === "map") return Object.fromEntries(rest.map(([key, one]) => [decoded(key), decoded(one)]));
  const [name, ...given] = rest;
  if (name === "undefined" || name === "none") return undefined;
  if (name === "some") return decoded(given[0]);
  if (name === "bigint") return BigInt(given[0][1]);
  if (name === "Set") return new Set(decoded(given[0]));
  if (name === "Map") return new Map(decoded(given[0]));
  if (name === "Date") return new Date(given[0]);
  throw new Unwritable();
}

module.exports = { encoded, decoded };
