import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_INDEX } from '../../oci/media-type.ts';
import type { MemoryImage } from './memory-image.ts';

interface Stored {
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly subject?: Digest;
  readonly artifactType?: string;
}

interface Repository {
  readonly manifests: Map<string, Stored>;
  readonly tags: Map<string, Digest>;
  readonly blobs: Map<string, Buffer>;
}

export interface MemoryRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly range?: string | undefined;
}

export interface MemoryAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/;
const RANGE = /^bytes=(\d+)-(\d*)$/;

/** The pull side of a registry, in memory, changed from outside while it serves. It believes what it is given. */
export class MemoryRegistry {
  readonly #repositories = new Map<string, Repository>();

  /** Stores an image with all below it, and tags it. */
  push(repository: string, image: MemoryImage, ...tags: string[]): void {
    const { manifests, blobs, tags: named } = this.#repository(repository);
    for (const child of image.children) this.push(repository, child);
    for (const [digest, bytes] of image.blobs) blobs.set(digest, bytes);
    const { mediaType, bytes, subject, artifactType } = image;
    manifests.set(image.digest, {
      mediaType,
      bytes,
      ...(subject === undefined ? {} : { subject }),
      ...(artifactType === undefined ? {} : { artifactType }),
    });
    for (const tag of tags) named.set(tag, image.digest);
  }

  pushBlob(repository: string, bytes: Buffer): Digest {
    const digest = digestOf(bytes);
    this.#repository(repository).blobs.set(digest, bytes);
    return digest;
  }

  /** From now on other bytes are served under a digest, of a blob or a manifest. */
  replace(repository: string, digest: Digest, bytes: Buffer): void {
    const { manifests, blobs } = this.#repository(repository);
    const manifest = manifests.get(digest);
    if (manifest === undefined) blobs.set(digest, bytes);
    else manifests.set(digest, { ...manifest, bytes });
  }

  untag(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  /** Drops a manifest or blob. */
  remove(repository: string, digest: Digest): void {
    const { manifests, blobs } = this.#repository(repository);
    manifests.delete(digest);
    blobs.delete(digest);
  }

  answer(request: MemoryRequest): MemoryAnswer {
    if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'UNSUPPORTED');
    const { pathname, searchParams } = new URL(request.url, 'http://registry');
    if (pathname === '/v2/' || pathname === '/v2') return jsonAnswer({});
    const [, name = '', kind, last = ''] = ROUTE.exec(pathname) ?? [];
    const repository = this.#repositories.get(name);
    if (repository === undefined) return problem(404, 'NAME_UNKNOWN');
    switch (kind) {
      case 'manifests':
        return manifestAnswer(repository, last);
      case 'blobs':
        return blobAnswer(repository.blobs.get(last), last, request.range);
      case 'tags':
        return tagsAnswer(name, [...repository.tags.keys()].sort(), searchParams);
      default:
        return referrersAnswer(repository, last, searchParams.get('artifactType'));
    }
  }

  /** Answers an HTTP request as it is. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    const answer = this.answer({ method, url, range: headers.range });
    response.writeHead(answer.status, { 'content-length': answer.body.byteLength, ...answer.headers });
    response.end(method === 'HEAD' ? undefined : answer.body);
  }

  #repository(name: string): Repository {
    const repository = this.#repositories.get(name) ?? { manifests: new Map(), tags: new Map(), blobs: new Map() };
    this.#repositories.set(name, repository);
    return repository;
  }
}

/** Serves it over plain http on a free loopback port. */
export async function serveMemory(registry: MemoryRegistry): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((request, response) => registry.handle(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${port}`, close };
}

function manifestAnswer({ manifests, tags }: Repository, reference: string): MemoryAnswer {
  const digest = tags.get(reference) ?? reference;
  const manifest = manifests.get(digest);
  if (manifest === undefined) return problem(404, 'MANIFEST_UNKNOWN');
  return {
    status: 200,
    headers: { 'content-type': manifest.mediaType, 'docker-content-digest': digest },
    body: manifest.bytes,
  };
}

function blobAnswer(blob: Buffer | undefined, digest: string, range: string | undefined): MemoryAnswer {
  if (blob === undefined) return problem(404, 'BLOB_UNKNOWN');
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
  };
  const [, first, last] = RANGE.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers, body: blob };
  const begin = Number(first);
  const end = last === '' ? blob.byteLength - 1 : Math.min(Number(last), blob.byteLength - 1);
  if (begin > end) return problem(416, 'RANGE_INVALID');
  const contentRange = `bytes ${begin}-${end}/${blob.byteLength}`;
  return { status: 206, headers: { ...headers, 'content-range': contentRange }, body: blob.subarray(begin, end + 1) };
}

function tagsAnswer(name: string, all: readonly string[], query: URLSearchParams): MemoryAnswer {
  const last = query.get('last');
  const after = all.filter((tag) => last === null || tag > last);
  const tags = query.has('n') ? after.slice(0, Number(query.get('n'))) : after;
  const next = `/v2/${name}/tags/list?n=${query.get('n')}&last=${tags.at(-1)}`;
  return jsonAnswer({ name, tags }, tags.length < after.length ? { link: `<${next}>; rel="next"` } : {});
}

function referrersAnswer({ manifests }: Repository, subject: string, artifactType: string | null): MemoryAnswer {
  const found = [...manifests].filter(
    ([, manifest]) => manifest.subject === subject && (artifactType === null || manifest.artifactType === artifactType),
  );
  const descriptors = found.map(([digest, { mediaType, bytes, artifactType: type }]) => ({
    mediaType,
    digest,
    size: bytes.byteLength,
    ...(type === undefined ? {} : { artifactType: type }),
  }));
  const filtered: Record<string, string> = artifactType === null ? {} : { 'oci-filters-applied': 'artifactType' };
  return jsonAnswer(
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: descriptors },
    { 'content-type': OCI_INDEX, ...filtered },
  );
}

function jsonAnswer(value: object, headers: Readonly<Record<string, string>> = {}): MemoryAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function problem(status: number, code: string): MemoryAnswer {
  return { ...jsonAnswer({ errors: [{ code, message: code }] }), status };
}
