import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Admissions } from '../cache/admissions.ts';
import { BlobStore } from '../cache/blob-store.ts';
import { DataFolder, DataFolderBusy } from '../cache/data-folder.ts';
import type { Config, RuleConfig } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import type { UpstreamName } from '../oci/reference.ts';
import type { AddressBook } from '../proxy/addressing.ts';
import { composeGateway, composePulls, type Gateway, type GatewayParts } from '../proxy/gateway.ts';
import type { ManifestPulls } from '../proxy/pull-manifest.ts';
import { Upstreams } from '../proxy/upstreams.ts';
import type { Authority } from '../trust/authority.ts';
import { Judge } from '../trust/judge.ts';
import { compilePattern, type Rule } from '../trust/rule.ts';
import { TagMemory } from '../trust/tag-memory.ts';
import { RegistryClient } from '../upstream/registry-client.ts';
import { openAuthority } from './open-authority.ts';
import { credentialsOf } from './read-credentials.ts';
import { sourcesThrough } from './signature-source.ts';

export interface Opened<Part> {
  readonly part: Part;
  /** Closes all that was opened, in reverse; the data folder last. */
  close(): Promise<void>;
}

type Closer = () => Promise<void> | void;

/** The whole gateway over a data folder that is its own from here on. @throws DataFolderBusy, and what the folder's state is wrong with */
export function openGateway(config: Config, log: Log, now: () => Date): Promise<Opened<Gateway>> {
  return opening(async (onClose) => {
    const folder = await DataFolder.claim(config.data, log);
    onClose(() => folder.release());
    const store = await BlobStore.open({ folder: config.data, maxSize: config.cache.maxSize, log, now });
    onClose(() => store.close());
    const admissions = await Admissions.open(config.data, log);
    onClose(() => admissions.close());
    const parts = await commonParts(config, { admissions, readOnly: false, log, now }, onClose);
    return composeGateway({ ...parts, store });
  });
}

/**
 * The deciding half, for one question. Beside a running gateway it reads that gateway's trust state and changes nothing; alone, it
 * owns the folder and keeps what it learns, rollback memory above all.
 */
export function openPulls(config: Config, log: Log, now: () => Date): Promise<Opened<ManifestPulls>> {
  return opening(async (onClose) => {
    const readOnly = !(await claimed(config, log, onClose));
    const admissions = readOnly ? Admissions.openBeside(config.data) : await Admissions.open(config.data, log);
    onClose(() => admissions.close());
    const parts = await commonParts(config, { admissions, readOnly, log, now }, onClose);
    // Content comes from the upstream itself: what a person verifies is what would be pulled now, not what once was.
    return composePulls({ ...parts, store: { readAll: async () => undefined, put: async () => undefined } }).manifests;
  });
}

async function claimed(config: Config, log: Log, onClose: (closer: Closer) => void): Promise<boolean> {
  try {
    const folder = await DataFolder.claim(config.data, log);
    onClose(() => folder.release());
    return true;
  } catch (error) {
    if (!(error instanceof DataFolderBusy)) throw error;
    return false;
  }
}

async function opening<Part>(open: (onClose: (closer: Closer) => void) => Promise<Part>): Promise<Opened<Part>> {
  const closers: Closer[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { part: await open((closer) => closers.push(closer)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function commonParts(
  config: Config,
  { admissions, readOnly, log, now }: { admissions: Admissions; readOnly: boolean; log: Log; now: () => Date },
  onClose: (closer: Closer) => void,
): Promise<Omit<GatewayParts, 'store'>> {
  const clients = new Map<UpstreamName, RegistryClient>();
  for (const { name, url, ca, credentials, tokenHosts } of config.upstreams) {
    const pem = ca === undefined ? {} : { ca: await readFile(ca, 'utf8') };
    const client = new RegistryClient({
      name,
      url,
      ...pem,
      credentials: credentialsOf(credentials),
      tokenHosts,
      log,
      now,
    });
    clients.set(name, client);
    onClose(() => client.close());
  }
  const authorities: Authority[] = [];
  const sources = sourcesThrough(clients);
  for (const authority of config.authorities) {
    const folder = join(config.data, 'trust', encodeURIComponent(authority.name));
    const opened = await openAuthority(authority, { folder, readOnly, log, now, sources });
    authorities.push(opened.part);
    onClose(() => opened.close());
  }
  // No authority has a name that begins with a dot.
  const tags = new TagMemory(join(config.data, 'trust', '.tags'), { readOnly });
  const judge = new Judge(config.policy.map(ruleOf), authorities, log, tags);
  return {
    judge,
    upstreams: new Upstreams(clients),
    addresses: addressesOf(config),
    admissions,
    pullWindow: config.pullWindow,
    log,
    now,
  };
}

function ruleOf(rule: RuleConfig, at: number): Rule {
  const { images, require, mode, unsafeAllowUnsigned, maxAge, noRollback } = rule;
  return {
    id: `policy[${at}]`,
    patterns: images.map(compilePattern),
    ...(require === undefined ? {} : { require }),
    mode,
    unsafeAllowUnsigned,
    maxAge,
    noRollback,
  };
}

export function addressesOf(config: Config): AddressBook {
  return {
    upstreams: config.upstreams.map(({ name }) => name),
    defaultUpstream: config.defaultUpstream,
    hosts: new Map(config.upstreams.flatMap(({ name, hosts }) => hosts.map((host) => [host, name] as const))),
  };
}
