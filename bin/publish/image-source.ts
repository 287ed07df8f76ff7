import type { AuthorityConfig, Config } from '../../config/config.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageName, Reference, UpstreamName } from '../../oci/reference.ts';
import { addressOf } from '../../proxy/addressing.ts';
import { targetPath, type Upstream } from '../../publish/image-target.ts';
import { messageOf, PublishError } from '../../publish/publish-error.ts';
import type { Authority } from '../../trust/authority.ts';
import type { RegistryClient } from '../../upstream/registry-client.ts';
import { makeLog } from '../log.ts';
import { openAuthority, placesOf } from '../open-authority.ts';
import { TrustedRoots } from '../trusted-roots.ts';
import { addressesOf } from '../open-gateway.ts';
import { openUpstreams } from '../open-upstreams.ts';
import { parseImage } from '../verify.ts';

/** Where images come from: the registries and authorities of the configuration, asked as the gateway would. */
export interface ImageSource {
  /** A name as people write it. @throws RegistryError, DeniedError */
  parse(text: string): { readonly name: ImageName; readonly reference: Reference };
  pathOf(text: string): string;
  upstream(name: ImageName): Upstream;
  /** A line for each authority: what it says of this digest. Never throws. */
  signedBy(name: ImageName, digest: Digest): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Long enough ago to be let through by any authority that was ever asked: what it says is for a person. Milliseconds. */
const ANY_AGE = 10 * 365 * 86_400_000;

export async function openImageSource(config: Config): Promise<ImageSource> {
  const log = makeLog('silent');
  const now = () => new Date();
  const closers: (() => void)[] = [];
  const clients = await openUpstreams(config, log, now, (closer) => closers.push(closer));
  const parse = (text: string) => {
    const { path, reference } = parseImage(text);
    return { name: addressOf(addressesOf(config), { host: undefined, ns: undefined, path }), reference };
  };
  return {
    parse,
    pathOf: (text) => {
      const { name, reference } = parse(text);
      return targetPath(name, reference);
    },
    upstream: (name) => {
      const client = clients.get(name.upstream);
      if (client === undefined) throw new PublishError(`no upstream is configured for ${name.upstream}`);
      return client;
    },
    signedBy: (name, digest) =>
      Promise.all(config.authorities.map((authority) => said(config, clients, authority, name, digest))),
    close: async () => {
      for (const closer of closers) closer();
    },
  };
}

async function said(
  { data }: Config,
  registries: ReadonlyMap<UpstreamName, RegistryClient>,
  written: AuthorityConfig,
  name: ImageName,
  digest: Digest,
): Promise<string> {
  try {
    // Beside a running gateway, whose trust state this must not touch.
    const common = { readOnly: true, log: makeLog('silent'), now: () => new Date() };
    const roots = new TrustedRoots({ data, ...common });
    const opened = await openAuthority(written, { ...placesOf(data, written.name), registries, roots, ...common });
    try {
      return await asked(opened.part, name, digest);
    } finally {
      await opened.close();
      await roots.close();
    }
  } catch (error) {
    return `${written.name} cannot tell: ${messageOf(error)}`;
  }
}

async function asked(authority: Authority, name: ImageName, digest: Digest): Promise<string> {
  const reference: Reference = { kind: 'digest', digest };
  const finding = await authority.judge({ name, reference, now: new Date(), maxAge: ANY_AGE });
  switch (finding.outcome) {
    case 'vouched':
      return `${authority.name} vouches for it: ${finding.evidence.map(({ text }) => text).join('; ')}`;
    case 'refused':
      return `${authority.name} does not vouch for it: ${finding.message}`;
    case 'undetermined':
      return `${authority.name} cannot tell: ${finding.message}`;
  }
}
