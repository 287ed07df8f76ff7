import { RegistryError } from '../oci/registry-error.ts';
import type { Verdict } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';

/** What came of asking about one of several things that may admit: a verdict, or the upstream's failure to say its word. */
export type Attempt = { readonly verdict: Verdict } | { readonly error: UpstreamError | RegistryError };

/** One of several ways that fails must not hide that another admits. @throws what is neither of the upstream nor of the asker */
export async function attempted(asking: Promise<Verdict>): Promise<Attempt> {
  try {
    return { verdict: await asking };
  } catch (error) {
    if (error instanceof UpstreamError || error instanceof RegistryError) return { error };
    throw error;
  }
}

/** Admitted, and not merely let through by `mode: warn`. */
export function isPlainlyAdmitted(verdict: Verdict): boolean {
  return verdict.outcome === 'admitted' && verdict.warning === undefined;
}

/** The better of two, the first of equals: an unknown outweighs a refusal, since what could not be asked might have admitted. */
export function better(first: Attempt | undefined, second: Attempt): Attempt {
  return first === undefined || weight(second) > weight(first) ? second : first;
}

/** The verdict. @throws the error, where it came to that */
export function settled(attempt: Attempt): Verdict {
  if ('error' in attempt) throw attempt.error;
  return attempt.verdict;
}

function weight(attempt: Attempt): number {
  if ('error' in attempt) return attempt.error instanceof UpstreamError ? 1 : 0;
  const { verdict } = attempt;
  if (isPlainlyAdmitted(verdict)) return 3;
  if (verdict.outcome === 'admitted') return 2;
  return verdict.outcome === 'undetermined' ? 1 : 0;
}
