/** What somebody on the way to the metadata, or with a stolen key, can show a gateway: all of it signed by the real publisher. */
import assert from 'node:assert/strict';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { clockAhead } from './support/clock.ts';
import { DockerRegistry } from './support/docker-registry.ts';
import { Gateway } from './support/gateway.ts';
import { fileOf, Moments, newest, withFiles } from './support/moments.ts';
import { once } from './support/once.ts';
import { pushSmallImage } from './support/small-image.ts';
import { findTool } from './support/tool.ts';
import { until } from './support/until.ts';
import { makeKey, type Moment, type Periods, Vouching } from './support/vouching.ts';
import { Workspace } from './support/workspace.ts';

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

/** A running gateway says how it is every fifteen seconds. */
const SAID_LIMIT_MS = 40_000;

const LONG: Periods = { root: '90d', targets: '90d', snapshot: '90d', timestamp: '90d' };

const workspace = await Workspace.open();
after(() => workspace.close());
const skip = findTool('docker-registry').missing ?? false;
const NO_OTHER_CLOCK = findTool('faketime').missing ?? false;

const registry = once(() => DockerRegistry.start(workspace));
const moments = once(() => Moments.start(workspace));
const upstreams = once(async () => ({ corp: { url: (await registry()).url } }));
const alice = once(() => makeKey(workspace, 'alice'));

/** The images: two that are vouched for, and one that a thief would like to be. */
const images = once(async () => ({
  app: await pushSmallImage(await registry(), 'acme/app', '1', 'vouched for'),
  team: await pushSmallImage(await registry(), 'team/app', '1', 'from the team'),
  evil: await pushSmallImage(await registry(), 'acme/app', 'evil', 'what nobody vouched for'),
  next: await pushSmallImage(await registry(), 'acme/app', '2', 'the next one'),
}));

/** A repository that has gone on three times: `old`, then its list of images, then the team's, then its root. */
const history = once(async () => {
  await images();
  const live = await Vouching.found(workspace, await upstreams());
  await live.vouch('corp/acme/app:1');
  await live.tuf('delegate', 'corp/team/*', (await alice()).pub, '--name', 'team');
  await live.vouch('corp/team/app:1', '--role', 'team', '--key', (await alice()).key);
  const old = await live.copy();
  await live.vouch('corp/acme/app:2');
  const middle = await live.copy();
  await live.tuf('renew', 'team', '--key', (await alice()).key);
  const last = await live.copy();
  // The thief's copy of the machine is `last`: the targets key in it is what this root takes out of force.
  await live.tuf('rotate', 'targets', '--yes');
  return { root: live.root, live, old, middle, last };
});
