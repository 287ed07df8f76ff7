import {
  attested,
  bothOf,
  BUILDER,
  type Refused,
  copied,
  inBothForms,
  main,
  PROVENANCE,
  signed,
  SLSA,
  tagOne,
} from './cosign-case.ts';

const REPORT = { type: 'https://scanner.example/report/v1', predicate: { findings: 0 } };

export const REFUSED: readonly Refused[] = [
  {
    what: 'an image that nobody signed',
    id: 'unsigned',
    cosign: 'ecdsa-p256',
    skopeo: 'ecdsa-p256',
    authority: main(),
    make: signed(),
    reason: 'NOT_SIGNED',
    pulled: true,
  },
  ...inBothForms((form) => ({
    what: 'an image signed with another key',
    id: 'wrong-key',
    cosign: 'ecdsa-p256',
    ...(form === 'tags' ? { skopeo: 'ecdsa-p256' } : {}),
    authority: main(),
    make: signed(['stranger', { form }]),
    reason: 'KEY_NOT_TRUSTED',
    pulled: true,
  })),
  ...inBothForms((form) => ({
    what: 'an image whose signature was tampered with',
    id: 'tampered',
    cosign: 'ecdsa-p256',
    ...(form === 'tags' ? { skopeo: 'ecdsa-p256' } : {}),
    authority: main(),
    make: async (publisher, repository) => {
      const asked = await signed(['ecdsa-p256', { form }])(publisher, repository);
      const kept = publisher.kept(repository);
      await (form === 'tags' ? kept.spoilTag(asked.digest) : kept.spoilBundles(asked.digest));
      return asked;
    },
    reason: 'KEY_NOT_TRUSTED',
    pulled: true,
  })),
  ...inBothForms((form) => ({
    what: 'a signed tag that was moved to an image nobody signed',
    id: 'moved',
    cosign: 'ecdsa-p256',
    ...(form === 'tags' ? { skopeo: 'ecdsa-p256' } : {}),
    authority: main(),
    make: async (publisher, repository) => {
      await signed(['ecdsa-p256', { form }])(publisher, repository);
      return tagOne(await publisher.push(repository, { message: 'of a thief' }));
    },
    reason: 'NOT_SIGNED',
    pulled: true,
  })),
  {
    what: "an image under which another image's signature tag was put",
    id: 'foreign-tags',
    cosign: 'ecdsa-p256',
    skopeo: 'ecdsa-p256',
    authority: main(),
    make: async (publisher, repository) => {
      const { digest } = await signed(['ecdsa-p256', { form: 'tags' }])(publisher, repository);
      const other = await publisher.push(repository, { message: 'of a thief' });
      await publisher.kept(repository).giveTag(digest, other);
      return tagOne(other);
    },
    reason: 'SUBJECT_MISMATCH',
  },
  ...[false, true].map(
    (rewrite) =>
      ({
        what: `an image under which another image's bundle was listed${rewrite ? ', and made to refer to it' : ''}`,
        id: `foreign-${rewrite ? 'rewritten' : 'listed'}`,
        cosign: 'ecdsa-p256',
        authority: main(),
        make: async (publisher, repository) => {
          const { digest } = await signed(['ecdsa-p256', { form: 'bundle' }])(publisher, repository);
          const other = await publisher.push(repository, { message: 'of a thief' });
          await publisher.kept(repository).giveBundles(digest, other, { rewrite });
          return tagOne(other);
        },
        reason: 'SUBJECT_MISMATCH',
      }) satisfies Refused,
  ),
  ...inBothForms((form) => ({
    what: 'a copy of a signed image in another repository, where the name is wanted',
    id: 'copy-named',
    ...(form === 'tags' ? { skopeo: 'ecdsa-p256' } : {}),
    authority: main({ reference: '{registry}/{repository}' }),
    make: copied(form),
    reason: 'SUBJECT_MISMATCH',
  })),
  {
    what: 'an image in a bundle, which names no repository, where the name is wanted',
    id: 'unnamed',
    authority: main({ reference: '{registry}/{repository}' }),
    make: signed(['ecdsa-p256', { form: 'bundle' }]),
    reason: 'SUBJECT_MISMATCH',
  },
  ...inBothForms((form) => ({
    what: 'an image signed with one of two keys',
    id: 'one-key',
    authority: bothOf,
    make: signed(['ecdsa-p256', { form }], ['stranger', { form }]),
    reason: 'SIGNERS_MISSING',
  })),
  {
    what: 'an image signed twice with one of two keys',
    id: 'one-key-twice',
    authority: bothOf,
    make: signed(['second', { form: 'tags' }], ['second', { form: 'bundle' }]),
    reason: 'SIGNERS_MISSING',
  },
  ...inBothForms((form) => ({
    what: 'an image signed with another annotation',
    id: 'annotated-otherwise',
    authority: main({ annotations: { stage: 'production' } }),
    make: signed(['ecdsa-p256', { form, annotations: { stage: 'production?' } }]),
    reason: 'SUBJECT_MISMATCH',
  })),
  ...inBothForms((form) => ({
    what: 'an image with a signed report, where a signature is wanted',
    id: 'report',
    authority: main(),
    make: attested('ecdsa-p256', { form, ...REPORT }),
    // The older form keeps attestations under a tag of their own, where no signature is looked for.
    reason: form === 'bundle' ? 'SUBJECT_MISMATCH' : 'NOT_SIGNED',
  })),
  ...inBothForms((form) => ({
    what: 'an image with provenance of another builder',
    id: 'other-builder',
    authority: main({ predicateType: SLSA, predicate: { [BUILDER]: 'https://builder.example/reviewed' } }),
    make: attested('ecdsa-p256', { form, type: 'slsaprovenance1', predicate: PROVENANCE }),
    reason: 'ATTESTATION_MISSING',
  })),
  ...inBothForms((form) => ({
    what: "an image with a stranger's provenance",
    id: 'strange-builder',
    authority: main({ predicateType: SLSA }),
    make: attested('stranger', { form, type: 'slsaprovenance1', predicate: PROVENANCE }),
    reason: 'KEY_NOT_TRUSTED',
  })),
  ...inBothForms((form) => ({
    what: 'an image with a signature and a report, where provenance is wanted',
    id: 'no-provenance',
    authority: main({ predicateType: SLSA }),
    make: async (publisher, repository) => {
      const asked = await attested('ecdsa-p256', { form, ...REPORT })(publisher, repository);
      await publisher.sign(repository, asked.digest, 'ecdsa-p256', { form });
      return asked;
    },
    reason: 'ATTESTATION_MISSING',
  })),
  ...inBothForms((form) => ({
    what: 'an index of which only the platforms are signed',
    id: 'platforms-only',
    authority: main(),
    make: async (publisher, repository) => {
      const { digest, members } = await publisher.pushIndex(repository);
      for (const member of members) await publisher.sign(repository, member, 'ecdsa-p256', { form });
      return tagOne(digest);
    },
    reason: 'NOT_SIGNED',
  })),
  {
    what: 'a platform of a signed index, by its digest, before the index was pulled',
    id: 'platform-first',
    authority: main(),
    make: async (publisher, repository) => {
      const { digest: index, members } = await publisher.pushIndex(repository);
      const [digest = ''] = members;
      await publisher.sign(repository, index, 'ecdsa-p256', { form: 'bundle' });
      return { reference: `@${digest}`, digest };
    },
    reason: 'NOT_SIGNED',
  },
  ...inBothForms((form) => ({
    what: 'an image whose signature is in no log, where one is wanted',
    id: 'unlogged',
    authority: main({ log: true }),
    make: signed(['ecdsa-p256', { form }]),
    reason: 'SIGNATURE_UNLOGGED',
  })),
  {
    what: 'an image that Docker Content Trust vouches for and cosign does not',
    id: 'notary-alone',
    authority: main(),
    notary: true,
    make: async (publisher, repository) => tagOne(await publisher.pushNotarised(repository)),
    reason: 'NOT_SIGNED',
  },
  {
    what: 'an image that cosign vouches for and Docker Content Trust does not',
    id: 'cosign-alone',
    authority: main(),
    notary: true,
    make: signed(['ecdsa-p256', { form: 'bundle' }]),
    reason: 'NOT_SIGNED',
  },
  {
    what: 'a tag that means one image to Docker Content Trust and another to cosign',
    id: 'disagreed',
    authority: main(),
    notary: true,
    make: async (publisher, repository) => {
      await publisher.pushNotarised(repository);
      const other = await publisher.push(repository, { message: 'signed by cosign alone' });
      await publisher.sign(repository, other, 'ecdsa-p256', { form: 'bundle' });
      return tagOne(other);
    },
    reason: 'NOT_SIGNED',
    pulled: true,
  },
];
