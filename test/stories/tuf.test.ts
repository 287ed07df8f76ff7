/** From a configuration file to a pull: `type: tuf` in a gateway that is a process of its own. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import request from 'supertest';
import type { MemoryImage } from '../../bin/demo/memory-image.ts';
import { docklock, serving } from '../support/command-line.ts';
import { FakeRegistry, image, index } from '../support/fake-registry.ts';
import { metadataImage } from '../support/metadata-image.ts';
import { told } from '../support/told.ts';
import { NOW } from '../support/tuf-client.ts';
import { TufRepository } from '../support/tuf-repository.ts';

type Kind = 'server' | 'folder' | 'image';

interface Stage {
  readonly config: string;
  readonly registry: FakeRegistry;
  readonly repository: TufRepository;
  /** Under PATH unless told otherwise. */
  vouch(app: MemoryImage, path?: string): Promise<void>;
  withdraw(): Promise<void>;
}

const PATH = 'corp/app:1';

async function stage(t: TestContext, kind: Kind): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'docklock-tuf-story-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const registry = await FakeRegistry.start(t);
  const repository = new TufRepository({ now: NOW });
  repository.delegate('corp', { paths: ['corp/*'] });
  const metadata = await place(t, kind, { folder, repository });
  const publish = async () => {
    repository.publish();
    if (kind === 'image') publishImages(registry, repository);
    if (kind !== 'folder') return;
    for (const [name, bytes] of repository.files) await writeFile(join(folder, 'metadata', name), bytes);
  };
  await publish();
  await writeFile(join(folder, 'root.json'), repository.root());
  const config = join(folder, 'docklock.yaml');
  await writeFile(
    config,
    `listen: 127.0.0.1:0
upstreams: { corp: { url: "${registry.url}", default: true } }
authorities: { org: { type: tuf, metadata: "${metadata}", root: ./root.json, refresh: 1s } }
policy: [{ images: "corp/**", require: [org] }]
`,
  );
  return {
    config,
    registry,
    repository,
    vouch: async ({ digest, bytes }, path = PATH) => {
      repository.sign(path, { digest, size: bytes.byteLength }, 'corp');
      await publish();
    },
    withdraw: async () => {
      repository.withdraw(PATH, 'corp');
      await publish();
    },
  };
}

async function place(t: TestContext, kind: Kind, at: { folder: string; repository: TufRepository }): Promise<string> {
  if (kind === 'server') return (await at.repository.serve(t)).url;
  if (kind === 'image') return 'oci://corp/tuf-metadata';
  await mkdir(join(at.folder, 'metadata'));
  return './metadata';
}

/** As go-tuf-mirror does it: top roles in one image, each delegated role in one of its own. */
function publishImages(registry: FakeRegistry, { files }: TufRepository): void {
  const isCorp = (name: string) => name.endsWith('corp.json');
  registry.push('tuf-metadata', metadataImage(new Map([...files].filter(([name]) => !isCorp(name)))), 'latest');
  registry.push('tuf-metadata', metadataImage(new Map([...files].filter(([name]) => isCorp(name)))), 'corp');
}

for (const kind of ['server', 'folder', 'image'] as const) {
  test(`metadata from a ${kind}: vouched is served, moved upstream is still the vouched one, withdrawn is refused`, async (t) => {
    const { config, registry, vouch, withdraw } = await stage(t, kind);
    const app = image();
    const moved = image({ layers: ['not vouched for'] });
    registry.push('app', app, '1');
    const { url } = await serving(t, config);
    const pull = (reference: string) => request(url).get(`/v2/corp/app/manifests/${reference}`);
    assert.equal(told(await pull('1')), '403 DENIED TAG_NOT_SIGNED');

    await vouch(app);
    const pulled = await until(() => pull('1'), 200);
    assert.equal(pulled.headers['docker-content-digest'], app.digest);
    await request(url).get(`/v2/corp/app/blobs/${app.layers[0]}`).expect(200);

    registry.push('app', moved, '1');
    assert.equal((await pull('1')).headers['docker-content-digest'], app.digest);
    assert.equal(told(await pull(app.digest)), '200');
    assert.equal(told(await pull(moved.digest)), '403 DENIED DIGEST_NOT_SIGNED');

    await withdraw();
    assert.equal(told(await until(() => pull('1'), 403)), '403 DENIED TAG_NOT_SIGNED');
    assert.equal(told(await until(() => pull(app.digest), 403)), '403 DENIED DIGEST_NOT_SIGNED');
  });
}

const HIDDEN = index([image({ layers: ['below what is signed'] })]);

for (const [what, path] of [
  ['a tag', PATH],
  ['its digest alone', `corp/app@${HIDDEN.digest}`],
] as const) {
  test(`the child of an index that is vouched for under ${what} is served by its digest, on a gateway that never served the index`, async (t) => {
    const { config, registry, vouch } = await stage(t, 'server');
    const child = image({ layers: ['below what is signed'] });
    const stranger = image({ layers: ['of nobody'] });
    registry.push('app', HIDDEN, '1');
    registry.push('app', index([stranger]), 'unsigned');
    await vouch(HIDDEN, path);
    const { url } = await serving(t, config);
    await request(url).get(`/v2/corp/app/blobs/${child.layers[0]}`).expect(200);
    const pulled = await request(url).get(`/v2/corp/app/manifests/${child.digest}`).expect(200);
    assert.equal(pulled.text, child.bytes.toString());
    assert.equal(
      told(await request(url).get(`/v2/corp/app/manifests/${stranger.digest}`)),
      '403 DENIED DIGEST_NOT_SIGNED',
    );
  });
}

test('docklock verify shows the roots, the versions, the keys and the way down to the target', async (t) => {
  const { config, registry, repository, vouch } = await stage(t, 'server');
  const app = image();
  registry.push('app', app, '1');
  await vouch(app);
  const { code, out, err } = await docklock('verify', '--config', config, PATH);
  assert.equal(code, 0, err);
  for (const line of [
    /root 1 is the pinned one, signed by 1 of its keys, good until \d{4}-/,
    /timestamp 2 is signed by 1 of its keys/,
    /snapshot 2 is signed/,
    /targets 1 is signed/,
    /corp 2 is signed/,
    new RegExp(`targets → corp says that corp/app:1 is ${app.digest}`),
  ]) {
    assert.match(out, line);
  }
  const json = await docklock('verify', '--json', '--config', config, PATH);
  assert.ok(json.out.includes(repository.role('corp').keys[0]?.id ?? 'none'), 'with the ids of the keys');
});

/** The verdict of a moment ago is kept for a second, and so is what the metadata server said. */
async function until(ask: () => request.Test, status: number): Promise<request.Response> {
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return answer;
  }
}
