/** What somebody on the way to the metadata, or with a stolen key, can show a gateway: all of it signed by the real publisher. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { clockAhead } from './support/clock.ts';
import type { Denial, Gateway } from './support/gateway.ts';
import { fileOf, withFiles } from './support/moments.ts';
import { once } from './support/once.ts';
import { findTool } from './support/tool.ts';
import { until } from './support/until.ts';
import { type History, VouchedStage } from './support/vouched-history.ts';
import type { Moment, Periods, Vouching } from './support/vouching.ts';
import { Workspace } from './support/workspace.ts';

/** A gateway that runs sees a change after `refresh`, one second here; this is only where a test gives up. */
const SEEN_LIMIT_MS = 20_000;

/** A running gateway says how it is every fifteen seconds. */
const SAID_LIMIT_MS = 40_000;

const workspace = await Workspace.open();
after(() => workspace.close());
const skip = findTool('docker-registry').missing ?? false;
const NO_OTHER_CLOCK = findTool('faketime').missing ?? false;
const stage = once(() => VouchedStage.start(workspace));
const history = once(async () => (await stage()).history());

interface Case {
  /** Of the authority that is attacked, and of the upstream whose images it vouches for. */
  readonly name: string;
  readonly cause: string;
  /** What the gateway has seen before, and admitted the image by; left out, the attack is the first it sees. */
  readonly seen?: keyof History & ('middle' | 'last' | 'live');
  readonly attack: (history: History) => Promise<Moment>;
  readonly image?: 'acme/app' | 'team/app';
  readonly status?: number;
  readonly reason: string;
  readonly says: RegExp;
  readonly maxAge?: string;
}

const CASES: readonly Case[] = [
  {
    name: 'old-timestamp',
    cause: 'an older moment as a whole',
    seen: 'last',
    attack: ({ middle }) => middle.moment(),
    reason: 'METADATA_ROLLBACK',
    says: /timestamp: expected version 6 or later, which was seen before, got version 5/,
  },
  {
    name: 'old-snapshot',
    cause: 'a newer timestamp over an older snapshot, from a backup that went on',
    seen: 'last',
    attack: ({ middle }) =>
      wentOn(middle, async (copy) => {
        for (const timestamp of ['10d', '90d']) {
          await copy.signsFor({ root: '365d', targets: '90d', snapshot: '14d', timestamp });
          await copy.tuf('refresh');
        }
      }),
    reason: 'METADATA_ROLLBACK',
    says: /snapshot: expected version 6 or later, which was seen before, got version 5/,
  },
  {
    name: 'old-targets',
    cause: 'a newer timestamp and snapshot over older targets, from a backup that went on',
    seen: 'middle',
    attack: ({ old }) =>
      wentOn(old, async (copy) => {
        await copy.tuf('refresh', '--force');
        await copy.tuf('refresh', '--force');
      }),
    reason: 'METADATA_ROLLBACK',
    says: /targets: expected version 4 or later, which was seen before, got version 3/,
  },
  {
    name: 'old-team',
    cause: 'all newer but an older delegated role, from a backup that went on',
    seen: 'last',
    attack: ({ middle }) =>
      wentOn(middle, async (copy) => {
        await copy.tuf('renew', 'targets');
        await copy.tuf('refresh', '--force');
      }),
    image: 'team/app',
    reason: 'METADATA_ROLLBACK',
    says: /team: expected version 2 or later, which was seen before, got version 1/,
  },
  {
    name: 'old-root',
    cause: 'an older root as the next one',
    seen: 'live',
    attack: async ({ live }) => {
      const moment = await live.moment();
      return withFiles(moment, { '3.root.json': fileOf(moment, '1.root.json') });
    },
    reason: 'METADATA_MISMATCH',
    says: /root/,
  },
  {
    name: 'frozen',
    cause: 'the same timestamp for longer than maxAge, though it has a day to live',
    seen: 'last',
    attack: ({ last }) => last.moment(),
    status: 503,
    reason: 'TRUST_STALE',
    says: /timestamp 6 has not been renewed since/,
    maxAge: '2s',
  },
  mixed('snapshot', '6.snapshot.json', '5.snapshot.json'),
  mixed('targets', '4.targets.json', '3.targets.json'),
  { ...mixed('team', '2.team.json', '1.team.json'), image: 'team/app' },
  {
    name: 'stolen',
    cause: 'what a thief signs with the targets key that a root replaced, to who has seen that root',
    seen: 'live',
    attack: ({ thief }) => thief.moment(),
    reason: 'SIGNATURE_INVALID',
    says: /targets/,
  },
  {
    name: 'stolen-root',
    cause: 'what a thief signs with the targets key that a root replaced, beside that root',
    attack: async ({ live, thief }) =>
      withFiles(await thief.moment(), { '2.root.json': await live.read('metadata', '2.root.json') }),
    reason: 'SIGNATURE_INVALID',
    says: /targets/,
  },
];

function mixed(role: string, name: string, older: string): Case {
  return {
    name: `mixed-${role}`,
    cause: `the ${role} of another moment under the name of this one's`,
    attack: async ({ last }) => {
      const moment = await last.moment();
      return withFiles(moment, { [name]: fileOf(moment, older) });
    },
    reason: 'METADATA_MISMATCH',
    says: new RegExp(role),
  };
}

/** Shown what the thief signed, by who knows nothing of the new root: the control for the cases `stolen`. */
const UNAWARE = 'unaware';

/** All attacks at once, on one gateway: each with an authority of its own. */
const attacked = once(async () => {
  const { moments, images, founding } = await stage();
  const watching = [...CASES, { name: UNAWARE }];
  const [gate, { thief }] = await Promise.all([
    (await stage()).gateway(watching, (await founding()).live.root),
    history(),
  ]);
  moments.show(UNAWARE, await thief.moment());
  const denials = new Map(CASES.map((one) => [one.name, attack(gate, one)] as const));
  // One that is not denied is a failure of its own test only.
  await Promise.allSettled(denials.values());
  return { gate, denials, images: await images() };
});

async function attack(gate: Gateway, { name, image = 'acme/app', seen, attack: bend }: Case): Promise<Denial> {
  const [{ moments, images }, past] = [await stage(), await history()];
  const shown = await bend(past);
  if (seen !== undefined) {
    moments.show(name, await past[seen].moment());
    const { status, headers } = await gate.manifest(`${name}/${image}`, '1');
    assert.deepEqual([status, headers['docker-content-digest']], [200, (await images())[`${image}:1`]], name);
  }
  moments.show(name, shown);
  return await until(`${name} to be denied`, SEEN_LIMIT_MS, async () =>
    (await gate.manifest(`${name}/${image}`, '1', 'HEAD')).status === 200
      ? undefined
      : await gate.denial(`${name}/${image}:1`),
  );
}

/** What a backup comes to, when its keys go on signing. */
async function wentOn(from: Vouching, work: (copy: Vouching) => Promise<void>): Promise<Moment> {
  const copy = await from.copy();
  await work(copy);
  return await copy.moment();
}

for (const { name, cause, status = 403, reason, says, image = 'acme/app' } of CASES) {
  test(`${cause}: denied with ${status} and ${reason}, by tag and by digest`, { skip }, async () => {
    const { gate, denials, images } = await attacked();
    const byTag = await denials.get(name);
    const byDigest = await gate.denial(`${name}/${image}@${images[`${image}:1`]}`);
    for (const denial of [byTag ?? assert.fail('expected a denial'), byDigest]) {
      const code = status === 403 ? 'DENIED' : 'UNAVAILABLE';
      assert.deepEqual([denial.status, denial.code, denial.reason], [status, code, reason], denial.message);
      assert.match(denial.message, says);
    }
  });
}

test('what the thief signed is admitted by who has not heard of the new root, and by nobody else', {
  skip,
}, async () => {
  const { gate, images } = await attacked();
  const { status, headers } = await gate.manifest(`${UNAWARE}/acme/app`, 'evil');
  assert.deepEqual([status, headers['docker-content-digest']], [200, images['acme/app:evil']]);
  for (const name of ['stolen', 'stolen-root']) {
    assert.equal((await gate.denial(`${name}/acme/app:evil`)).reason, 'SIGNATURE_INVALID');
  }
});

test('a delegated role that is another takes only its own images with it; a snapshot with an older one, all', {
  skip,
}, async () => {
  const { gate } = await attacked();
  assert.equal((await gate.manifest('mixed-team/acme/app', '1')).status, 200);
  assert.equal((await gate.denial('old-team/acme/app:1')).reason, 'METADATA_ROLLBACK');
});

const LONG: Periods = { root: '90d', targets: '90d', snapshot: '90d', timestamp: '90d' };
const EXPIRING = ['root', 'timestamp', 'snapshot', 'targets', 'team'] as const;

/** Each role signed for a day and the others for long, by the publisher's own settings; pulled while all was well, then it is two days later. */
const aged = once(async () => {
  const [{ moments }, { last, team }] = [await stage(), await history()];
  const renewals = { root: [], targets: [], team: ['--key', team.key], snapshot: ['--force'], timestamp: ['--force'] };
  const gate = await (await stage()).gateway(
    EXPIRING.map((name) => ({ name, maxAge: '90d' })),
    last.root,
  );
  const pulls = EXPIRING.map(async (role) => {
    const period = role === 'team' ? 'targets' : role;
    const command = role === 'snapshot' || role === 'timestamp' ? ['refresh'] : ['renew', role];
    const renew = async (copy: Vouching) => {
      await copy.signsFor({ ...LONG, [period]: '1d' });
      await copy.tuf(command[0] ?? '', ...command.slice(1), ...renewals[role]);
      await copy.signsFor(LONG);
      // The root alone changes nothing below it: the timestamp has to outlive it all the same.
      if (role === 'root') await copy.tuf('refresh', '--force');
    };
    moments.show(role, await wentOn(last, renew));
    return await gate.pull(`${role}/${imageOf(role)}`, '1');
  });
  await Promise.all(pulls);
  await gate.restart(await clockAhead('+2d'));
  return gate;
});

for (const role of EXPIRING) {
  test(`an image of which the ${role} has expired is denied with METADATA_EXPIRED, though all of it is in the cache`, {
    skip: skip || NO_OTHER_CLOCK,
  }, async () => {
    const denial = await (await aged()).denial(`${role}/${imageOf(role)}:1`);
    assert.deepEqual([denial.status, denial.reason], [403, 'METADATA_EXPIRED'], denial.message);
    assert.match(denial.message, new RegExp(`${role} expired \\d{4}-\\d\\d-\\d\\dT`));
  });
}

test('docklock status says of each what is wrong, with exit code 2; /readyz warns and stays ready', {
  skip,
}, async () => {
  const { gate } = await attacked();
  const failing = CASES.filter(({ name, image }) => name !== 'frozen' && image !== 'team/app');
  for (const { name } of CASES) await gate.manifest(`${name}/acme/app`, '1', 'HEAD');
  const { code, stdout } = await until('the gateway to tell of every attack', SAID_LIMIT_MS, async () => {
    const status = await gate.status();
    return failing.every(({ reason }) => status.stdout.includes(`[${reason}]`)) ? status : undefined;
  });
  assert.equal(code, 2, stdout);
  const { status, body } = await gate.ask('GET', '/readyz');
  assert.equal(status, 200);
  const { warnings } = JSON.parse(body.toString('utf8'));
  for (const { name } of failing) assert.match(JSON.stringify(warnings), new RegExp(`"${name}\\b`));
});

test('a restart makes none of it good, and the next timestamp ends a freeze', { skip }, async () => {
  const { gate } = await attacked();
  await gate.restart();
  for (const { name, reason, image = 'acme/app' } of CASES.filter(({ seen }) => seen !== undefined)) {
    assert.equal((await gate.denial(`${name}/${image}:1`)).reason, reason, name);
  }
  const { last } = await history();
  (await stage()).moments.show(
    'frozen',
    await wentOn(last, async (copy) => void (await copy.tuf('refresh', '--force'))),
  );
  await until('the new timestamp to be seen', SEEN_LIMIT_MS, async () =>
    (await gate.manifest('frozen/acme/app', '1')).status === 200 ? true : undefined,
  );
});

function imageOf(role: string): 'acme/app' | 'team/app' {
  return role === 'team' ? 'team/app' : 'acme/app';
}
