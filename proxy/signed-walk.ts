import type { Admissions } from '../cache/admissions.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import type { Manifest } from '../oci/manifest.ts';
import { digestReference, type ImageName, nameText, type Reference, type Tag, tagReference } from '../oci/reference.ts';
import { RegistryError } from '../oci/registry-error.ts';
import { admit } from '../trust/admit.ts';
import type { SignedList } from '../trust/signed-list.ts';
import type { Verdict } from '../trust/verdict.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { type Attempt, attempted, better, isPlainlyAdmitted } from './attempt.ts';
import type { Manifests } from './manifests.ts';
import { type Candidate, type Wanted, WalkQueue } from './walk-queue.ts';

/** How far one step came: there is more to look at, nothing is left, what is left is beyond the limits, or it was stopped by a failure. */
export type Step = 'more' | 'none' | 'beyond' | { readonly stoppedBy: Attempt };

/**
 * Manifests that one walk looks at. Whoever may ask the gateway can make it walk, by asking for random digests: half of the 100
 * pulls that Docker Hub grants the anonymous in six hours. What was fetched is kept, and costs later walks nothing.
 */
export const LOOK_LIMIT = 50;

/** Looks at once: a walk to its limit takes a dozen round trips, and is no burst upon the upstream. */
const AT_ONCE = 4;

/** Milliseconds after a failure in which everybody is told of it and nobody tries again; at most what an upstream may wish for. */
const PAUSE = 10_000;
const PAUSE_LIMIT = 60_000;

export interface SignedWalkParts {
  readonly name: ImageName;
  readonly wanted: Wanted;
  readonly judge: (name: ImageName, reference: Reference) => Promise<Verdict>;
  readonly manifests: Pick<Manifests, 'get' | 'kept'>;
  readonly admissions: Pick<Admissions, 'record' | 'knows' | 'tagsOf'>;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * One way through what is signed in one repository, shared by all who look for something in it and taken no further than they
 * need. It judges each manifest, and records the admitted ones with what they list: it finds again what a pull by tag would
 * have recorded, and decides nothing.
 */
export class SignedWalk {
  readonly #parts: SignedWalkParts;
  #version: string | undefined;
  #queue: WalkQueue;
  /** What the limit leaves unlooked at. */
  #beyond: Candidate[] = [];
  /** Asked for by its own digest: a pull like any other, which no limit is needed for. */
  #asked: Candidate[] = [];
  #looks = 0;
  #recorded = 0;
  #stopped: { readonly by: Attempt; readonly until: number } | undefined;
  #step: Promise<Step> | undefined;

  constructor(parts: SignedWalkParts) {
    this.#parts = parts;
    this.#queue = new WalkQueue(parts.wanted, { targets: [] });
  }

  /** Grows with each manifest that was admitted on the way. */
  get recorded(): number {
    return this.#recorded;
  }

  /** Begins anew when the trusted metadata is another; looks that were spent stay spent. The digest itself, if signed, comes first. */
  aim(list: SignedList, digest: Digest): void {
    if (list.version !== this.#version) {
      this.#version = list.version;
      this.#queue = new WalkQueue(this.#parts.wanted, list);
      this.#beyond = [];
      this.#asked = [];
    }
    const itself = this.#queue.takeOut(digest) ?? takeFrom(this.#beyond, digest);
    if (itself !== undefined) this.#asked.push(itself);
  }

  /** A few looks further, or none when there is nothing to gain. Who asks meanwhile shares the step. */
  step(): Promise<Step> {
    this.#step ??= this.#go().finally(() => {
      this.#step = undefined;
    });
    return this.#step;
  }

  async #go(): Promise<Step> {
    if (this.#stopped !== undefined && this.#now() < this.#stopped.until) return { stoppedBy: this.#stopped.by };
    const queue = this.#queue;
    // After a failure one look finds out whether it has passed.
    const counted = await this.#nextOf(queue, this.#stopped === undefined ? AT_ONCE : 1);
    const batch = [...this.#asked.splice(0), ...counted];
    if (batch.length === 0) return this.#end();
    await Promise.all(batch.map((candidate) => this.#look(candidate, queue)));
    const failed = batch.filter(({ failure }) => failure !== undefined);
    queue.putBack(failed);
    // An outage is counted by the pauses it makes: it must not use up what is needed when it is over.
    this.#looks += counted.filter(({ failure }) => !isOutage(failure)).length;
    const stoppedBy = failed[0]?.failure;
    this.#stopped = stoppedBy && { by: stoppedBy, until: this.#now() + pauseAfter(stoppedBy) };
    return stoppedBy === undefined ? 'more' : { stoppedBy };
  }

  #now(): number {
    return this.#parts.now().getTime();
  }

  #end(): Step {
    const failure = this.#beyond.find((candidate) => candidate.failure !== undefined)?.failure;
    if (failure !== undefined) return { stoppedBy: failure };
    return this.#queue.cut || this.#beyond.length > 0 ? 'beyond' : 'none';
  }

  async #nextOf(queue: WalkQueue, most: number): Promise<readonly Candidate[]> {
    const batch: Candidate[] = [];
    while (batch.length < most) {
      const candidate = queue.take();
      if (candidate === undefined) break;
      if (await this.#isKnown(candidate, queue)) continue;
      if (this.#looks + batch.length < LOOK_LIMIT) batch.push(candidate);
      else this.#beyond.push(candidate);
    }
    return batch;
  }

  /** What is recorded and at hand costs nothing: what it lists is known, only what lies below may not be. */
  async #isKnown({ digest, tags, level }: Candidate, queue: WalkQueue): Promise<boolean> {
    const { admissions, manifests, name } = this.#parts;
    // Under a tag that means it now: another one, under which it was admitted before, may mean something else.
    const recorded = () => admissions.tagsOf(name, digest).some((tag) => tags.includes(tag));
    if (!(tags.length === 0 ? admissions.knows(name, digest) : recorded())) return false;
    const manifest = await manifests.kept(digest);
    if (manifest === undefined) return false;
    queue.addBelow(manifest, level);
    return true;
  }

  /** What is refused, gone or spoilt leads nowhere. What could not be found out is to be tried again. */
  async #look(candidate: Candidate, queue: WalkQueue): Promise<void> {
    delete candidate.failure;
    const { attempt, tag } = await this.#judged(candidate);
    try {
      if ('error' in attempt) throw attempt.error;
      if (attempt.verdict.outcome === 'undetermined') candidate.failure = attempt;
      // A rule that only warns lets through what was asked for, not what hangs from it.
      if (attempt.verdict.outcome !== 'admitted' || !isPlainlyAdmitted(attempt.verdict)) return;
      const found = await this.#parts.manifests.get(this.#parts.name, attempt.verdict.digest);
      const manifest = 'outcome' in found ? found : admit(attempt.verdict, found);
      if ('outcome' in manifest || !this.#record(manifest, tag)) return;
      queue.addBelow(manifest, candidate.level);
    } catch (error) {
      if (error instanceof UpstreamError) candidate.failure = { error };
      // Of the asker: a 404 is an answer, and nobody can be served it.
      else if (!(error instanceof RegistryError)) throw error;
    }
  }

  /** As the first of its tags under which it is admitted. */
  async #judged({ digest, tags }: Candidate): Promise<{ attempt: Attempt; tag: Tag | undefined }> {
    const { judge, name } = this.#parts;
    const [first, ...others] = tags;
    const about = first === undefined ? digestReference(digest) : tagReference(first);
    let best = { attempt: await attempted(judge(name, about)), tag: first };
    for (const tag of others) {
      if ('verdict' in best.attempt && isPlainlyAdmitted(best.attempt.verdict)) break;
      const attempt = await attempted(judge(name, tagReference(tag)));
      if (better(best.attempt, attempt) === attempt) best = { attempt, tag };
    }
    return best;
  }

  #record(manifest: Manifest, tag: Tag | undefined): boolean {
    const { admissions, name, log } = this.#parts;
    try {
      admissions.record(name, manifest, tag);
    } catch (error) {
      // Without the record it leads nowhere: closed, and the log says why.
      log.error(
        { repository: nameText(name), digest: manifest.digest, error: String(error) },
        'admission not recorded',
      );
      return false;
    }
    this.#recorded += 1;
    return true;
  }
}

function takeFrom(candidates: Candidate[], digest: Digest): Candidate | undefined {
  const at = candidates.findIndex((candidate) => candidate.digest === digest);
  return at < 0 ? undefined : candidates.splice(at, 1)[0];
}

function isOutage(failure: Attempt | undefined): boolean {
  if (failure === undefined) return false;
  return 'verdict' in failure || (failure.error instanceof UpstreamError && failure.error.outage);
}

/** Milliseconds. */
function pauseAfter(failure: Attempt): number {
  const wanted = 'error' in failure && failure.error instanceof UpstreamError ? failure.error.retryAfter : undefined;
  return Math.min(Math.max((wanted ?? 0) * 1000, PAUSE), PAUSE_LIMIT);
}
