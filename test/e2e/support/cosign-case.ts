import { type Form, FORMS } from './cosign.ts';
import type { Identity } from './local-sigstore.ts';
import type { CosignPublisher, KeyName } from './cosign-publisher.ts';

/** An image as a publisher, or somebody else, left it in a repository of its own, and who must have signed it there. */
export interface Case {
  readonly what: string;
  /** Name of the repository, of its authority and of its rule's only image. */
  readonly id: string;
  /** The authority's entry without its type. */
  readonly authority: (publisher: CosignPublisher) => object;
  /** Answers what is asked for, `:1` or `@sha256:…`, and what it should be where it is admitted. */
  readonly make: (publisher: CosignPublisher, repository: string, pull: Pull) => Promise<Asked>;
  /** Whether Docker Content Trust must vouch for it too. */
  readonly notary?: true;
  /** What the rule says of freshness. */
  readonly freshness?: object;
  /** Whether every client is made to pull it, since how it is kept or refused may matter to them. */
  readonly pulled?: true;
  /** The key that cosign's own verifier is told to ask for, where it is to come to the same verdict. */
  readonly cosign?: KeyName;
  /** The same for skopeo's. */
  readonly skopeo?: KeyName;
}

export interface Refused extends Case {
  readonly reason: string;
}

/** Pulls the case's image through the gateway, while it is still made. */
type Pull = (reference: string) => Promise<void>;

type Making = (publisher: CosignPublisher, repository: string) => Promise<Asked>;

interface Asked {
  readonly reference: string;
  readonly digest: string;
}

export const SLSA = 'https://slsa.dev/provenance/v1';
export const BUILDER = 'runDetails.builder.id';
export const PROVENANCE = {
  buildDefinition: { buildType: 'https://builder.example/workflow', externalParameters: { source: 'acme/app' } },
  runDetails: { builder: { id: 'https://builder.example/hosted' } },
};

export const by =
  (key: KeyName, more: object = {}) =>
  ({ keys }: CosignPublisher) => ({ key: keys[key].public, ...more });
export const main = (more: object = {}) => by('ecdsa-p256', more);
export const bothOf = ({ keys }: CosignPublisher) => ({
  keys: [keys['ecdsa-p256'].public, keys.second.public],
  threshold: 2,
});
export const tagOne = (digest: string): Asked => ({ reference: ':1', digest });

/** Pushes an image, signs it as told, and asks for its tag. */
export const signed =
  (...signatures: readonly (readonly [KeyName, Parameters<CosignPublisher['sign']>[3]])[]): Making =>
  async (publisher, repository) => {
    const digest = await publisher.push(repository);
    for (const [key, options] of signatures) await publisher.sign(repository, digest, key, options);
    return tagOne(digest);
  };

/** Pushes an image, attests as told, and asks for its tag. */
export const attested =
  (key: KeyName, attestation: Parameters<CosignPublisher['attest']>[3]): Making =>
  async (publisher, repository) => {
    const digest = await publisher.push(repository);
    await publisher.attest(repository, digest, key, attestation);
    return tagOne(digest);
  };

/** One case for each form that cosign keeps signatures in. */
export function inBothForms<One extends Case>(make: (form: Form) => One): One[] {
  return FORMS.map((form) => {
    const made = make(form);
    return { ...made, what: `${made.what} (${form})`, id: `${made.id}-${form}` };
  });
}

/** Signs an image in one repository, and copies it with its signatures to another. */
export function copied(form: Form): Making {
  return async (publisher, repository) => {
    const original = `${repository}-original`;
    const { digest } = await signed(['ecdsa-p256', { form }])(publisher, original);
    await publisher.cosign.copy(publisher.at(original, `@${digest}`), publisher.at(repository, ':1'));
    if (form === 'bundle') await publisher.kept(original).copyBundles(digest, repository);
    return tagOne(digest);
  };
}

export const RELEASE: Identity = {
  issuer: 'https://issuer.example',
  subject: 'https://git.example/acme/app/.workflows/release.yml@refs/heads/main',
};

/** Pushes an image, has it signed and logged as told, and asks for its tag. */
export const logged =
  (signer: KeyName | Identity, form: Form): Making =>
  async (publisher, repository) => {
    const digest = await publisher.push(repository);
    await publisher.signLogged(repository, digest, signer, form);
    return tagOne(digest);
  };

/** The authority that wants the release's identity. */
export const keyless =
  (more: object = {}): Case['authority'] =>
  ({ sigstore }) => ({
    issuer: RELEASE.issuer,
    identity: RELEASE.subject,
    trustRoot: sigstore.trustedRoot,
    ...more,
  });
