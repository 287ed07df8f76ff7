import { createHash, type KeyObject } from 'node:crypto';

/**
 * Ed25519ph, RFC 8032 section 5.1: what cosign signs with where a key is Ed25519, and Node verifies only without the prehash.
 * Everything here is public, so nothing has to take the same time.
 */

/** Bytes of a point and of a number; a signature is one of each. */
const HALF = 32;
const P = 2n ** 255n - 19n;
/** Order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));
const SQRT_MINUS_1 = power(2n, (P - 1n) / 4n);
/** The encoding of the base point: y is 4/5, x is even. */
const BASE = pointOf(encoded(mod(4n * inverse(5n)), false));
/** "dom2": F is 1 for the prehash, and there is no context. */
const DOMAIN = Buffer.concat([Buffer.from('SigEd25519 no Ed25519 collisions'), Buffer.of(1, 0)]);

/** Extended homogeneous coordinates. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
  readonly t: bigint;
}

const NEUTRAL: Point = { x: 0n, y: 1n, z: 1n, t: 0n };

/** Whether the signature over these bytes is by this Ed25519 key, made with the prehash and without a context. */
export function isSignedByPrehash(key: KeyObject, signed: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== 2 * HALF) return false;
  const publicKey = key.export({ type: 'spki', format: 'der' }).subarray(-HALF);
  const signer = pointOf(publicKey);
  const commitment = signature.subarray(0, HALF);
  const response = numberOf(signature.subarray(HALF));
  // One signature must have one form: a larger number means the same and has other bytes.
  if (signer === undefined || BASE === undefined || response >= L) return false;
  const prehash = createHash('sha512').update(signed).digest();
  const said = createHash('sha512').update(DOMAIN).update(commitment).update(publicKey).update(prehash).digest();
  const challenge = numberOf(said) % L;
  const { x, y, z } = add(times(BASE, response), times(negative(signer), challenge));
  const scale = inverse(z);
  // Compared as bytes, so that another encoding of the same point does not pass.
  return encoded(mod(y * scale), isOdd(mod(x * scale))).equals(commitment);
}

/** RFC 8032 section 5.1.3. @returns undefined for bytes that are no point */
function pointOf(bytes: Uint8Array): Point | undefined {
  const number = numberOf(bytes);
  const odd = number >> 255n === 1n;
  const y = number & (2n ** 255n - 1n);
  if (y >= P) return undefined;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const root = rootOf(mod(u * inverse(v)));
  if (root === undefined || (root === 0n && odd)) return undefined;
  const x = isOdd(root) === odd ? root : P - root;
  return { x, y, z: 1n, t: mod(x * y) };
}

function rootOf(square: bigint): bigint | undefined {
  const root = power(square, (P + 3n) / 8n);
  return [root, mod(root * SQRT_MINUS_1)].find((candidate) => mod(candidate * candidate) === square);
}

/** RFC 8032 section 5.1.4: good for doubling too. */
function add(p: Point, q: Point): Point {
  const a = mod((p.y - p.x) * (q.y - q.x));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(2n * p.t * q.t * D);
  const d = mod(2n * p.z * q.z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function times(point: Point, factor: bigint): Point {
  let product = NEUTRAL;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    product = add(product, product);
    if ((factor >> bit) & 1n) product = add(product, point);
  }
  return product;
}

function negative({ x, y, z, t }: Point): Point {
  return { x: mod(-x), y, z, t: mod(-t) };
}

function encoded(y: bigint, odd: boolean): Buffer {
  const number = odd ? y | (1n << 255n) : y;
  return Buffer.from(number.toString(16).padStart(2 * HALF, '0'), 'hex').reverse();
}

/** Little-endian. */
function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function isOdd(number: bigint): boolean {
  return (number & 1n) === 1n;
}

function mod(number: bigint): bigint {
  const rest = number % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let product = 1n;
  for (let [square, rest] = [base, exponent]; rest > 0n; rest >>= 1n) {
    if (rest & 1n) product = mod(product * square);
    square = mod(square * square);
  }
  return product;
}

function inverse(number: bigint): bigint {
  return power(mod(number), P - 2n);
}
