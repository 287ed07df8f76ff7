import assert from 'node:assert/strict';
import { test } from 'node:test';
import { glance, problemsOf } from './config-folder.ts';

const ENDPOINT = 'an address and a port, such as 127.0.0.1:5000 or [::1]:5000';
const ADDRESS = 'an http:// or https:// address';
const DURATION = 'such as 500ms, 10s, 15m, 24h or 7d';
const OWN_ENDPOINT = 'an address and port of its own';
const HOST = 'a host name such as registry.example';
const CREDENTIALS = 'docker-config, or a mapping of username and passwordFile or passwordEnv';

/** Each text is refused with exactly these problems. */
const TABLE: readonly [section: string, rows: readonly [yaml: string, ...problems: string[]][]][] = [
  [
    'the document',
    [
      ['[]', '1:1 : a mapping with listen, upstreams, policy, …, not an empty list'],
      ['text', '1:1 : a mapping with listen, upstreams, policy, …, not "text"'],
      [
        'polcy: []',
        '1:1 polcy: one of the keys listen, data, cache, upstreams, authorities, policy, pullWindow, log, shutdown, status, not "polcy"; did you mean policy?',
      ],
      [
        'cache: { <<: { maxSize: 1GB } }',
        '1:10 cache["<<"]: one of the keys maxSize, not "<<"; merge keys are not read: repeat the values',
      ],
      [
        '__proto__: {}',
        '1:1 __proto__: one of the keys listen, data, cache, upstreams, authorities, policy, pullWindow, log, shutdown, status, not "__proto__"',
      ],
    ],
  ],
  [
    'listen',
    [
      ['listen:', `1:8 listen: ${ENDPOINT}, a mapping with address and tls, or a list of these, not an empty value`],
      [
        'listen: 5000',
        `1:9 listen: ${ENDPOINT}, a mapping with address and tls, or a list of these, not the number 5000`,
      ],
      ['listen: ":5000"', `1:9 listen: ${ENDPOINT}, not ":5000"`],
      ['listen: 127.0.0.1', `1:9 listen: ${ENDPOINT}, not "127.0.0.1"`],
      ['listen: 127.0.0.1:65536', `1:9 listen: ${ENDPOINT}, not "127.0.0.1:65536"`],
      ['listen: 300.0.0.1:5000', `1:9 listen: ${ENDPOINT}, not "300.0.0.1:5000"`],
      ['listen: "::1:5000"', `1:9 listen: ${ENDPOINT}, not "::1:5000"`],
      ['listen: "[::g]:5000"', `1:9 listen: ${ENDPOINT}, not "[::g]:5000"`],
      ['listen: http://127.0.0.1:5000', `1:9 listen: ${ENDPOINT}, not "http://127.0.0.1:5000"`],
      ['listen: []', '1:9 listen: at least one listener, not an empty list'],
      [
        'listen: { adress: 127.0.0.1:5000 }',
        `1:1 listen.address: ${ENDPOINT}, not nothing`,
        '1:11 listen.adress: one of the keys address, tls, mirror, not "adress"; did you mean address?',
      ],
      ['listen: { address: 127.0.0.1:1, mirror: 1 }', '1:41 listen.mirror: true or false, not the number 1'],
      [
        'listen: { address: 127.0.0.1:1, tls: {} }',
        '1:33 listen.tls.cert: the path of a PEM file, not nothing',
        '1:33 listen.tls.key: the path of a PEM file, not nothing',
      ],
      [
        'listen: [127.0.0.1:1, 127.0.0.1:1]',
        `1:23 listen[1]: ${OWN_ENDPOINT}, not 127.0.0.1:1, which listen[0] (127.0.0.1:1) takes already`,
      ],
      [
        'listen: [127.0.0.1:1, { address: 0.0.0.0:1 }]',
        `1:23 listen[1]: ${OWN_ENDPOINT}, not 0.0.0.0:1, which listen[0] (127.0.0.1:1) takes already`,
      ],
      [
        'listen: ["[::]:1", 127.0.0.1:1]',
        `1:20 listen[1]: ${OWN_ENDPOINT}, not 127.0.0.1:1, which listen[0] ([::]:1) takes already`,
      ],
      [
        'listen: ["[::1]:1", "[0:0::1]:1"]',
        `1:21 listen[1]: ${OWN_ENDPOINT}, not [0:0::1]:1, which listen[0] ([::1]:1) takes already`,
      ],
      [
        'listen: [127.0.0.1:1, localhost:1]',
        `1:23 listen[1]: ${OWN_ENDPOINT}, not localhost:1, which listen[0] (127.0.0.1:1) takes already`,
      ],
    ],
  ],
  [
    'quantities and choices',
    [
      ['data: ""', '1:7 data: the path of a folder, not ""'],
      ['data: 5', '1:7 data: the path of a folder, not the number 5; put it in quotes'],
      ['cache: 50GiB', '1:8 cache: a mapping with maxSize, not "50GiB"'],
      [
        'cache: { maxSize: 50 }',
        '1:19 cache.maxSize: a size such as 50GiB or 500MB, not the number 50; write the unit too',
      ],
      ['cache: { maxSize: 0B }', '1:19 cache.maxSize: a size such as 50GiB or 500MB, not "0B"'],
      ['pullWindow: 0s', `1:13 pullWindow: a duration from 1s to 24h, ${DURATION}, not "0s"`],
      ['pullWindow: 25h', `1:13 pullWindow: a duration from 1s to 24h, ${DURATION}, not "25h"`],
      ['pullWindow: 1.5h', `1:13 pullWindow: a duration from 1s to 24h, ${DURATION}, not "1.5h"`],
      [
        'shutdown: { drain: 30 }',
        `1:20 shutdown.drain: a duration from 0s to 1h, ${DURATION}, not the number 30; write the unit too`,
      ],
      ['log: { level: verbose }', '1:15 log.level: one of debug, info, warn, error, silent, not "verbose"'],
      ['log: { level: warning }', '1:15 log.level: one of debug, info, warn, error, silent, not "warning"'],
    ],
  ],
  [
    'upstreams',
    [
      ['upstreams: [docker.io]', '1:12 upstreams: a mapping from names to upstreams, not a list'],
      [
        'upstreams: { docker.io: https://x.example }',
        '1:25 upstreams["docker.io"]: a mapping such as {} or { url: https://registry.example }, not "https://x.example"',
      ],
      [
        'upstreams: { a_b: {} }',
        '1:14 upstreams.a_b: the name of an upstream: a host in lower case such as docker.io, or one word, not "a_b"',
      ],
      [
        'upstreams: { a/b: { dfault: true } }',
        '1:14 upstreams["a/b"]: the name of an upstream: a host in lower case such as docker.io, or one word, not "a/b"',
        '1:21 upstreams["a/b"].dfault: one of the keys url, default, ca, credentials, hosts, tokenHosts, not "dfault"; did you mean default?',
      ],
      [
        'upstreams: { __proto__: {} }',
        '1:14 upstreams.__proto__: the name of an upstream: a host in lower case such as docker.io, or one word, not "__proto__"',
      ],
      [
        'upstreams: { a: { url: a.example } }',
        `1:24 upstreams.a.url: ${ADDRESS}, not "a.example"; write the scheme too: https://…`,
      ],
      [
        'upstreams: { a: { url: "ftp://a.example" } }',
        `1:24 upstreams.a.url: ${ADDRESS}, not "ftp://a.example"; ftp:// is not spoken`,
      ],
      [
        'upstreams: { a: { url: "file:///etc/passwd" } }',
        `1:24 upstreams.a.url: ${ADDRESS}, not "file:///etc/passwd"; file:// is not spoken`,
      ],
      ['upstreams: { a: { url: "https://" } }', `1:24 upstreams.a.url: ${ADDRESS}, not "https://"`],
      [
        'upstreams: { a: { url: "https://u:secret@a.example" } }',
        `1:24 upstreams.a.url: ${ADDRESS}, not "https://…@a.example"; the user goes into \`credentials\``,
      ],
      [
        'upstreams: { a: { url: "https://a.example?x=1" } }',
        `1:24 upstreams.a.url: ${ADDRESS} without ? and #, not "https://a.example?x=1"`,
      ],
      [
        'upstreams: { a: { url: "https://a.example/v2/" } }',
        `1:24 upstreams.a.url: ${ADDRESS}, not "https://a.example/v2/"; without /v2, which is added to every request`,
      ],
      ['upstreams: { a: { default: "yes" } }', '1:28 upstreams.a.default: true or false, not "yes"'],
      [
        'upstreams: { a: { default: true }, b: { default: true } }',
        '1:50 upstreams.b.default: one default upstream, not a second default: "a" is one too',
      ],
      ['upstreams: { a: { hosts: a.example } }', '1:26 upstreams.a.hosts: a list of host names, not "a.example"'],
      [
        'upstreams: { a: { hosts: ["a.example:443", a_b] } }',
        `1:27 upstreams.a.hosts[0]: ${HOST}, not "a.example:443"; without a port`,
        `1:44 upstreams.a.hosts[1]: ${HOST}, not "a_b"`,
      ],
      [
        'upstreams: { a: { tokenHosts: ["https://a.example/token"] } }',
        `1:32 upstreams.a.tokenHosts[0]: ${HOST}, not "https://a.example/token"; without scheme and path`,
      ],
      [
        'upstreams: { a: { hosts: [a.example, A.example] } }',
        '1:26 upstreams.a.hosts: a list of host names, each of them once, not "a.example" again',
      ],
      [
        'upstreams: { a: { hosts: [x.example] }, b: { hosts: [y.example, X.example] } }',
        '1:65 upstreams.b.hosts[1]: a host name that no other upstream has, not "x.example", also of "a"',
      ],
    ],
  ],
  [
    'credentials',
    [
      [
        'upstreams: { a: { credentials: secret } }',
        `1:32 upstreams.a.credentials: ${CREDENTIALS}, not a string not shown here`,
      ],
      [
        'upstreams: { a: { credentials: { username: ci } } }',
        '1:32 upstreams.a.credentials: exactly one of passwordFile, passwordEnv, not none of them',
      ],
      [
        'upstreams: { a: { credentials: { username: ci, passwordEnv: A, passwordFile: b } } }',
        '1:32 upstreams.a.credentials: exactly one of passwordFile, passwordEnv, not passwordFile and passwordEnv',
      ],
      [
        'upstreams: { a: { credentials: { username: "c:secret", passwordEnv: A } } }',
        '1:44 upstreams.a.credentials.username: a user name without a colon or control characters, not a string not shown here',
      ],
      [
        'upstreams: { a: { credentials: { username: ci, passwordEnv: "secret!" } } }',
        '1:61 upstreams.a.credentials.passwordEnv: the name of an environment variable, not a string not shown here',
      ],
      [
        'upstreams: { a: { credentials: { username: ci, passwordEnv: secret } } }',
        '1:61 upstreams.a.credentials.passwordEnv: a password in the environment variable of this name, not no such variable',
      ],
      [
        'upstreams: { a: { credentials: { username: ci, passwordEnv: A, password: secret } } }',
        '1:64 upstreams.a.credentials.password: one of the keys username, passwordFile, passwordEnv, not "password"; a password is never written in the configuration: use passwordFile or passwordEnv',
      ],
    ],
  ],
];

for (const [section, rows] of TABLE) {
  for (const [yaml, ...expected] of rows) {
    test(`refused in ${section}: ${yaml}`, async (t) => {
      const problems = await problemsOf(t, yaml, { b: 'x' }, { A: 'set' });
      assert.deepEqual(glance(problems), expected);
      if (yaml.includes('secret')) assert.doesNotMatch(JSON.stringify(problems), /secret/);
    });
  }
}
