import { type ImageName, parseRepositoryName, parseUpstreamName } from '../../oci/reference.ts';
import type { Log } from '../../oci/log.ts';
import type { Authority, Finding, Question } from '../authority.ts';
import type { AuthorityStatus } from '../status.ts';
import { findingOf, findingOfError } from './finding.ts';
import { judgeImage } from './judge-image.ts';
import { type Kept, KeptFindings } from './kept-findings.ts';
import { type CosignPolicy, policyId, requireStrict } from './policy.ts';
import { RegistryReader } from './registry-reader.ts';
import { SigstoreError } from './sigstore-error.ts';
import { type SignatureSources, SourceUnavailable } from './signature-source.ts';
import type { CurrentRoot, TrustedRootSource } from './trusted-root-source.ts';

export interface SigstoreAuthorityOptions {
  /** The name the configuration gives it. */
  readonly name: string;
  readonly policy: CosignPolicy;
  /** Undefined only where the policy's keys need neither log nor timestamp. May be shared: whoever opened it closes it. */
  readonly root: TrustedRootSource | undefined;
  /** Milliseconds for which a trusted root that is kept fresh may be used when it cannot be refreshed. */
  readonly rootMaxAge: number;
  /** `upstream/repository` where signatures are kept, with `{registry}` and `{repository}` to be filled in; undefined: beside the image. */
  readonly signatures: string | undefined;
  readonly attestationManifests: boolean;
  /** Milliseconds for which what was found good is used without asking the registry again. */
  readonly refresh: number;
  readonly sources: SignatureSources;
  readonly log: Log;
  /** Milliseconds that all requests of one judgement may take together; 20 s unless told. */
  readonly budget?: number;
}

/** What was not good may soon be: a signature comes after its image. In milliseconds. */
const REFUSED_MS = 10_000;

/** An outage may be over at once; asking again at each pull would keep it up. In milliseconds. */
const UNKNOWN_MS = 2_000;

/** Questions of one moment may come in another order; what was found "in the future" beyond this means the clock was set back. */
const CLOCK_TOLERANCE_MS = 5_000;

/** Cosign: signatures in the registry itself say whether a digest is the publisher's. They say nothing of tags. */
export class SigstoreAuthority implements Authority {
  readonly name: string;
  readonly way = 'attests';
  readonly #options: SigstoreAuthorityOptions;
  readonly #policy: string;
  readonly #findings = new KeptFindings();

  /** @throws RangeError for a policy that would accept what nobody meant. */
  constructor(options: SigstoreAuthorityOptions) {
    requireStrict(options.policy);
    const { signer } = options.policy;
    if (options.root === undefined && (signer.kind === 'certificate' || signer.log || signer.timestamp)) {
      throw new RangeError('expected a trusted root for certificates, logs and timestamps, got none');
    }
    this.name = options.name;
    this.#options = options;
    this.#policy = policyId(options.policy);
  }

  async judge(question: Question): Promise<Finding> {
    try {
      return await this.#judge(question);
    } catch (error) {
      return this.#findingOfError(error);
    }
  }

  status(): AuthorityStatus {
    const { root, rootMaxAge } = this.#options;
    return { name: this.name, kind: 'cosign', trust: root === undefined ? [] : [root.status(rootMaxAge)] };
  }

  async recall(): Promise<void> {
    await this.#options.root?.recall();
  }

  async close(): Promise<void> {
    await this.#findings.settle();
  }

  async #judge(question: Question): Promise<Finding> {
    const { name, reference, now, maxAge } = question;
    if (reference.kind === 'tag') {
      throw new SigstoreError('TAG_NOT_SIGNED', 'a signature covers a digest, never a tag');
    }
    const root = await this.#options.root?.current(now, this.#options.rootMaxAge);
    const stateVersion = `${this.#policy} ${root?.root.version ?? 'no root'}`;
    // Another repository may hold other signatures, and policy may ask for its name.
    const key = `${name.upstream}/${name.repository}@${reference.digest} ${stateVersion}`;
    const kept = this.#findings.get(key);
    if (kept !== undefined && this.#isFresh(kept, now, maxAge)) return refreshed(kept, root);
    const look = () => this.#look(question, root, stateVersion);
    const found = await this.#findings.find(key, async () => standing(kept, await look(), now));
    return refreshed(found, root);
  }

  #isFresh({ finding, lookedAt, triedAt }: Kept, now: Date, maxAge: number): boolean {
    const age = now.getTime() - triedAt;
    if (age < -CLOCK_TOLERANCE_MS) return false;
    if (finding.outcome === 'undetermined' || triedAt !== lookedAt) return age < UNKNOWN_MS;
    if (finding.outcome === 'refused') return age < REFUSED_MS;
    return now < finding.validUntil && age < Math.min(this.#options.refresh, maxAge);
  }

  /** Never throws: its outcome is shared. */
  async #look({ name, reference, now }: Question, root: CurrentRoot | undefined, stateVersion: string): Promise<Kept> {
    const { policy, sources, signatures, attestationManifests, budget } = this.#options;
    try {
      if (reference.kind === 'tag') throw new RangeError('expected a digest, got a tag');
      const { upstream, repository } = signaturesOf(signatures, name);
      const source = sources(upstream);
      if (source === undefined) throw new SourceUnavailable(`no upstream ${upstream} is configured`);
      const { digest } = reference;
      const { reference: template } = policy.content;
      const judgement = await judgeImage({
        reader: new RegistryReader(source, repository, budget),
        trust: { policy, root: root?.root, now },
        wanted: { digest, reference: template === undefined ? undefined : filled(template, name) },
        attestationManifests,
      });
      const finding = findingOf(judgement, { digest, root, maxAge: policy.maxAge, stateVersion, now });
      return keptAt(finding, now);
    } catch (error) {
      return keptAt(this.#findingOfError(error), now);
    }
  }

  #findingOfError(error: unknown): Finding {
    const finding = findingOfError(error);
    if (finding !== undefined) return finding;
    this.#options.log.error({ authority: this.name, err: error }, 'unexpected error in a judgement');
    const message = 'an unexpected error on the way to the verdict';
    return { outcome: 'undetermined', reason: 'INTERNAL', message, retryAfter: 1, evidence: [] };
  }
}

function keptAt(finding: Finding, now: Date): Kept {
  return { finding, lookedAt: now.getTime(), triedAt: now.getTime() };
}

/** In an outage what was found good before stands: the proof is as good as it was, and the rule says how old it may be. */
function standing(before: Kept | undefined, found: Kept, now: Date): Kept {
  if (found.finding.outcome !== 'undetermined' || found.finding.reason !== 'TRUST_UNREACHABLE') return found;
  if (before?.finding.outcome !== 'vouched' || now >= before.finding.validUntil) return found;
  const note = {
    ok: false,
    text: `last looked for on ${new Date(before.lookedAt).toISOString()}: ${found.finding.message}`,
  };
  return {
    ...found,
    lookedAt: before.lookedAt,
    finding: { ...before.finding, evidence: [note, ...before.finding.evidence] },
  };
}

/** A finding is as fresh as the older of the search and the trusted root it used. */
function refreshed({ finding, lookedAt }: Kept, root: CurrentRoot | undefined): Finding {
  if (finding.outcome !== 'vouched') return finding;
  const at = Math.min(lookedAt, root?.refreshedAt.getTime() ?? lookedAt);
  return { ...finding, refreshedAt: new Date(at) };
}

function signaturesOf(template: string | undefined, name: ImageName): ImageName {
  if (template === undefined) return name;
  const text = filled(template, name);
  const slash = text.indexOf('/');
  return {
    upstream: parseUpstreamName(text.slice(0, slash)),
    repository: parseRepositoryName(text.slice(slash + 1)),
  };
}

function filled(template: string, { upstream, repository }: ImageName): string {
  return template.replaceAll('{registry}', () => upstream).replaceAll('{repository}', () => repository);
}
