import type { Admissions } from '../cache/admissions.ts';
import type { Recent } from '../cache/recent.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { digestReference, type ImageName, imageText, type Reference, tagReference } from '../oci/reference.ts';
import type { Judge } from '../trust/judge.ts';
import type { Admitted, Verdict } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { type Attempt, attempted, better, isPlainlyAdmitted, settled } from './attempt.ts';
import type { Upstreams } from './upstreams.ts';

/**
 * How long a verdict answers equal questions without asking the authorities again, in milliseconds. Short: it exists so
 * that a rush of equal pulls costs one decision, while authorities keep their own, longer, memory of metadata.
 */
const REUSE = 1000;

/** An index may list indexes; no honest image nests deeper, and each level is a verdict of its own. */
export const PARENT_DEPTH = 3;

/**
 * Verdicts by what is known: what the authorities say of the reference itself, and, of a digest, what was admitted here and
 * leads to it. Equal questions at once cost one decision.
 */
export class KnownWays {
  readonly #judge: Judge;
  readonly #admissions: Admissions;
  readonly #upstreams: Upstreams;
  readonly #recent: Recent<Verdict>;
  readonly #now: () => Date;
  readonly #log: Log;

  constructor(parts: {
    judge: Judge;
    admissions: Admissions;
    upstreams: Upstreams;
    recent: Recent<Verdict>;
    now: () => Date;
    log: Log;
  }) {
    this.#judge = parts.judge;
    this.#admissions = parts.admissions;
    this.#upstreams = parts.upstreams;
    this.#recent = parts.recent;
    this.#now = parts.now;
    this.#log = parts.log;
  }

  /**
   * A tag is judged for what it means now. A digest is admitted when an authority admits it now, or when an index or a
   * tag that led to it is still admitted now.
   * @throws RegistryError MANIFEST_UNKNOWN, UpstreamError: only where the upstream's word was needed
   */
  of(name: ImageName, reference: Reference): Promise<Verdict> {
    return this.#at(name, reference, { depth: 0, afresh: false });
  }

  /** The same after something was admitted that may lead to it: verdicts on what leads where, kept from before that, do not count. */
  afresh(name: ImageName, reference: Reference): Promise<Verdict> {
    return this.#at(name, reference, { depth: 0, afresh: true });
  }

  #at(name: ImageName, reference: Reference, way: Way): Promise<Verdict> {
    if (reference.kind === 'tag') return this.#judged(name, reference);
    if (way.afresh) return this.#find(name, reference.digest, way);
    // A question at a depth may stop earlier than the same one from a client, so the two are not shared.
    return this.#once(`${way.depth} ${imageText(name, reference)}`, () => this.#find(name, reference.digest, way));
  }

  #once(key: string, find: () => Promise<Verdict>): Promise<Verdict> {
    return this.#recent.get(key, find, (verdict) => reusableUntil(verdict, this.#now()));
  }

  async #find(name: ImageName, digest: Digest, way: Way): Promise<Verdict> {
    let best: Attempt | undefined;
    for await (const attempt of this.#waysTo(name, digest, way)) {
      best = better(best, attempt);
      if ('verdict' in best && isPlainlyAdmitted(best.verdict)) break;
    }
    if (best === undefined) throw new Error('a digest without any verdict');
    return settled(best);
  }

  #judged(name: ImageName, reference: Reference): Promise<Verdict> {
    const ask = (maxAge: number) => this.#upstreamsWord(name, reference, maxAge);
    return this.#once(imageText(name, reference), () => this.#judge.judge(name, reference, this.#now(), ask));
  }

  /** The digest itself, then what once led to it, each judged now. */
  async *#waysTo(name: ImageName, digest: Digest, { depth, afresh }: Way): AsyncGenerator<Attempt> {
    yield await attempted(this.#judged(name, digestReference(digest)));
    for (const tag of this.#admissions.tagsOf(name, digest)) {
      const attempt = await attempted(this.#judged(name, tagReference(tag)));
      // Since then the tag may have come to mean other content, and its admission is that content's.
      if ('error' in attempt || isAdmittedAs(attempt.verdict, digest)) yield attempt;
    }
    if (depth === PARENT_DEPTH) return;
    for (const { parent, size } of this.#admissions.parentsOf(name, digest)) {
      const attempt = await attempted(this.#at(name, digestReference(parent), { depth: depth + 1, afresh }));
      yield 'verdict' in attempt ? { verdict: childOf(attempt.verdict, digest, size) } : attempt;
    }
  }

  /** 401, 403 and 404 are answers, and end what was said before; only an outage lets an earlier word stand. */
  async #upstreamsWord(name: ImageName, reference: Reference, maxAge: number): Promise<Digest> {
    const now = this.#now().getTime();
    const image = imageText(name, reference);
    try {
      const found = await this.#upstreams.of(name).resolve(name.repository, reference);
      if (found === undefined) throw new RegistryError('MANIFEST_UNKNOWN', `${image} is unknown to the upstream`);
      this.#admissions.rememberUpstreamsWord(name, reference, found.digest, now);
      return found.digest;
    } catch (error) {
      const outage = error instanceof UpstreamError && error.outage;
      if (!outage) this.#admissions.forgetUpstreamsWord(name, reference);
      const last = this.#admissions.upstreamsWord(name, reference);
      if (!outage || last === undefined || !(now - last.at <= maxAge)) throw error;
      this.#log.warn({ image, error: error.message }, 'upstream is out; its last word stands');
      return last.digest;
    }
  }
}

/** Until when a verdict of this moment may answer equal questions, in milliseconds since the epoch. */
export function reusableUntil(verdict: Verdict, now: Date): number {
  const until = now.getTime() + REUSE;
  return verdict.outcome === 'admitted' ? Math.min(until, verdict.validUntil.getTime()) : until;
}

interface Way {
  /** How many indexes lie between what was asked for and this. */
  readonly depth: number;
  readonly afresh: boolean;
}

/** Of an admitted verdict, whether it is for this digest; a denial is for whatever was asked. */
function isAdmittedAs(verdict: Verdict, digest: Digest): boolean {
  return verdict.outcome !== 'admitted' || verdict.digest === digest;
}

/** What a verdict on a manifest means for content it lists, of which it also gives the size in bytes. */
export function childOf(parent: Verdict, digest: Digest, size: number): Verdict {
  if (parent.outcome !== 'admitted') return parent;
  const text = `listed by the admitted manifest ${parent.digest}`;
  return { ...parent, digest, size, evidence: [{ ok: true, text, steps: parent.evidence }] } satisfies Admitted;
}
