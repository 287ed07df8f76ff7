import { MetadataUnavailable } from '../fetch-metadata.ts';

/**
 * The work's outcome, unless it takes longer than `budget` milliseconds: then what it does is no longer waited for, and
 * its late outcome goes nowhere. So the work must not change anything of its own accord.
 * @throws MetadataUnavailable when the time is up
 */
export async function withinBudget<T>(work: Promise<T>, budget: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new MetadataUnavailable(`no complete answer within ${budget} ms`));
    }, budget);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
