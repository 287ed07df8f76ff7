import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { imageText, parseRepositoryName, parseTag, parseUpstreamName } from '../../oci/reference.ts';
import { RegistryError } from '../../oci/registry-error.ts';
import { SignedWalk, type SignedWalkParts } from '../../proxy/signed-walk.ts';
import type { Wanted } from '../../proxy/walk-queue.ts';
import { refused, undetermined, type Verdict } from '../../trust/verdict.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';
import { gate, image, index } from '../support/fake-registry.ts';
import { RecordingLog } from '../support/recording-log.ts';

const NAME = { upstream: parseUpstreamName('corp'), repository: parseRepositoryName('app') };
const SECOND = 1000;

/** A walk through images that are signed as t0, t1, ...; what is told it of them is what a test says, or good. */
function walkThrough(images: readonly MemoryImage[], { wanted = 'manifest' as Wanted, targets = names(images) } = {}) {
  const held = new Map(images.map((one) => [one.digest, parseManifest(one.bytes, one.mediaType)]));
  const world = {
    now: Date.parse('2026-11-24T12:00:00Z'),
    judged: [] as string[],
    fetched: [] as Digest[],
    kept: new Set<Digest>(),
    recorded: [] as string[],
    log: new RecordingLog(),
    judge: (_asked: string): Verdict | undefined => undefined,
    fetch: async (_digest: Digest): Promise<Manifest | undefined> => undefined,
    record: () => undefined as unknown,
  };
  const admitted = (digest: Digest): Verdict => ({
    outcome: 'admitted',
    digest,
    rule: 'policy[0]',
    evidence: [],
    validUntil: new Date(world.now + SECOND),
  });
  const parts: SignedWalkParts = {
    name: NAME,
    wanted,
    judge: async (name, reference) => {
      const asked = imageText(name, reference);
      world.judged.push(asked);
      const digest =
        reference.kind === 'digest' ? reference.digest : targets.find(({ tag }) => tag === reference.tag)?.digest;
      return world.judge(asked) ?? admitted(digest ?? assert.fail(`${asked} is not signed`));
    },
    manifests: {
      kept: async (digest) => (world.kept.has(digest) ? held.get(digest) : undefined),
      get: async (_name, digest) => {
        world.fetched.push(digest);
        return (await world.fetch(digest)) ?? held.get(digest) ?? assert.fail(`${digest} is not there`);
      },
    },
    admissions: {
      record: (_name, { digest }, tag) => {
        world.record();
        world.recorded.push(`${tag ?? ''}@${digest}`);
      },
      knows: (_name, digest) => world.recorded.some((one) => one.endsWith(`@${digest}`)),
      tagsOf: (_name, digest) =>
        world.recorded.filter((one) => one.endsWith(`@${digest}`)).map((one) => parseTag(one.split('@')[0] ?? '')),
    },
    now: () => new Date(world.now),
    log: world.log,
  };
  const list = { version: '1', targets, unknown: undefined };
  const walk = new SignedWalk(parts);
  const nobody = image({ layers: ['nobody asks for it'] }).digest;
  walk.aim(list, nobody);
  return { walk, world, list, nobody };
}

function images(count: number, salt = ''): readonly MemoryImage[] {
  return Array.from({ length: count }, (_, at) => image({ layers: [`${salt}${at}`] }));
}

function names(signed: readonly MemoryImage[]) {
  return signed.map(({ digest }, at) => ({ tag: parseTag(`t${at}`), digest }));
}

const failing = (failure: 'unreachable' | 'denied' | 'bad-answer', retryAfter?: number) => async () => {
  throw new UpstreamError(failure, 'it failed', { retryAfter });
};

test('a step looks at four, and whoever asks meanwhile shares it', async () => {
  const { walk, world } = walkThrough(images(6));
  const held = gate();
  world.fetch = () => held.opened.then(() => undefined);
  const steps = [walk.step(), walk.step()];
  held.open();
  assert.deepEqual(await Promise.all(steps), ['more', 'more']);
  assert.equal(world.fetched.length, 4);
  assert.equal(await walk.step(), 'more');
  assert.equal(await walk.step(), 'none');
  assert.equal(world.fetched.length, 6);
  assert.equal(walk.recorded, 6);
});

test('what is recorded under one of its tags and at hand is not looked at again', async () => {
  const [one, two, three] = images(3) as [MemoryImage, MemoryImage, MemoryImage];
  const { walk, world } = walkThrough([one, two, three]);
  world.recorded.push(`t0@${one.digest}`, `other@${two.digest}`, `t2@${three.digest}`);
  world.kept.add(one.digest).add(two.digest);
  await walk.step();
  assert.deepEqual(world.fetched, [two.digest, three.digest], 'not at hand, or under a tag that means nothing now');
});

test('below what is recorded and at hand it looks all the same', async () => {
  const [deep] = images(1) as [MemoryImage];
  const nested = index([deep]);
  const multi = index([nested]);
  const { walk, world } = walkThrough([multi, nested], { targets: names([multi]) });
  world.recorded.push(`t0@${multi.digest}`);
  world.kept.add(multi.digest);
  await walk.step();
  assert.deepEqual(world.recorded.slice(1), [`@${nested.digest}`]);
});

test('a digest is recorded under the first of its tags that is admitted', async () => {
  const [one] = images(1) as [MemoryImage];
  const targets = ['a', 'b', 'c'].map((tag) => ({ tag: parseTag(tag), digest: one.digest }));
  const { walk, world } = walkThrough([one], { targets });
  world.judge = (asked) => (asked === 'corp/app:a' ? refused('SIGNERS_MISSING', 'no') : undefined);
  await walk.step();
  assert.deepEqual(world.judged, ['corp/app:a', 'corp/app:b']);
  assert.deepEqual(world.recorded, [`b@${one.digest}`]);
});

for (const [what, spoil] of [
  ['refused', (world) => (world.judge = () => refused('TAG_NOT_SIGNED', 'no'))],
  ['served with a warning only', (world) => (world.judge = warned)],
  ['gone', (world) => (world.fetch = gone)],
  ['spoilt', (world) => (world.fetch = async () => refused('CONTENT_MISMATCH', 'no') as never)],
  ['other content', (world) => (world.fetch = async () => parseManifest(index([]).bytes, index([]).mediaType))],
] as const satisfies readonly (readonly [string, (world: ReturnType<typeof walkThrough>['world']) => unknown])[]) {
  test(`what is ${what} leads nowhere, and is not asked for again`, async () => {
    const { walk, world } = walkThrough(images(1));
    spoil(world);
    assert.equal(await walk.step(), 'more');
    assert.equal(await walk.step(), 'none');
    assert.deepEqual(world.recorded, []);
    assert.equal(walk.recorded, 0);
    assert.equal(world.judged.length, 1);
  });
}

function warned(): Verdict {
  const warning = refused('TAG_NOT_SIGNED', 'no');
  const [{ digest }] = images(1) as [MemoryImage];
  return { outcome: 'admitted', digest, rule: 'policy[0]', evidence: [], validUntil: new Date(8.64e15), warning };
}

async function gone(): Promise<undefined> {
  throw new RegistryError('MANIFEST_UNKNOWN', 'it is unknown to the upstream');
}

for (const [what, retryAfter, pause] of [
  ['ten seconds', undefined, 10],
  ['as long as the upstream wishes', 30, 30],
  ['a minute at most', 3600, 60],
] as const) {
  test(`after an outage everybody is told of it, and nobody tries again, for ${what}`, async () => {
    const { walk, world } = walkThrough(images(6));
    world.fetch = failing('unreachable', retryAfter);
    const first = await walk.step();
    assert.ok(typeof first === 'object' && 'error' in first.stoppedBy);
    world.now += pause * SECOND - 1;
    assert.deepEqual(await walk.step(), first);
    assert.equal(world.fetched.length, 4);
    world.now += 1;
    await walk.step();
    assert.equal(world.fetched.length, 5, 'one finds out whether it is over');
    world.fetch = async () => undefined;
    world.now += pause * SECOND;
    for (let step = await walk.step(); step === 'more'; ) step = await walk.step();
    assert.equal(walk.recorded, 6, 'and what failed was not forgotten');
  });
}

test('an outage uses up no looks', async () => {
  const { walk, world } = walkThrough(images(50));
  world.fetch = failing('unreachable');
  for (let time = 0; time < 40; time += 1) {
    await walk.step();
    world.now += 10 * SECOND;
  }
  world.fetch = async () => undefined;
  for (let step = await walk.step(); step === 'more'; ) step = await walk.step();
  assert.equal(walk.recorded, 50);
});

test('an authority that could not be asked stops the walk too', async () => {
  const { walk, world } = walkThrough(images(1));
  world.judge = () => undetermined('TRUST_UNREACHABLE', 'it is out');
  const step = await walk.step();
  assert.ok(typeof step === 'object' && 'verdict' in step.stoppedBy);
  world.judge = () => undefined;
  world.now += 10 * SECOND;
  assert.equal(await walk.step(), 'more');
  assert.equal(walk.recorded, 1);
});

for (const failure of ['denied', 'bad-answer'] as const) {
  test(`what the upstream answers with ${failure} each time is tried a limited number of times, and stays unknown`, async () => {
    const { walk, world } = walkThrough(images(1));
    world.fetch = failing(failure);
    for (let time = 0; time < 100; time += 1) {
      const step = await walk.step();
      assert.ok(typeof step === 'object');
      world.now += 10 * SECOND;
    }
    assert.equal(world.fetched.length, 50);
  });
}

test('other trust metadata begins the walk anew, with what is left of its looks', async () => {
  const { walk, world, list, nobody } = walkThrough(images(60));
  for (let step = await walk.step(); step === 'more'; ) step = await walk.step();
  assert.equal(world.fetched.length, 50);
  walk.aim({ ...list, version: '2' }, nobody);
  assert.equal(await walk.step(), 'beyond');
  assert.equal(world.fetched.length, 50);
});

test('what other trust metadata names is looked at', async () => {
  const [one, two] = images(2) as [MemoryImage, MemoryImage];
  const { walk, world, nobody } = walkThrough([one, two], { targets: names([one, two]) });
  walk.aim({ version: '2', targets: names([one]), unknown: undefined }, nobody);
  for (let step = await walk.step(); step === 'more'; ) step = await walk.step();
  assert.deepEqual(world.fetched, [one.digest]);
  walk.aim({ version: '3', targets: names([one, two]).slice(1), unknown: undefined }, nobody);
  assert.equal(await walk.step(), 'more');
  assert.deepEqual(world.fetched, [one.digest, two.digest]);
});

test('the digest itself comes first, and needs no look', async () => {
  const signed = images(60);
  const { walk, world, list } = walkThrough(signed);
  for (let step = await walk.step(); step === 'more'; ) step = await walk.step();
  const last = signed[59] as MemoryImage;
  walk.aim(list, last.digest);
  assert.equal(await walk.step(), 'more');
  assert.deepEqual(world.fetched.slice(50), [last.digest]);
  assert.equal(await walk.step(), 'beyond');
});

test('what cannot be recorded leads nowhere, and the log says why', async () => {
  const { walk, world } = walkThrough(images(1));
  world.record = () => {
    throw new Error('disk full');
  };
  await walk.step();
  assert.equal(walk.recorded, 0);
  assert.equal(world.log.at('error').length, 1);
});
