import type { Admissions } from '../cache/admissions.ts';
import type { Recent } from '../cache/recent.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { RegistryError } from '../oci/registry-error.ts';
import {
  digestReference,
  type ImageName,
  imageText,
  type Reference,
  type Tag,
  tagReference,
} from '../oci/reference.ts';
import type { AskUpstream, Judge } from '../trust/judge.ts';
import type { Admitted, Denied, Verdict } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
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
    const ask: AskUpstream = (maxAge) =>
      reference.kind === 'tag'
        ? this.#upstreamsWord(name, reference.tag, maxAge)
        : Promise.reject(new Error('a digest needs no word'));
    const verdict = await this.#judge.judge(name, reference, this.#now(), ask);
    if (reference.kind === 'tag' || isPlainlyAdmitted(verdict)) return verdict;
    return (await this.#throughAdmissions(name, reference.digest, depth, verdict)) ?? verdict;
  }

  /** What once led to this digest, judged again now. */
  async #throughAdmissions(
    name: ImageName,
    digest: Digest,
    depth: number,
    direct: Verdict,
  ): Promise<Verdict | undefined> {
    let unknown: Denied | undefined;
    for (const tag of this.#admissions.tagsOf(name, digest)) {
      const verdict = await this.#at(name, tagReference(tag), depth);
      if (isPlainlyAdmitted(verdict) && verdict.digest === digest) return verdict;
      if (verdict.outcome === 'undetermined') unknown ??= verdict;
    }
    if (depth < PARENT_DEPTH) {
      for (const { parent, size } of this.#admissions.parentsOf(name, digest)) {
        const verdict = await this.#at(name, digestReference(parent), depth + 1);
        if (isPlainlyAdmitted(verdict)) return childOf(verdict, digest, size);
        if (verdict.outcome === 'undetermined') unknown ??= verdict;
      }
    }
    return direct.outcome === 'refused' ? unknown : undefined;
  }

  /** 401, 403 and 404 are answers, and end what was said before; only an outage lets an earlier word stand. */
  async #upstreamsWord(name: ImageName, tag: Tag, maxAge: number): Promise<Digest> {
    const now = this.#now().getTime();
    try {
      const found = await this.#upstreams.of(name).resolve(name.repository, tagReference(tag));
      if (found === undefined) {
        this.#admissions.forgetUpstreamsWord(name, tag);
        throw new RegistryError('MANIFEST_UNKNOWN', `${imageText(name, tagReference(tag))} is unknown to the upstream`);
      }
      this.#admissions.rememberUpstreamsWord(name, tag, found.digest, now);
      return found.digest;
    } catch (error) {
      const last = this.#admissions.upstreamsWord(name, tag);
      const outage = error instanceof UpstreamError && error.outage;
      if (!outage || last === undefined || !(now - last.at <= maxAge)) throw error;
      this.#log.warn(
        { image: imageText(name, tagReference(tag)), error: error.message },
        'upstream is out; its last word stands',
      );
      return last.digest;
    }
  }
}

/** Admitted, and not merely let through by `mode: warn`. */
function isPlainlyAdmitted(verdict: Verdict): verdict is Admitted {
  return verdict.outcome === 'admitted' && verdict.warning === undefined;
}

function childOf(parent: Admitted, digest: Digest, size: number): Admitted {
  return {
    ...parent,
    digest,
    size,
    evidence: [{ ok: true, text: `listed by the admitted index ${parent.digest}`, steps: parent.evidence }],
  };
}
