import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFor, type ErrorAnswer, reasonPhrase } from '../../proxy/error-response.ts';
import { DeniedError } from '../../proxy/denial.ts';
import { keepsToDigest, mirrorAnswer } from '../../proxy/mirror-answer.ts';
import { RegistryError } from '../../oci/registry-error.ts';
import { refused, undetermined } from '../../trust/verdict.ts';
import { UpstreamError } from '../../upstream/upstream-error.ts';

const IMAGE = 'docker.io/library/app:1';
const MANIFEST = '/v2/library/app/manifests/1';
const BLOB = `/v2/library/app/blobs/sha256:${'ab'.repeat(32)}`;

const CLASSIC =
  'docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 kernel/6.1 os/linux arch/amd64 UpstreamClient(Docker-Client/28.2.2 \\(linux\\))';
const CONTAINERD_STORE =
  'docker/29.1.0 go/go1.25 git-commit/abc kernel/6.1 os/linux arch/amd64 containerd-client/2.2.0 storage-driver/overlayfs UpstreamClient(Docker-Client/29.1.0 \\(linux\\))';

/** Whether its user agents mean containerd's resolver, which stays with the digest it resolved. */
const AGENTS: readonly [agent: string, containerd: boolean][] = [
  ['containerd/1.6.20~ds1', true],
  ['containerd/v2.3.4', true],
  ['buildkit/v0.32', true],
  [CONTAINERD_STORE, true],
  [CLASSIC, false],
  ['docker/28.0 go/go1.23 os/linux UpstreamClient(containerd/2.0 buildkit/v0.20)', false],
  ['docker/28.0 UpstreamClient(a \\(containerd/2.0\\)) containerd-client/2.0', true],
  ['mycontainerd/1.0', false],
  ['containers/5.34 (github.com/containers/image)', false],
  ['skopeo/1.9.3', false],
  ['crane/0.20 go-containerregistry/0.20', false],
  ['', false],
];

for (const [agent, containerd] of AGENTS) {
  test(`${agent || 'a client without a name'} ${containerd ? 'stays with its digest' : 'begins anew with the tag'}`, () => {
    assert.equal(keepsToDigest(agent), containerd);
  });
}

test('telling clients apart takes no longer for a long name', () => {
  assert.equal(keepsToDigest(`UpstreamClient(${'\\('.repeat(15_000)}${'UpstreamClient('.repeat(1000)}`), false);
});

/** Of every kind of no: the ordinary status, and the one a mirror gives for a blob. */
const CAUSES: readonly [cause: string, error: unknown, ordinary: number, blob: number][] = [
  ['refused', new DeniedError(IMAGE, refused('NOT_SIGNED', 'not signed')), 403, 403],
  [
    'undetermined',
    new DeniedError(IMAGE, undetermined('TRUST_UNREACHABLE', 'no answer', { retryAfter: 30 })),
    503,
    501,
  ],
  ['upstream unreachable', new UpstreamError('unreachable', 'no route'), 502, 501],
  ['upstream too slow', new UpstreamError('timed-out', 'no answer'), 504, 501],
  ['upstream rate-limited', new UpstreamError('rate-limited', 'slow down', { retryAfter: 7 }), 429, 501],
  ['upstream broken', new UpstreamError('server-error', '500'), 502, 501],
  ['upstream denies', new UpstreamError('denied', '403'), 502, 501],
  ['upstream answers nonsense', new UpstreamError('bad-answer', 'html'), 502, 501],
  ['upstream leads astray', new UpstreamError('forbidden-target', 'loopback'), 502, 501],
  ['unknown manifest', new RegistryError('MANIFEST_UNKNOWN', `${IMAGE} is unknown to the upstream`), 404, 403],
  ['unknown blob', new RegistryError('BLOB_UNKNOWN', 'unknown'), 404, 403],
  ['unknown name', new RegistryError('NAME_UNKNOWN', 'nothing is served there'), 404, 403],
  ['bad name', new RegistryError('NAME_INVALID', 'bad name'), 400, 403],
  ['bad range', new RegistryError('RANGE_INVALID', 'beyond its end'), 416, 403],
  ['unauthorized', new RegistryError('UNAUTHORIZED', 'who are you'), 401, 403],
  ['our bug', new TypeError('x is undefined'), 500, 501],
];

for (const [cause, error, ordinary, blob] of CAUSES) {
  const answer = answerFor(error);
  const ask = (method: string, path: string, userAgent: string) => mirrorAnswer(answer, { method, path, userAgent });

  test(`${cause}: GET of a manifest is 501 with the final word, whoever asks`, () => {
    assert.equal(answer.status, ordinary);
    for (const [agent] of AGENTS) {
      const sent = ask('GET', MANIFEST, agent);
      assert.equal(sent.status, 501);
      assertFinal(sent);
      assert.deepEqual([sent.code, sent.detail, sent.headers], [answer.code, answer.detail, answer.headers]);
      assert.ok(!sent.message.includes('no such process'));
    }
  });

  test(`${cause}: GET of a blob is ${blob} with the final word where dockerd looks for it`, () => {
    for (const [agent] of AGENTS) {
      const sent = ask('GET', BLOB, agent);
      assert.equal(sent.status, blob);
      assertFinal(sent);
      if (blob !== 403) continue;
      assert.equal(sent.code, 'DENIED');
      assert.ok(sent.message.endsWith('[no such process]'), sent.message);
    }
  });

  test(`${cause}: HEAD is 300 for the containerd family, an error for all others`, () => {
    for (const [agent, containerd] of AGENTS) {
      for (const path of [MANIFEST, BLOB]) {
        const { status, message, phrase, headers } = ask('HEAD', path, agent);
        assert.equal(status, containerd ? 300 : ordinary === 401 ? 403 : ordinary);
        assert.ok(reasonPhrase(phrase ?? message).startsWith('DockLock'));
        assert.equal(headers?.Location, undefined);
      }
    }
  });
}

test('however long the sentence, the phrase is a short printable line that ends with the final word', () => {
  const answer: ErrorAnswer = {
    status: 403,
    code: 'DENIED',
    message: `DockLock\r\nX-Evil: 1\u0000ä ${'long '.repeat(500)}`,
  };
  for (const path of [MANIFEST, BLOB]) {
    const { phrase = '' } = mirrorAnswer(answer, { method: 'GET', path, userAgent: CLASSIC });
    assert.equal(reasonPhrase(phrase), phrase);
    assert.match(phrase, /^DockLock X-Evil: 1 +long [ -~]{100,400} \[no such process\]$/);
    assert.ok(phrase.length <= 400);
  }
});

test('what writes is answered as ever: no client goes on to another registry with a push', () => {
  const answer = answerFor(new RegistryError('UNSUPPORTED', 'only serves pulls'));
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    assert.deepEqual(mirrorAnswer(answer, { method, path: MANIFEST, userAgent: CLASSIC }), answer);
  }
});

function assertFinal({ phrase = '' }: ErrorAnswer): void {
  assert.ok(phrase.startsWith('DockLock'), phrase);
  assert.ok(phrase.endsWith(' [no such process]'), phrase);
}
