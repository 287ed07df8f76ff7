import type { Readable } from 'node:stream';

const OPENING = 0x7b; // {

/**
 * Whether the stream is text that begins as a JSON object does. What is, is no layer that could run: gzip, zstd and xz are no UTF-8,
 * bzip2 begins otherwise, and a tar without a NUL byte holds no program, since no ELF file is without one.
 */
export async function isJsonText(stream: Readable): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let first: number | undefined;
  let text = true;
  // To its end in any case: only then has its digest been checked.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    first ??= chunk[0];
    text &&= !chunk.includes(0) && decodes(decoder, chunk, true);
  }
  return text && first === OPENING && decodes(decoder, Buffer.alloc(0), false);
}

function decodes(decoder: TextDecoder, bytes: Buffer, stream: boolean): boolean {
  try {
    decoder.decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}
