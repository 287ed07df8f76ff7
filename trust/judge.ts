import type { Digest } from '../oci/digest.ts';
import { digestReference, type ImageName, nameText, type Reference } from '../oci/reference.ts';
import type { Authority, Finding } from './authority.ts';
import { type Answer, decide, takeUpstreamsWord } from './decide.ts';
import { findRule, type Rule } from './rule.ts';
import { refused, undetermined, type Verdict } from './verdict.ts';

/**
 * The upstream's word for a tag, asked only where no signed metadata gives one; in an outage, its last word of at most
 * `maxAge` milliseconds ago. Throws when there is none: an unknown tag or an outage is an answer of the upstream, not a verdict.
 */
export type AskUpstream = (maxAge: number) => Promise<Digest>;

/** Applies the policy. Thin: finds the rule, asks its authorities, and leaves the deciding to `decide`. */
export class Judge {
  readonly #rules: readonly Rule[];
  readonly #authorities: ReadonlyMap<string, Authority>;

  constructor(rules: readonly Rule[], authorities: Iterable<Authority>) {
    this.#rules = rules;
    this.#authorities = new Map([...authorities].map((authority) => [authority.name, authority]));
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  /** Never throws for anything that trust data or an authority does; only `askUpstream` may throw through. */
  async judge(name: ImageName, reference: Reference, now: Date, askUpstream: AskUpstream): Promise<Verdict> {
    const rule = findRule(this.#rules, name, reference);
    if (rule === undefined) return refused('NO_RULE', `no policy rule covers ${nameText(name)}`);
    const word = reference.kind === 'digest' ? async () => reference.digest : once(() => askUpstream(rule.maxAge));
    if (rule.unsafeAllowUnsigned) return takeUpstreamsWord(rule, await word(), now);
    const verdict = await this.#required(rule, name, reference, now, word);
    if (verdict.outcome === 'admitted' || rule.mode === 'enforce') return verdict;
    return takeUpstreamsWord(rule, await word(), now, verdict);
  }

  async #required(rule: Rule, name: ImageName, reference: Reference, now: Date, word: Word): Promise<Verdict> {
    const authorities = (rule.require?.authorities ?? []).map((key) => ({
      key,
      authority: this.#authorities.get(key),
    }));
    const resolvers = authorities.filter(({ authority }) => authority?.way !== 'attests');
    const attestors = authorities.filter(({ authority }) => authority?.way === 'attests');
    const ask = (wanted: typeof authorities, about: Reference): Promise<Answer[]> =>
      Promise.all(
        wanted.map(async ({ key, authority }) => ({
          authority: key,
          finding: await safely(authority, { name, reference: about, now, maxAge: rule.maxAge }),
        })),
      );
    const resolved = await ask(resolvers, reference);
    if (attestors.length === 0) return decide(rule, resolved, now);
    const signed = resolved.map(({ finding }) => finding).find((finding) => finding.outcome === 'vouched');
    const candidate = signed?.digest ?? (await word());
    const attested = await ask(attestors, digestReference(candidate));
    return decide(rule, [...resolved, ...attested], now);
  }
}

/** Whatever an authority throws is a bug of ours, and a bug never admits. */
async function safely(authority: Authority | undefined, question: Parameters<Authority['judge']>[0]): Promise<Finding> {
  if (authority === undefined) {
    return { ...undetermined('INTERNAL', 'the authority is not there'), evidence: [] };
  }
  try {
    return await authority.judge(question);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...undetermined('INTERNAL', `${authority.name} failed unexpectedly: ${text}`), evidence: [] };
  }
}

type Word = () => Promise<Digest>;

function once(ask: Word): Word {
  let asked: Promise<Digest> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
