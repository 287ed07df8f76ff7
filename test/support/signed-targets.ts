import type { Digest } from '../../oci/digest.ts';
import { type ImageName, nameText, parseTag } from '../../oci/reference.ts';
import type {
  Authority,
  Finding,
  NotVouched,
  Question,
  SignedTargets as Names,
  TargetsQuestion,
  Unknown,
} from '../../trust/authority.ts';
import type { RefusalReason, UndeterminedReason } from '../../trust/reason.ts';
import type { AuthorityStatus } from '../../trust/status.ts';

const DAY = 24 * 3_600_000;

/**
 * An authority whose signed metadata is what the test says: which tag of which repository means which digest.
 *
 *   const signed = new SignedTargets();
 *   signed.sign('corp/app', '1', app.digest);
 *   signed.unreachable = true;                 // from now on it cannot be asked
 *   const second = new SignedTargets('second', 'attests');
 */
export class SignedTargets implements Authority {
  readonly name: string;
  readonly way: Authority['way'];
  readonly questions: Question[] = [];
  unreachable = false;
  /** When set, questions wait for it. */
  held: Promise<unknown> | undefined;
  /** When set, every question has this answer. */
  says: Finding | undefined;
  /** When set, every question makes it throw this. */
  breaks: Error | undefined;
  /** Milliseconds for which its word is good. */
  validFor = DAY;
  /** What it says of a manifest's size, in bytes. */
  size: number | undefined;
  /** How often it was asked what it names. */
  listed = 0;
  #version = 1;
  readonly #targets = new Map<string, Map<string, Digest>>();

  constructor(name = 'signer', way: Authority['way'] = 'resolves') {
    this.name = name;
    this.way = way;
  }

  status(): AuthorityStatus {
    return { name: this.name, kind: 'signed-targets', trust: [] };
  }

  sign(name: string, tag: string, digest: Digest): void {
    const targets = this.#targets.get(name) ?? new Map<string, Digest>();
    this.#targets.set(name, targets.set(tag, digest));
    this.#version += 1;
  }

  withdraw(name: string, tag: string): void {
    this.#targets.get(name)?.delete(tag);
    this.#version += 1;
  }

  async judge(question: Question): Promise<Finding> {
    this.questions.push(question);
    await this.held;
    if (this.breaks !== undefined) throw this.breaks;
    if (this.says !== undefined) return this.says;
    if (this.unreachable) return unknown('TRUST_UNREACHABLE');
    return this.#find(question.name, question);
  }

  async signedTargets({ name }: TargetsQuestion): Promise<Names | NotVouched | Unknown> {
    this.listed += 1;
    if (this.unreachable) return unknown('TRUST_UNREACHABLE');
    const targets = this.#targets.get(nameText(name));
    if (targets === undefined || this.way === 'attests') return refusing('NOT_SIGNED');
    return {
      outcome: 'listed',
      stateVersion: String(this.#version),
      targets: [...targets].map(([tag, digest]) => ({ tag: parseTag(tag), digest })),
    };
  }

  #find(name: ImageName, { reference, now }: Question): Finding {
    const targets = this.#targets.get(nameText(name));
    if (targets === undefined) return refusing('NOT_SIGNED');
    const digest =
      reference.kind === 'tag'
        ? targets.get(reference.tag)
        : [...targets.values()].find((signed) => signed === reference.digest);
    if (digest === undefined) return refusing(reference.kind === 'tag' ? 'TAG_NOT_SIGNED' : 'DIGEST_NOT_SIGNED');
    const validUntil = new Date(now.getTime() + this.validFor);
    const size = this.size === undefined ? {} : { size: this.size };
    return {
      outcome: 'vouched',
      digest,
      ...size,
      refreshedAt: now,
      validUntil,
      stateVersion: String(this.#version),
      evidence: [],
    };
  }

  async close(): Promise<void> {
    this.held = undefined;
  }
}

export function refusing(reason: RefusalReason): NotVouched {
  return { outcome: 'refused', reason, message: `it is ${reason}`, evidence: [] };
}

export function unknown(reason: UndeterminedReason, retryAfter?: number): Unknown {
  const wait = retryAfter === undefined ? {} : { retryAfter };
  return { outcome: 'undetermined', reason, message: `it is ${reason}`, ...wait, evidence: [] };
}
