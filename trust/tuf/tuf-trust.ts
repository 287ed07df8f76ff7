import type { Finding, NotVouched, Question, SignedTargets, TargetsQuestion, Unknown } from '../authority.ts';
import { MetadataError } from '../metadata/metadata-error.ts';
import { deniedFinding } from '../refresh/denied-finding.ts';
import type { TrustStatus } from '../status.ts';
import { DigestIndex } from './digest-index.ts';
import { repositorySteps } from './evidence.ts';
import { vouchedFinding } from './finding.ts';
import { FreshRepository, type FreshRepositoryOptions } from './fresh-repository.ts';
import { ImageIndex } from './image-index.ts';
import type { Repository } from './repository.ts';
import { type Looking, listTargets, resolveDigest, resolveTag } from './resolve.ts';
import type { Usable } from './state.ts';
import type { TargetName } from './target-name.ts';

export interface TufTrustOptions extends FreshRepositoryOptions {
  readonly names: TargetName;
  readonly accepted: ReadonlySet<string>;
}

/** What one TUF repository says of images. */
export class TufTrust {
  readonly #options: TufTrustOptions;
  readonly #repository: FreshRepository;
  #indexes: Pick<Looking, 'repository' | 'index' | 'images'> | undefined;

  constructor(options: TufTrustOptions) {
    this.#options = options;
    this.#repository = new FreshRepository(options);
  }

  status(): TrustStatus {
    return this.#repository.status();
  }

  /** Has the status tell of what is on disk. @throws nothing for what is damaged, which is part of the status */
  recall(): Promise<void> {
    return this.#repository.recall();
  }

  judge(question: Question): Promise<Finding> {
    return this.#answer(question, (usable) => this.#vouch(question, usable));
  }

  signedTargets(question: TargetsQuestion): Promise<SignedTargets | NotVouched | Unknown> {
    return this.#answer(question, (usable) => ({
      outcome: 'listed',
      stateVersion: usable.version,
      targets: listTargets(this.#looking(usable, question.now), question.name),
    }));
  }

  /** Refreshes what would otherwise grow old. Never throws; what goes wrong is logged. */
  keepFresh(now: Date): Promise<void> {
    return this.#repository.keepFresh(now);
  }

  /** Waits for what is under way. */
  settle(): Promise<void> {
    return this.#repository.settle();
  }

  async #answer<T>({ now, maxAge }: TargetsQuestion, answer: (usable: Usable) => T): Promise<T | NotVouched | Unknown> {
    try {
      return answer(await this.#repository.usable(now, maxAge));
    } catch (error) {
      return this.#findingOf(error);
    }
  }

  #looking({ repository }: Usable, now: Date): Looking {
    const { names, accepted } = this.#options;
    return { ...this.#indexesOf(repository), names, accepted, now };
  }

  /** Made once per state of the repository, not once per pull. */
  #indexesOf(repository: Repository): Pick<Looking, 'repository' | 'index' | 'images'> {
    if (this.#indexes?.repository === repository) return this.#indexes;
    const { names } = this.#options;
    this.#indexes = { repository, index: new DigestIndex(repository), images: new ImageIndex(names, repository) };
    return this.#indexes;
  }

  #vouch({ name, reference, now }: Question, usable: Usable): Finding {
    const { repository, notes } = usable;
    const looking = this.#looking(usable, now);
    try {
      const resolution =
        reference.kind === 'tag'
          ? resolveTag(looking, name, reference.tag)
          : resolveDigest(looking, name, reference.digest);
      return vouchedFinding(reference, resolution, usable);
    } catch (error) {
      throw error instanceof MetadataError ? error.after([...notes, ...repositorySteps(repository)]) : error;
    }
  }

  #findingOf(error: unknown): NotVouched | Unknown {
    const finding = deniedFinding(error);
    if (finding.reason === 'INTERNAL') this.#options.log.error({ err: error }, 'unexpected error in a judgement');
    return finding;
  }
}
