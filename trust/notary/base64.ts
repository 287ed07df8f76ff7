import { echo, malformed } from '../metadata/metadata-error.ts';

/**
 * Standard base64 (RFC 4648 section 4) in its one form: padding present, unused bits zero, no white space.
 * Otherwise one signature could be written in many ways ("malleated"), each looking like another one.
 * @throws MetadataError METADATA_INVALID
 */
export function parseBase64(text: string, where: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw malformed(where, 'base64 in its one standard form', echo(text));
  return bytes;
}
