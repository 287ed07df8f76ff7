import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isJsonText } from '../../proxy/json-text.ts';

/** A header of a tar whose first name opens an object: names and numbers are filled up with NUL. */
const TAR = Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(94), Buffer.from('0000644\0'), Buffer.alloc(404)]);

for (const [what, bytes, expected] of [
  ['an object', Buffer.from('{"critical":{"name":"ü"}}'), true],
  ['gzip', gzipSync(TAR), false],
  ['zstd', zstdCompressSync(TAR), false],
  ['bzip2', Buffer.from('BZh91AY&SY'), false],
  ['a tar, whatever its first name', TAR, false],
  ['text that is no object', Buffer.from('#!/bin/sh'), false],
  ['what is no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), false],
  ['what ends within a character', Buffer.from([0x7b, 0xc3]), false],
  ['nothing', Buffer.alloc(0), false],
] satisfies [string, Buffer, boolean][]) {
  test(`${what} is ${expected ? '' : 'not '}taken for the text of a JSON object`, async () => {
    assert.equal(await isJsonText(Readable.from(bytes.length === 0 ? [] : [bytes])), expected);
    assert.equal(await isJsonText(Readable.from([...bytes].map((byte) => Buffer.from([byte])))), expected);
  });
}
