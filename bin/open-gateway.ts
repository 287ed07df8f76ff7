import { join } from 'node:path';
import { Admissions } from '../cache/admissions.ts';
import { BlobStore } from '../cache/blob-store.ts';
import { DataFolder, DataFolderBusy } from '../cache/data-folder.ts';
import type { Config, RuleConfig } from '../config/config.ts';
import type { Log } from '../oci/log.ts';
import type { AddressBook } from '../proxy/addressing.ts';
import { composeGateway, composePulls, type Gateway, type GatewayParts } from '../proxy/gateway.ts';
import type { ManifestPulls } from '../proxy/pull-manifest.ts';
import { Upstreams } from '../proxy/upstreams.ts';
import type { Authority } from '../trust/authority.ts';
import { Judge } from '../trust/judge.ts';
import { compilePattern, type Rule } from '../trust/rule.ts';
import { TagMemory } from '../trust/tag-memory.ts';
import { type AuthoritySurroundings, openAuthority, placesOf } from './open-authority.ts';
import { openUpstreams } from './open-upstreams.ts';
import { TrustedRoots } from './trusted-roots.ts';

export interface Opened<Part> {
  readonly part: Part;
  /** Closes all that was opened, in reverse; the data folder last. */
  close(): Promise<void>;
}

type Closer = () => Promise<void> | void;

/** A gateway with what looks after it needs. */
export interface OpenGateway extends Gateway {
  readonly authorities: readonly Authority[];
  /** Not refreshed in the background until they are started. */
  readonly roots: TrustedRoots;
  readonly folder: DataFolder;
}

/** The whole gateway over a data folder that is its own from here on. @throws DataFolderBusy, and what the folder's state is wrong with */
export function openGateway(config: Config, log: Log, now: () => Date): Promise<Opened<OpenGateway>> {
  return opening(async (onClose) => {
    const folder = await DataFolder.claim(config.data, log);
    onClose(() => folder.release());
    const store = await BlobStore.open({ folder: config.data, maxSize: config.cache.maxSize, log, now });
    onClose(() => store.close());
    const admissions = await Admissions.open(config.data, log);
    onClose(() => admissions.close());
    const roots = new TrustedRoots({ data: config.data, readOnly: false, log, now });
    onClose(() => roots.close());
    const parts = await commonParts(config, { admissions, roots, readOnly: false, log, now }, onClose);
    return { ...composeGateway({ ...parts, store }), authorities: parts.judge.authorities, roots, folder };
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
    const roots = new TrustedRoots({ data: config.data, readOnly, log, now });
    onClose(() => roots.close());
    const parts = await commonParts(config, { admissions, roots, readOnly, log, now }, onClose);
    // Content comes from the upstream itself: what a person verifies is what would be pulled now, not what once was.
    return composePulls({ ...parts, store: { readAll: async () => undefined, put: async () => undefined } }).manifests;
  });
}

/** The authorities over the trust on disk, of which they change nothing; the folder may be another process's. */
export function openTrust(config: Config, log: Log, now: () => Date): Promise<Opened<readonly Authority[]>> {
  return opening(async (onClose) => {
    const registries = await openUpstreams(config, log, now, onClose);
    const roots = new TrustedRoots({ data: config.data, readOnly: true, log, now });
    onClose(() => roots.close());
    return await openAuthorities(config, { registries, roots, readOnly: true, log, now }, onClose);
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
  {
    admissions,
    ...around
  }: Omit<AuthoritySurroundings, 'folder' | 'floors' | 'registries'> & { admissions: Admissions },
  onClose: (closer: Closer) => void,
): Promise<Omit<GatewayParts, 'store'>> {
  const { readOnly, log, now } = around;
  const clients = await openUpstreams(config, log, now, onClose);
  const authorities = await openAuthorities(config, { registries: clients, ...around }, onClose);
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

async function openAuthorities(
  config: Config,
  around: Omit<AuthoritySurroundings, 'folder' | 'floors'>,
  onClose: (closer: Closer) => void,
): Promise<readonly Authority[]> {
  const authorities: Authority[] = [];
  for (const authority of config.authorities) {
    const opened = await openAuthority(authority, { ...placesOf(config.data, authority.name), ...around });
    authorities.push(opened.part);
    onClose(() => opened.close());
  }
  return authorities;
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
