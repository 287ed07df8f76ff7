import type { z } from 'zod';
import { describe, quoted, valueAt } from './describe.ts';
import type { Complaint, Path } from './problem.ts';
import { readMessage } from './schema/field.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** Keys that are often tried and never exist, with what to write instead. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['password', 'a password is never written in the configuration: use passwordFile or passwordEnv'],
  ['preset', 'a preset has no type: write preset alone, and what is to be otherwise beside it'],
  ['<<', 'merge keys are not read: repeat the values'],
]);

/** A schema's issues in the configuration's own words. */
export function complaintsOf(issues: readonly Issue[], root: unknown, base: Path = []): Complaint[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, issue.message.split('\n'), path);
    const branch = issue.code === 'invalid_union' ? meantBranch(issue.errors) : undefined;
    if (branch !== undefined) return complaintsOf(branch, root, path);
    const value = valueAt(root, path);
    const choice = issue.code === 'invalid_value' ? didYouMean(String(value), issue.values.map(String)) : undefined;
    const { expected, hint = choice, got = describe(value, path) } = readMessage(issue.message);
    return [{ path, expected, got, hint }];
  });
}

function unknownKeys(keys: readonly string[], known: readonly string[], path: Path): Complaint[] {
  return keys.map((key) => ({
    path: [...path, key],
    part: 'key',
    expected: `one of the keys ${known.join(', ')}`,
    got: quoted(key),
    hint: INSTEAD.get(key) ?? didYouMean(key, known),
  }));
}

/** Of the ways to write a value, the one that was tried: the only one whose own type fits, so that its parts are named. */
function meantBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some(isMisfit));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function isMisfit({ path, code }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}
