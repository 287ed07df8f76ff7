import type { Digest } from '../../oci/digest.ts';
import { type ImageName, nameText } from '../../oci/reference.ts';
import type { Authority, Finding, Question } from '../../trust/authority.ts';

const DAY = 24 * 3_600_000;

/**
 * An authority whose signed metadata is what the test says: which tag of which repository means which digest.
 *
 *   const signed = new SignedTargets();
 *   signed.sign('corp/app', '1', app.digest);
 *   signed.unreachable = true;                 // from now on it cannot be asked
 */
export class SignedTargets implements Authority {
  readonly name = 'signer';
  readonly way = 'resolves';
  readonly questions: Question[] = [];
  unreachable = false;
  /** When set, questions wait for it. */
  held: Promise<unknown> | undefined;
  readonly #targets = new Map<string, Map<string, Digest>>();

  sign(name: string, tag: string, digest: Digest): void {
    const targets = this.#targets.get(name) ?? new Map<string, Digest>();
    this.#targets.set(name, targets.set(tag, digest));
  }

  withdraw(name: string, tag: string): void {
    this.#targets.get(name)?.delete(tag);
  }

  async judge(question: Question): Promise<Finding> {
    this.questions.push(question);
    await this.held;
    if (this.unreachable) {
      return { outcome: 'undetermined', reason: 'TRUST_UNREACHABLE', message: 'the signer is out', evidence: [] };
    }
    return this.#find(question.name, question);
  }

  #find(name: ImageName, { reference, now }: Question): Finding {
    const targets = this.#targets.get(nameText(name));
    if (targets === undefined) {
      return { outcome: 'refused', reason: 'NOT_SIGNED', message: 'nothing of it is signed', evidence: [] };
    }
    const digest =
      reference.kind === 'tag'
        ? targets.get(reference.tag)
        : [...targets.values()].find((signed) => signed === reference.digest);
    if (digest === undefined) {
      const reason = reference.kind === 'tag' ? 'TAG_NOT_SIGNED' : 'DIGEST_NOT_SIGNED';
      return { outcome: 'refused', reason, message: 'it is not signed', evidence: [] };
    }
    const validUntil = new Date(now.getTime() + DAY);
    return { outcome: 'vouched', digest, refreshedAt: now, validUntil, stateVersion: '1', evidence: [] };
  }

  async close(): Promise<void> {
    this.held = undefined;
  }
}
