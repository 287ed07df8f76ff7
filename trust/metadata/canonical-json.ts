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
  const members = Object.entries(object)
    .map(([name, value]) => ({ name, value, utf8: Buffer.from(name, 'utf8') }))
    // Not JavaScript's own order: UTF-16 units put U+10000 and above before U+E000, bytes do not.
    .sort((one, other) => Buffer.compare(one.utf8, other.utf8));
  return `{${members.map(({ name, value }) => `${encodeText(name)}:${encode(value)}`).join(',')}}`;
}

function encodeText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}
