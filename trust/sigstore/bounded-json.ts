import { DEPTH_LIMIT, DOCUMENT_LIMIT, LIST_LIMIT } from './limits.ts';
import { malformed, SigstoreError } from './sigstore-error.ts';

/**
 * JSON of at most 1 MiB. What is signed is parsed only after its signature was found good, with lists as long as they like;
 * what holds the signature is from anybody, and its lists are bounded before anything loops over them.
 * @throws SigstoreError METADATA_INVALID
 */
export function parseBoundedJson(bytes: Uint8Array, where: string, lists: 'any' | 'short'): unknown {
  if (bytes.byteLength > DOCUMENT_LIMIT) {
    throw malformed(where, `at most ${DOCUMENT_LIMIT} bytes`, `${bytes.byteLength}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new SigstoreError('METADATA_INVALID', `${where}: expected JSON, got something else`, { cause });
  }
  checkShape(value, where, lists === 'short' ? LIST_LIMIT : DOCUMENT_LIMIT);
  return value;
}

/** Without recursion, which is what deep nesting is meant to exhaust. */
function checkShape(document: unknown, where: string, listLimit: number): void {
  const waiting: { value: unknown; depth: number }[] = [{ value: document, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= DEPTH_LIMIT) throw malformed(where, `at most ${DEPTH_LIMIT} levels`, 'more');
    if (Array.isArray(value) && value.length > listLimit) {
      throw malformed(where, `at most ${listLimit} members in a list`, `${value.length}`);
    }
    for (const member of Object.values(value)) waiting.push({ value: member, depth: depth + 1 });
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member: never what an object inherits. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function membersOf(value: unknown, where: string): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(where, 'a list', typeof value);
  return value;
}

export function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string') throw malformed(where, 'text', value === undefined ? 'nothing' : typeof value);
  return value;
}
