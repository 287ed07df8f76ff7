import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { digestReference, type ImageName, imageText, nameText, type Reference } from '../oci/reference.ts';
import type { Authority, Finding, Question } from './authority.ts';
import { type Answer, decide, takeUpstreamsWord } from './decide.ts';
import { guardTag, type TagGuard } from './guard-tag.ts';
import { findRule, type Rule } from './rule.ts';
import { type Admitted, refused, undetermined, type Verdict } from './verdict.ts';

/**
 * The upstream's word for what was asked for, needed only where no signed metadata gives one; in an outage, its last word of at
 * most `maxAge` milliseconds ago. Throws when there is none: an unknown image or an outage is an answer of the upstream, not a verdict.
 */
export type AskUpstream = (maxAge: number) => Promise<Digest>;

/** Applies the policy. Thin: finds the rule, asks its authorities, and leaves the deciding to `decide`. */
export class Judge {
  readonly #rules: readonly Rule[];
  readonly #authorities: ReadonlyMap<string, Authority>;
  readonly #log: Log;
  readonly #tags: TagGuard | undefined;

  /** @param tags needed only where a rule has `noRollback` */
  constructor(rules: readonly Rule[], authorities: Iterable<Authority>, log: Log, tags?: TagGuard) {
    this.#rules = rules;
    this.#log = log;
    this.#tags = tags;
    this.#authorities = new Map([...authorities].map((authority) => [authority.name, authority]));
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  /** Never throws for anything that trust data or an authority does; only `askUpstream` may throw through. */
  async judge(name: ImageName, reference: Reference, now: Date, askUpstream: AskUpstream): Promise<Verdict> {
    const rule = findRule(this.#rules, name, reference);
    if (rule === undefined) return refused('NO_RULE', `no policy rule covers ${nameText(name)}`);
    // Of a digest too: content in our cache must not outlive the upstream's 401, 403 or 404 for this very repository.
    const word = once(() => askUpstream(rule.maxAge));
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
          finding: await this.#safely(key, authority, { name, reference: about, now, maxAge: rule.maxAge }),
        })),
      );
    const resolved = await ask(resolvers, reference);
    if (attestors.length === 0) return decide(rule, resolved, now);
    const signed = resolved.map(({ finding }) => finding).find((finding) => finding.outcome === 'vouched');
    const asked = reference.kind === 'digest' ? reference.digest : undefined;
    const candidate = signed?.digest ?? asked ?? (await word());
    const attested = await ask(attestors, digestReference(candidate));
    const verdict = decide(rule, [...resolved, ...attested], now);
    if (verdict.outcome !== 'admitted' || !rule.noRollback || reference.kind === 'digest') return verdict;
    return this.#guarded(verdict, imageText(name, reference), rule, [...resolved, ...attested]);
  }

  async #guarded(verdict: Admitted, image: string, rule: Rule, answers: readonly Answer[]): Promise<Verdict> {
    const asked = answers.map(({ authority, finding }) => ({ way: this.#authorities.get(authority)?.way, finding }));
    try {
      return await guardTag(verdict, image, { rule, asked, guard: this.#tags });
    } catch (error) {
      this.#log.error({ image, err: error }, 'the memory of tags failed unexpectedly');
      return undetermined('INTERNAL', 'the memory of tags failed unexpectedly', { rule: rule.id });
    }
  }

  /** Whatever an authority throws is a bug of ours: it never admits, and what it says is for the log alone. */
  async #safely(key: string, authority: Authority | undefined, question: Question): Promise<Finding> {
    if (authority === undefined) return undetermined('INTERNAL', `the authority ${key} is not there`);
    try {
      return await authority.judge(question);
    } catch (error) {
      this.#log.error({ authority: key, image: imageText(question.name, question.reference), err: error }, FAILED);
      return undetermined('INTERNAL', `the authority ${key} failed unexpectedly`);
    }
  }
}

const FAILED = 'an authority failed unexpectedly';

type Word = () => Promise<Digest>;

function once(ask: Word): Word {
  let asked: Promise<Digest> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}
