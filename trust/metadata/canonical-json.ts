import type { Json, JsonObject } from './strict-json.ts';

/**
 * The bytes that are signed: canonical JSON as Notary writes it. Names sorted by their UTF-8 bytes, no white space,
 * only `"` and `\` escaped (control characters stay raw, so the result need not be JSON), whole numbers only.
 */
export function canonicalJson(value: Json): Buffer {
  return Buffer.from(encode(value), 'utf8');
}

function encode(value: Json): string {
  if (typeof value === 'string') return encodeText(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (isList(value)) return `[${value.map(encode).join(',')}]`;
  return encodeObject(value);
}

function encodeObject(object: JsonObject): string {
  const members = sortedNames(object).map((name) => `${encodeText(name)}:${encode(object[name] ?? null)}`);
  return `{${members.join(',')}}`;
}

function sortedNames(object: JsonObject): string[] {
  const names = Object.keys(object);
  // JavaScript's own order puts U+10000 and above before U+E000, bytes do not; of all other names it is that of their bytes, and quick.
  if (!names.some((name) => SURROGATE.test(name))) return names.sort();
  return names.sort((one, other) => Buffer.compare(Buffer.from(one, 'utf8'), Buffer.from(other, 'utf8')));
}

const SURROGATE = /[\ud800-\udfff]/;

function encodeText(text: string): string {
  if (!/["\\]/.test(text)) return `"${text}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
