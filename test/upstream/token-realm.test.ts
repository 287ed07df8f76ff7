import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokenRealm } from '../../upstream/token-realm.ts';

function ask(upstream: string, realm: string, withCredentials: boolean, tokenHosts: readonly string[] = []): URL {
  return tokenRealm({ upstream: new URL(upstream), realm, withCredentials, tokenHosts });
}

for (const [upstream, realm, tokenHosts] of [
  ['https://ghcr.io', 'https://ghcr.io/token', []],
  ['https://registry-1.docker.io', 'https://auth.docker.io/token', []],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', []],
  ['https://gitlab.corp.example', 'https://registry.gitlab.corp.example/auth', []],
  ['https://registry.example:5000', 'https://registry.example:5001/auth', []],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/auth', []],
  ['https://127.0.0.1:5000', 'https://127.0.0.1:5001/auth', []],
  ['https://registry.acme.co.uk', 'https://auth.acme.co.uk/token', []],
  ['https://registry.example', 'https://login.other.example/token', ['login.other.example']],
  ['https://registry.example', 'https://login.other.example:8443/token', ['login.other.example:8443']],
] as const) {
  test(`credentials for ${upstream} may go to ${realm}`, () => {
    assert.equal(ask(upstream, realm, true, tokenHosts).href, realm);
  });
}

for (const [upstream, realm] of [
  ['https://ghcr.io', 'https://evil.example/token'],
  ['https://ghcr.io', 'https://ghcr.io.evil.example/token'],
  ['https://ghcr.io', 'https://evil-ghcr.io/token'],
  ['https://registry.example', 'https://auth.example/token'],
  ['https://registry.acme.co.uk', 'https://evil.co.uk/token'],
  ['https://registry.acme.com.au', 'https://evil.com.au/token'],
  ['https://acme.azurecr.io', 'https://evil.azurecr.io/token'],
  ['https://1.dkr.ecr.eu-west-1.amazonaws.com', 'https://evil.eu-west-1.amazonaws.com/token'],
  ['https://10.0.0.1', 'https://127.0.0.1/token'],
  ['https://10.1.0.1', 'https://10.2.0.1/token'],
  ['https://[2001:db8::1]', 'https://[2001:db8::2]/token'],
  ['https://registry.acme.example.', 'https://evil.example./token'],
] as const) {
  test(`credentials for ${upstream} do not go to ${realm}, where anyone may ask anonymously`, () => {
    assert.throws(() => ask(upstream, realm, true), { failure: 'forbidden-target' });
    assert.equal(ask(upstream, realm, false).href, realm);
  });
}

for (const [upstream, realm] of [
  ['https://ghcr.io', 'http://ghcr.io/token'],
  ['https://ghcr.io', 'ftp://ghcr.io/token'],
  ['https://ghcr.io', 'file:///etc/passwd'],
  ['https://ghcr.io', '/token'],
  ['https://ghcr.io', 'token'],
  ['https://ghcr.io', 'https://user:password@ghcr.io/token'],
  ['https://ghcr.io', `https://ghcr.io/${'x'.repeat(2100)}`],
] as const) {
  test(`${realm.slice(0, 40)} is no realm for ${upstream}, with credentials or without, listed or not`, () => {
    for (const withCredentials of [true, false]) {
      assert.throws(() => ask(upstream, realm, withCredentials, ['ghcr.io']), { failure: 'forbidden-target' });
    }
  });
}
