/**
 * What an authority looked at, step by step, in the order it looked: the tree that `docklock verify` prints
 * and the record an auditor reads. `text` is one plain line; `facts` the values behind it (key ids, versions, dates).
 */
export interface EvidenceStep {
  readonly ok: boolean;
  readonly text: string;
  readonly facts?: Readonly<Record<string, string | number | readonly string[]>>;
  readonly steps?: readonly EvidenceStep[];
}

/** The step at which it ended. */
export function faultStep(message: string, facts: EvidenceStep['facts'] = {}): EvidenceStep {
  return { ok: false, text: message, facts };
}
