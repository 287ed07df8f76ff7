import type { Path } from './problem.ts';
import { isMapping } from './schema/field.ts';

/** Enough to recognise what was written, too short to flood a terminal. */
const ECHO_LIMIT = 80;

/** The value at a path of the document; undefined where the path leads nowhere. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isMapping(value) && Object.hasOwn(value, step)) value = value[step];
    else return undefined;
  }
  return value;
}

/** A value in an error's words. Under `credentials`, and in an address with a user in it, the value stays unsaid. */
export function describe(value: unknown, path: Path): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (path.includes('credentials')) return value === '' ? 'an empty text' : `a ${typeof value} not shown here`;
  return typeof value === 'string' ? quoted(withoutUser(value)) : `the ${typeof value} ${value}`;
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > ECHO_LIMIT ? `${text.slice(0, ECHO_LIMIT)}…` : text);
}

function withoutUser(text: string): string {
  return text.replace(/\/\/[^/]*@/, '//…@');
}
