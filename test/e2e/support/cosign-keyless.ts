import { type Case, inBothForms, keyless, logged, main, type Refused, RELEASE, tagOne } from './cosign-case.ts';
import { until } from './until.ts';

const TIME_LIMIT_MS = 5_000;
/** proxy/verdicts.ts: how long a verdict answers the same question again. */
const VERDICT_REUSED_MS = 1_000;

export const KEYLESS_ADMITTED: readonly Case[] = [
  ...inBothForms((form) => ({
    what: 'an image signed keylessly by the identity that is wanted',
    id: 'keyless',
    authority: keyless(),
    make: logged(RELEASE, form),
    pulled: true,
  })),
  ...inBothForms((form) => ({
    what: 'an image signed keylessly by an identity of the pattern that is wanted',
    id: 'keyless-pattern',
    authority: keyless({ identity: 'https://git.example/acme/*', maxAge: '1h' }),
    make: logged(RELEASE, form),
  })),
  ...inBothForms((form) => ({
    what: 'an image signed with a key, and logged where that is wanted',
    id: 'key-logged',
    authority: (publisher) => ({ ...main({ log: true })(publisher), trustRoot: publisher.sigstore.trustedRoot }),
    make: logged('ecdsa-p256', form),
  })),
];

export const KEYLESS_REFUSED: readonly Refused[] = [
  ...inBothForms((form) => ({
    what: 'an image signed by an identity that only begins with the right one',
    id: 'keyless-longer',
    authority: keyless(),
    make: logged({ ...RELEASE, subject: `${RELEASE.subject}-of-a-thief` }, form),
    reason: 'IDENTITY_MISMATCH',
    pulled: true,
  })),
  ...inBothForms((form) => ({
    what: 'an image signed by the right identity of another issuer',
    id: 'keyless-issuer',
    authority: keyless(),
    make: logged({ ...RELEASE, issuer: 'https://issuer.example.thief.example' }, form),
    reason: 'IDENTITY_MISMATCH',
  })),
  ...inBothForms((form) => ({
    what: "an image signed by the right identity with another Sigstore's certificate",
    id: 'keyless-root',
    authority: keyless({ trustRoot: 'public-good' }),
    make: logged(RELEASE, form),
    reason: 'KEY_NOT_TRUSTED',
  })),
  ...inBothForms((form) => ({
    what: 'an image signed keylessly, where a key is wanted',
    id: 'keyless-key',
    authority: main(),
    make: logged(RELEASE, form),
    reason: 'KEY_NOT_TRUSTED',
  })),
  ...inBothForms((form) => ({
    what: 'an image signed with a key, where an identity is wanted',
    id: 'key-keyless',
    authority: keyless(),
    make: logged('ecdsa-p256', form),
    reason: 'KEY_NOT_TRUSTED',
  })),
  {
    what: 'a tag that went back to an image signed earlier',
    id: 'went-back',
    authority: keyless(),
    freshness: { noRollback: true },
    make: async (publisher, repository, pull) => {
      const { digest: older } = await logged(RELEASE, 'bundle')(publisher, repository);
      const signedIn = second();
      const newer = await publisher.push(repository, { message: 'newer' });
      // The log counts whole seconds.
      await until('the next second', TIME_LIMIT_MS, async () => second() > signedIn || undefined);
      await publisher.signLogged(repository, newer, RELEASE, 'bundle');
      await pull(':1');
      await publisher.moveTag(repository, '1', older);
      const forgottenAt = Date.now() + VERDICT_REUSED_MS;
      await until('another verdict', TIME_LIMIT_MS, async () => Date.now() > forgottenAt || undefined);
      return tagOne(older);
    },
    reason: 'METADATA_ROLLBACK',
    pulled: true,
  },
];

function second(): number {
  return Math.floor(Date.now() / 1000);
}
