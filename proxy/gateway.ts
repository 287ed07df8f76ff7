import type Koa from 'koa';
import type { Admissions } from '../cache/admissions.ts';
import type { BlobStore } from '../cache/blob-store.ts';
import { ManifestMemory } from '../cache/manifest-memory.ts';
import { MaterialMemory } from '../cache/material-memory.ts';
import { PullWindow } from '../cache/pull-window.ts';
import { Recent } from '../cache/recent.ts';
import type { Log } from '../oci/log.ts';
import type { Judge } from '../trust/judge.ts';
import type { SignatureMaterial } from '../trust/signature-material.ts';
import type { Verdict } from '../trust/verdict.ts';
import type { AddressBook } from './addressing.ts';
import { gatewayApp } from './app.ts';
import { KnownWays } from './known-ways.ts';
import { ReferrerLists } from './list-referrers.ts';
import { TagLists } from './list-tags.ts';
import { Manifests } from './manifests.ts';
import { BlobPulls } from './pull-blob.ts';
import { ManifestPulls } from './pull-manifest.ts';
import { Search } from './search.ts';
import { SignatureMaterials } from './signature-material.ts';
import type { SignedWalk } from './signed-walk.ts';
import type { Upstreams } from './upstreams.ts';
import { Verdicts } from './verdicts.ts';

export interface GatewayParts {
  readonly judge: Judge;
  readonly upstreams: Upstreams;
  readonly addresses: AddressBook;
  readonly admissions: Admissions;
  readonly store: BlobStore;
  /** How long blobs of a served manifest need no new verdict, in milliseconds. */
  readonly pullWindow: number;
  readonly log: Log;
  readonly now: () => Date;
}

/** What one command or one server needs of the gateway: the pulls, and the applications that serve them. */
export interface Gateway {
  readonly manifests: ManifestPulls;
  readonly app: Koa;
  /** The same pulls, for listeners that clients use as a mirror. */
  readonly mirrorApp: Koa;
}

const REFUSALS_KEPT = 1000;
const VERDICTS_KEPT = 10_000;
/** Repositories whose walks are remembered; one that is forgotten may be walked through anew. */
const WALKS_KEPT = 1000;
/** Of what may be signature material; they may hold its manifest, of 4 MiB at the most. */
const LOOKS_KEPT = 16;
const TEXTS_KEPT = 10_000;
const MANIFEST_MEMORY = 64 * 1024 * 1024;

/** Verdicts and manifests: what one question needs. */
export interface Pulls {
  readonly known: KnownWays;
  readonly verdicts: Verdicts;
  readonly search: Search;
  readonly window: PullWindow;
  readonly manifests: ManifestPulls;
}

export function composePulls(
  parts: Omit<GatewayParts, 'store'> & { store: Pick<BlobStore, 'readAll' | 'put'> },
): Pulls {
  const { judge, upstreams, admissions, store, now, log } = parts;
  const window = new PullWindow(parts.pullWindow, now);
  const recent = new Recent<Verdict>(VERDICTS_KEPT, now);
  const known = new KnownWays({ judge, admissions, upstreams, recent, now, log });
  const contents = new Manifests({
    memory: new ManifestMemory(MANIFEST_MEMORY),
    store,
    upstreams,
    flights: new Recent(REFUSALS_KEPT, now),
    now,
    log,
  });
  const walks = new Recent<SignedWalk>(WALKS_KEPT, now);
  const search = new Search({ judge, known, manifests: contents, admissions, walks, now, log });
  const verdicts = new Verdicts({ known, search, recent, now });
  const manifests = new ManifestPulls({ verdicts, manifests: contents, admissions, window, log });
  return { known, verdicts, search, window, manifests };
}

/** Puts the parts together. The only place that knows all of them. */
export function composeGateway(parts: GatewayParts): Gateway {
  const { judge, upstreams, admissions, store, log, addresses, now } = parts;
  const { known, verdicts, search, window, manifests } = composePulls(parts);
  const rules = judge.rules;
  const blobs = new BlobPulls({ rules, verdicts, search, admissions, window, store, upstreams, log });
  const memory = new MaterialMemory<SignatureMaterial>();
  const material = new SignatureMaterials({
    known,
    verdicts,
    upstreams,
    admissions,
    blobs,
    memory,
    window: new PullWindow(parts.pullWindow, now),
    looks: new Recent(LOOKS_KEPT, now),
    texts: new Recent(TEXTS_KEPT, now),
    now,
  });
  const stories = {
    addresses,
    manifests,
    blobs,
    material,
    tags: new TagLists({ rules, verdicts, upstreams }),
    referrers: new ReferrerLists({ verdicts, upstreams, material: memory }),
  };
  return { manifests, app: gatewayApp(stories, log, 'registry'), mirrorApp: gatewayApp(stories, log, 'mirror') };
}
