import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Agent, request } from 'node:https';
import { type TestContext, test } from 'node:test';
import { Network } from '../../upstream/network.ts';
import { FakeRegistry, image } from '../support/fake-registry.ts';
import { makeAuthority } from '../support/tls-certificate.ts';
import { APP, clientOf, failing, V1 } from './support/clients.ts';

const company = makeAuthority('company');

async function registryFor(t: TestContext, names: readonly string[]): Promise<FakeRegistry> {
  const registry = await FakeRegistry.start(t, { tls: company.issue(names) });
  registry.push(APP, image(), 'v1');
  return registry;
}

test('a private CA is trusted where it is configured, and only there', async (t) => {
  const registry = await registryFor(t, ['127.0.0.1']);
  const { client: told } = clientOf(t, registry.url, { ca: company.pem });
  const { client: untold } = clientOf(t, registry.url);
  assert.ok(await told.manifest(APP, V1));
  await failing(untold.manifest(APP, V1), 'unreachable');
  assert.equal(registry.count('manifest'), 1);
});

test('a certificate of another host, or of another CA, is refused', async (t) => {
  const registry = await registryFor(t, ['registry.example']);
  const { client } = clientOf(t, registry.url, { ca: company.pem });
  await failing(client.manifest(APP, V1), 'unreachable');
  const other = await FakeRegistry.start(t, { tls: makeAuthority('stranger').issue(['127.0.0.1']) });
  const { client: misled } = clientOf(t, other.url, { ca: company.pem });
  await failing(misled.manifest(APP, V1), 'unreachable');
});

test('an environment that turns verification off turns off nothing here', async (t) => {
  const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => {
    if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
  });
  const registry = await registryFor(t, ['127.0.0.1']);
  const { client } = clientOf(t, registry.url);
  await failing(client.manifest(APP, V1), 'unreachable');
  // The agent by itself too, whatever the library above it passes on.
  const url = new URL(registry.url);
  const network = new Network();
  t.after(() => network.close());
  await assert.rejects(once(request(url, agentOf(network, url)).end(), 'response'), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
});

function agentOf(network: Network, url: URL): { agent: Agent } {
  const agents = network.agentsFor(url, new Set(['loopback']));
  return 'https' in agents ? { agent: agents.https } : assert.fail('an agent for https');
}

test('plain http to an https port, and the reverse, is no answer', async (t) => {
  const registry = await registryFor(t, ['127.0.0.1']);
  const { client } = clientOf(t, registry.url.replace('https:', 'http:'));
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.manifest(APP, V1).catch(resolve);
  assert.ok((await promise) instanceof Error);
  const plain = await FakeRegistry.start(t);
  const { client: secure } = clientOf(t, plain.url.replace('http:', 'https:'));
  await failing(secure.manifest(APP, V1), 'unreachable');
});

test('proxies of the environment are not used', async (t) => {
  const proxy = await FakeRegistry.start(t);
  const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'];
  for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url;
  t.after(() => {
    for (const name of names) delete process.env[name];
  });
  const registry = await FakeRegistry.start(t);
  registry.push(APP, image(), 'v1');
  const { client } = clientOf(t, registry.url);
  assert.ok(await client.manifest(APP, V1));
  assert.equal(proxy.connections, 0);
});
