/** The type by which container runtimes know an image: image-spec, "OCI Image Configuration". */
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Sigstore, "Bundle Format": 0.3 under its own name, before that with the version as a parameter. */
const BUNDLES = ['application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.dev.sigstore.bundle+json'];
/** cosign, "Signature Specification": the payload that is signed; the signature is an annotation. */
const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
/** The kind of the same kept as a referrer (cosign's OCI 1.1 mode), where it also is the config's type. */
const COSIGN_SIGNATURE = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const DSSE = 'application/vnd.dsse.envelope.v1+json';
/** in-toto, "Attestation Bundle": a statement, signed or not. */
const IN_TOTO = 'application/vnd.in-toto+json';
/** Notary Project, "OCI Signatures": the kind and config, and the envelope that is JSON. The other, COSE, is not: it is left out. */
const NOTARY_PROJECT = 'application/vnd.cncf.notary.signature';
const JWS = 'application/jose+json';
/** Of the SBOMs only what is JSON: XML and plain text could be more than they say. */
const SBOMS = ['application/spdx+json', 'application/vnd.cyclonedx+json'];
/** image-spec, "Guidance for an Empty Descriptor": `{}`, where an artifact has no config. */
const EMPTY = 'application/vnd.oci.empty.v1+json';

/** What a manifest that refers to an image may be. Types without parameters, lower case. */
export const KINDS: ReadonlySet<string> = new Set([
  ...BUNDLES,
  COSIGN_SIGNATURE,
  DSSE,
  IN_TOTO,
  NOTARY_PROJECT,
  ...SBOMS,
]);

/** No runtime takes a manifest with one of these for an image. */
export const CONFIG_TYPES: ReadonlySet<string> = new Set([EMPTY, COSIGN_SIGNATURE, NOTARY_PROJECT]);

/** All of them JSON, which is looked at before anything is passed on. */
export const LAYER_TYPES: ReadonlySet<string> = new Set([...BUNDLES, SIMPLE_SIGNING, DSSE, IN_TOTO, JWS, ...SBOMS]);
