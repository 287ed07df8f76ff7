import type { Admissions } from '../cache/admissions.ts';
import type { Recent } from '../cache/recent.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { digestReference, type ImageName, imageText, type Reference, tagReference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
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
const PARENT_DEPTH = 3;

/** Finds verdicts, and remembers them for a moment: equal questions at once cost one decision. */
export class Verdicts {
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
    return this.#at(name, reference, 0);
  }

  #at(name: ImageName, reference: Reference, depth: number): Promise<Verdict> {
    // A question at a depth may stop earlier than the same one from a client, so the two are not shared.
    const key = `${depth} ${imageText(name, reference)}`;
    return this.#recent.get(
      key,
      () => this.#find(name, reference, depth),
      (verdict) => this.#reusableUntil(verdict),
    );
  }

  #reusableUntil(verdict: Verdict): number {
    const until = this.#now().getTime() + REUSE;
    return verdict.outcome === 'admitted' ? Math.min(until, verdict.validUntil.getTime()) : until;
  }

  async #find(name: ImageName, reference: Reference, depth: number): Promise<Verdict> {
    if (reference.kind === 'tag') return this.#judged(name, reference);
    let best: Attempt | undefined;
    for await (const attempt of this.#waysTo(name, reference.digest, depth)) {
      best = better(best, attempt);
      if ('verdict' in best && isPlainlyAdmitted(best.verdict)) break;
    }
    if (best === undefined) throw new Error('a digest without any verdict');
    return settled(best);
  }

  #judged(name: ImageName, reference: Reference): Promise<Verdict> {
    const ask = (maxAge: number) => this.#upstreamsWord(name, reference, maxAge);
    return this.#judge.judge(name, reference, this.#now(), ask);
  }

  /** The digest itself, then what once led to it, each judged now. */
  async *#waysTo(name: ImageName, digest: Digest, depth: number): AsyncGenerator<Attempt> {
    yield await attempted(this.#judged(name, digestReference(digest)));
    for (const tag of this.#admissions.tagsOf(name, digest)) {
      const attempt = await attempted(this.#at(name, tagReference(tag), depth));
      // Since then the tag may have come to mean other content, and its admission is that content's.
      if ('error' in attempt || isAdmittedAs(attempt.verdict, digest)) yield attempt;
    }
    if (depth === PARENT_DEPTH) return;
    for (const { parent, size } of this.#admissions.parentsOf(name, digest)) {
      const attempt = await attempted(this.#at(name, digestReference(parent), depth + 1));
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

/** Of an admitted verdict, whether it is for this digest; a denial is for whatever was asked. */
function isAdmittedAs(verdict: Verdict, digest: Digest): boolean {
  return verdict.outcome !== 'admitted' || verdict.digest === digest;
}

/** What a verdict on an index means for a manifest it lists, of which it also gives the size in bytes. */
function childOf(parent: Verdict, digest: Digest, size: number): Verdict {
  if (parent.outcome !== 'admitted') return parent;
  const text = `listed by the admitted index ${parent.digest}`;
  return { ...parent, digest, size, evidence: [{ ok: true, text, steps: parent.evidence }] } satisfies Admitted;
}
