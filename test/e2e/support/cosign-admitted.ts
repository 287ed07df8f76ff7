import type { KeyKind } from './cosign.ts';
import {
  attested,
  bothOf,
  BUILDER,
  by,
  type Case,
  copied,
  inBothForms,
  main,
  PROVENANCE,
  signed,
  SLSA,
  tagOne,
} from './cosign-case.ts';
import { UPSTREAM } from './stage.ts';

const KINDS = ['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048'] as const satisfies readonly KeyKind[];

/** skopeo hashes for every curve with SHA-256, and knows Ed25519 without the prehash only: what cosign 3 signs with the others it refuses. */
const SKOPEO_KINDS: ReadonlySet<KeyKind> = new Set(['ecdsa-p256', 'rsa-2048']);

export const ADMITTED: readonly Case[] = [
  ...KINDS.flatMap((kind) =>
    inBothForms((form) => ({
      what: `an image signed with a key of ${kind}`,
      id: kind,
      authority: by(kind),
      make: signed([kind, { form }]),
      ...(kind === 'ecdsa-p256' ? { pulled: true } : {}),
      // cosign 3.1.3 signs with the prehash, and verifies without: it refuses what it signed itself.
      ...(kind === 'ed25519' ? {} : { cosign: kind }),
      ...(form === 'tags' && SKOPEO_KINDS.has(kind) ? { skopeo: kind } : {}),
    })),
  ),
  ...inBothForms((form) => ({
    what: 'an image with the provenance that is wanted',
    id: 'provenance',
    authority: main({ predicateType: SLSA, predicate: { [BUILDER]: 'https://builder.example/*' } }),
    make: attested('ecdsa-p256', { form, type: 'slsaprovenance1', predicate: PROVENANCE }),
  })),
  ...inBothForms((form) => ({
    what: 'an image signed with both of two keys',
    id: 'two-keys',
    authority: bothOf,
    make: signed(['ecdsa-p256', { form }], ['second', { form }]),
  })),
  {
    what: 'an image signed with one key in the old form and with the other in the new one',
    id: 'two-forms',
    authority: bothOf,
    make: signed(['ecdsa-p256', { form: 'tags' }], ['second', { form: 'bundle' }]),
  },
  {
    what: 'an image whose signature stands beside that of a stranger',
    id: 'beside-a-stranger',
    // cosign looks at tags only where there is no bundle, not even a stranger's.
    skopeo: 'ecdsa-p256',
    authority: main(),
    make: signed(['ecdsa-p256', { form: 'tags' }], ['stranger', { form: 'tags' }], ['stranger', { form: 'bundle' }]),
  },
  ...inBothForms((form) => ({
    what: 'an image signed with the annotation that is wanted',
    id: 'annotated',
    authority: main({ annotations: { stage: 'production' } }),
    make: signed(['ecdsa-p256', { form, annotations: { stage: 'production', run: '7' } }]),
  })),
  {
    what: 'an image signed under the name that is wanted',
    id: 'named',
    authority: main({ reference: '{registry}/{repository}' }),
    make: (publisher, repository) =>
      signed(['ecdsa-p256', { form: 'tags', identity: `${UPSTREAM}/${repository}` }])(publisher, repository),
  },
  ...inBothForms((form) => ({
    what: 'an image whose signatures are kept in another repository',
    id: 'kept-elsewhere',
    authority: main({ repository: `${UPSTREAM}/acme/signatures-${form}` }),
    make: (publisher, repository) => {
      const kept = publisher.at(`acme/signatures-${form}`, '');
      return signed(['ecdsa-p256', { form, repository: kept }])(publisher, repository);
    },
  })),
  ...inBothForms((form) => ({
    what: 'an index that is signed, its platforms not',
    id: 'index',
    authority: main(),
    pulled: true,
    make: async (publisher, repository) => {
      const { digest } = await publisher.pushIndex(repository);
      await publisher.sign(repository, digest, 'ecdsa-p256', { form });
      return tagOne(digest);
    },
  })),
  {
    what: 'the one platform of an index that is signed, by its digest',
    id: 'platform',
    authority: main(),
    make: async (publisher, repository) => {
      const [digest = ''] = (await publisher.pushIndex(repository)).members;
      await publisher.sign(repository, digest, 'ecdsa-p256', { form: 'bundle' });
      return { reference: `@${digest}`, digest };
    },
  },
  ...inBothForms((form) => ({
    what: 'a copy of a signed image in another repository, where no name is wanted',
    id: 'copy',
    authority: main(),
    make: copied(form),
  })),
  ...inBothForms((form) => ({
    what: 'an image that Docker Content Trust and cosign vouch for',
    id: 'agreed',
    authority: main(),
    notary: true,
    pulled: true,
    make: async (publisher, repository) => {
      const digest = await publisher.pushNotarised(repository);
      await publisher.sign(repository, digest, 'ecdsa-p256', { form });
      return tagOne(digest);
    },
  })),
  {
    what: 'the image that Docker Content Trust means by a tag, which the registry moved to an older one that cosign signed as well',
    id: 'rolled-back',
    authority: main(),
    notary: true,
    pulled: true,
    make: async (publisher, repository) => {
      const older = await publisher.push(repository, { tag: '0', message: 'older' });
      const digest = await publisher.pushNotarised(repository);
      for (const one of [older, digest]) await publisher.sign(repository, one, 'ecdsa-p256', { form: 'bundle' });
      await publisher.moveTag(repository, '1', older);
      return tagOne(digest);
    },
  },
];
