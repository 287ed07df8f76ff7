import { Expected, textAs } from './field.ts';

const EXPECTED = 'an http:// or https:// address';
const HOST = 'a host name such as registry.example';

/** RFC 1123, section 2.1: labels of letters, digits and inner hyphens; also fits an IPv4 address. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** The address of a server, without a slash at the end. */
export function serverUrl() {
  return textAs(EXPECTED, parseServerUrl);
}

/** A host name in lower case, without a port. */
export function hostName() {
  return textAs(HOST, (text) => {
    if (text.includes(':') && !text.includes('/')) throw new Expected(HOST, 'without a port');
    return parseHost(text);
  });
}

/** A host name in lower case, with a port where only that one is meant. */
export function hostAndPort() {
  return textAs('a host such as auth.example or auth.example:8443', (text) => {
    const [, name = text, port = ''] = /^([^:/]+)(:[0-9]{1,5})$/.exec(text) ?? [];
    const host = parseHost(name);
    return host === undefined ? undefined : host + port;
  });
}

function parseHost(text: string): string | undefined {
  if (text.includes('/')) throw new Expected(HOST, 'without scheme and path');
  const host = text.toLowerCase();
  return HOST_NAME.test(host) ? host : undefined;
}

export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

/** @returns undefined for what is no address. @throws Expected */
export function parseServerUrl(text: string): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new Expected(EXPECTED, 'write the scheme too: https://…');
  if (scheme !== 'http' && scheme !== 'https') throw new Expected(EXPECTED, `${scheme}:// is not spoken`);
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // A password in an address ends in every log that names the address.
  if (url.username !== '' || url.password !== '') throw new Expected(EXPECTED, 'the user goes into `credentials`');
  if (url.search !== '' || url.hash !== '') throw new Expected(`${EXPECTED} without ? and #`);
  const address = url.href.replace(/\/+$/, '');
  if (/\/v2$/.test(address)) throw new Expected(EXPECTED, 'without /v2, which is added to every request');
  return address;
}
