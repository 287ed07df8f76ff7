import { createHash } from 'node:crypto';

export function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

/** In a buffer of their own: what reads them looks at the whole of it. */
export function exactBytes(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

export function base64(bytes: ArrayBufferView): string {
  return bytesOf(bytes).toString('base64');
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
