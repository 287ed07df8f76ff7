/**
 * Certificates made when a test needs them, so that no private key is kept in the repository and no openssl is needed.
 *
 *   const ca = makeAuthority('test ca');
 *   const { cert, key } = ca.issue(['127.0.0.1', 'registry.example']);   // PEM, for an https server
 *   const options = { ca: ca.pem };                                      // PEM, for whoever trusts it
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface TestAuthority {
  readonly pem: string;
  issue(names: readonly string[]): { cert: string; key: string };
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OID = 0x06;
const UTF8 = 0x0c;
const UTC_TIME = 0x17;
const BOOLEAN_TRUE = Buffer.from([0x01, 0x01, 0xff]);

const ECDSA_SHA256 = der(SEQUENCE, der(OID, Buffer.from('2a8648ce3d040302', 'hex')));
const COMMON_NAME = der(OID, Buffer.from('550403', 'hex'));
const SUBJECT_ALT_NAME = der(OID, Buffer.from('551d11', 'hex'));
const BASIC_CONSTRAINTS = der(OID, Buffer.from('551d13', 'hex'));

let serial = 1;

export function makeAuthority(name: string): TestAuthority {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const constraints = extension(BASIC_CONSTRAINTS, der(SEQUENCE, BOOLEAN_TRUE), true);
  const pem = certificate({
    subject: name,
    issuer: name,
    key: own.publicKey,
    signer: own.privateKey,
    extension: constraints,
  });
  return {
    pem,
    issue(names) {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names.map(alternativeName)), false);
      const cert = certificate({
        subject: names[0] ?? 'leaf',
        issuer: name,
        key: leaf.publicKey,
        signer: own.privateKey,
        extension: alternatives,
      });
      return { cert, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
    },
  };
}

interface Content {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extension: Buffer;
}

/** RFC 5280, section 4.1. */
function certificate({ subject, issuer, key, signer, extension }: Content): string {
  serial += 1;
  const toBeSigned = der(
    SEQUENCE,
    der(0xa0, der(INTEGER, Buffer.from([2]))),
    der(INTEGER, Buffer.from([serial % 128])),
    ECDSA_SHA256,
    distinguishedName(issuer),
    der(SEQUENCE, der(UTC_TIME, Buffer.from('200101000000Z')), der(UTC_TIME, Buffer.from('491231235959Z'))),
    distinguishedName(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, extension)),
  );
  const signature = sign('sha256', toBeSigned, signer);
  const bytes = der(SEQUENCE, toBeSigned, ECDSA_SHA256, der(BIT_STRING, Buffer.from([0]), signature));
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extension(oid: Buffer, value: Buffer, critical: boolean): Buffer {
  return der(SEQUENCE, oid, ...(critical ? [BOOLEAN_TRUE] : []), der(OCTET_STRING, value));
}

function distinguishedName(commonName: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from(commonName)))));
}

/** IPv4 or a DNS name. */
function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return der(0x87, Buffer.from(name.split('.').map(Number)));
  return der(0x82, Buffer.from(name));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { byteLength } = content;
  if (byteLength < 128) return Buffer.concat([Buffer.from([tag, byteLength]), content]);
  const length = Buffer.from(byteLength.toString(16).padStart(byteLength > 255 ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + length.byteLength]), length, content]);
}
