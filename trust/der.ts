/** One element of a DER encoding (X.690): its tag, and where its contents lie in the bytes. */
export interface DerElement {
  readonly tag: number;
  /** First byte of the contents. */
  readonly start: number;
  /** First byte after the element. */
  readonly end: number;
}

export const DER_BOOLEAN = 0x01;
export const DER_INTEGER = 0x02;
export const DER_OCTET_STRING = 0x04;
export const DER_SEQUENCE = 0x30;

/** Four length bytes say 4 GiB; nothing here is longer than a few KiB. */
const LENGTH_BYTES_LIMIT = 4;

/** @throws RangeError when the element does not end within `limit`. */
export function derElement(bytes: Uint8Array, at: number, limit = bytes.byteLength): DerElement {
  const tag = byteAt(bytes, at);
  const first = byteAt(bytes, at + 1);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  if (lengthBytes > LENGTH_BYTES_LIMIT || first === 0x80) throw new RangeError('expected a DER length, got another');
  let length = lengthBytes === 0 ? first : 0;
  for (let index = 0; index < lengthBytes; index += 1) length = length * 0x100 + byteAt(bytes, at + 2 + index);
  const start = at + 2 + lengthBytes;
  if (start + length > limit) throw new RangeError(`expected ${length} bytes of DER, got ${limit - start}`);
  return { tag, start, end: start + length };
}

/** The elements that the contents of this one consist of. @throws RangeError */
export function derChildren(bytes: Uint8Array, parent: DerElement): DerElement[] {
  const children: DerElement[] = [];
  let at = parent.start;
  while (at < parent.end) {
    const child = derElement(bytes, at, parent.end);
    children.push(child);
    at = child.end;
  }
  return children;
}

/** The contents in lower-case hex: how object identifiers are compared here. */
export function derHex(bytes: Uint8Array, element: DerElement): string {
  return Buffer.from(bytes.subarray(element.start, element.end)).toString('hex');
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError(`expected DER, got the end at byte ${at}`);
  return byte;
}
