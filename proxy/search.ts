import type { Admissions } from '../cache/admissions.ts';
import type { Recent } from '../cache/recent.ts';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import { type ImageName, nameText } from '../oci/reference.ts';
import type { Judge } from '../trust/judge.ts';
import { UpstreamError } from '../upstream/upstream-error.ts';
import { type Attempt, better, isPlainlyAdmitted } from './attempt.ts';
import type { KnownWays } from './known-ways.ts';
import type { Manifests } from './manifests.ts';
import { SignedWalk, type SignedWalkParts, type Step } from './signed-walk.ts';
import type { Wanted } from './walk-queue.ts';

/** How long a walk counts, in milliseconds: its limits are spent, and what it did not find is not looked for again. */
const WALK_LIFE = 10 * 60_000;

/** How long one question may make its client wait, in milliseconds; as a refresh of trust. */
const PATIENCE = 20_000;

const BEYOND = 'the gateway has not looked through all that is signed there: pull by tag first';

/**
 * The last way to a verdict on a digest: nothing known here leads to it, but something that is signed now may. So a gateway that
 * never served an index admits its children all the same, as does the second of two that share a load.
 */
export class Search {
  readonly #judge: Judge;
  readonly #known: KnownWays;
  readonly #manifests: Manifests;
  readonly #admissions: Admissions;
  readonly #walks: Recent<SignedWalk>;
  readonly #now: () => Date;
  readonly #log: Log;

  constructor(parts: {
    judge: Judge;
    known: KnownWays;
    manifests: Manifests;
    admissions: Admissions;
    walks: Recent<SignedWalk>;
    now: () => Date;
    log: Log;
  }) {
    this.#judge = parts.judge;
    this.#known = parts.known;
    this.#manifests = parts.manifests;
    this.#admissions = parts.admissions;
    this.#walks = parts.walks;
    this.#now = parts.now;
    this.#log = parts.log;
  }

  /**
   * Asks, and while the answer is no admission, walks on through what is signed and asks again, afresh, whenever that may have
   * changed the answer. The search finds what to ask about; only the answer admits.
   */
  async lastly(
    wanted: Wanted,
    name: ImageName,
    digest: Digest,
    ask: (afresh: boolean) => Promise<Attempt>,
  ): Promise<Attempt> {
    const walk = await this.#walkOf(wanted, name);
    let recorded = walk.recorded;
    let best = await ask(false);
    if (isEnough(wanted, best)) return best;
    const list = await this.#judge.signedTargets(name, this.#now());
    if (list.unknown !== undefined) best = better(best, { verdict: list.unknown });
    walk.aim(list, digest);
    const until = this.#now().getTime() + PATIENCE;
    let step: Step = 'more';
    while (step === 'more') {
      step = this.#now().getTime() < until ? await walk.step() : { stoppedBy: { error: impatient(name) } };
      // Others may have taken the step in which it was found.
      if (recorded === walk.recorded || !this.#isMentioned(wanted, name, digest)) continue;
      recorded = walk.recorded;
      best = better(best, await ask(true));
      if (isEnough(wanted, best)) return best;
    }
    return after(step, best);
  }

  #walkOf(wanted: Wanted, name: ImageName): Promise<SignedWalk> {
    const parts = { manifests: this.#manifests, admissions: this.#admissions, now: this.#now, log: this.#log };
    const judge: SignedWalkParts['judge'] = (image, reference) => this.#known.afresh(image, reference);
    return this.#walks.get(
      `${wanted} ${nameText(name)}`,
      async () => new SignedWalk({ name, wanted, judge, ...parts }),
      () => this.#now().getTime() + WALK_LIFE,
    );
  }

  #isMentioned(wanted: Wanted, name: ImageName, digest: Digest): boolean {
    if (wanted === 'blob') return this.#admissions.holdersOf(name, digest).length > 0;
    return this.#admissions.parentsOf(name, digest).length > 0 || this.#admissions.tagsOf(name, digest).length > 0;
  }
}

/** A blob needs no better reason than that a manifest which lists it is served. */
function isEnough(wanted: Wanted, attempt: Attempt): boolean {
  if ('error' in attempt) return false;
  return wanted === 'blob' ? attempt.verdict.outcome === 'admitted' : isPlainlyAdmitted(attempt.verdict);
}

function after(step: Step, best: Attempt): Attempt {
  if (typeof step === 'object') return better(best, step.stoppedBy);
  if (step !== 'beyond' || 'error' in best || best.verdict.outcome !== 'refused') return best;
  return { verdict: { ...best.verdict, message: `${best.verdict.message}; ${BEYOND}` } };
}

function impatient(name: ImageName): UpstreamError {
  return new UpstreamError('timed-out', `looking through what is signed in ${nameText(name)} took too long`);
}
