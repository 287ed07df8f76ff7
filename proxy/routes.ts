import Router, { type RouterContext } from 'koa-router';
import { parseDigest } from '../oci/digest.ts';
import { type ImageName, imageText, parseReference, type Reference } from '../oci/reference.ts';
import { type AddressBook, addressOf } from './addressing.ts';
import type { ListenerRole } from './listener-role.ts';
import type { ReferrerLists } from './list-referrers.ts';
import { parseTagQuery, type TagLists } from './list-tags.ts';
import { keepsToDigest } from './mirror-answer.ts';
import { pullForMirror } from './mirror-pull.ts';
import type { BlobPulls } from './pull-blob.ts';
import type { ManifestPulls, PulledManifest } from './pull-manifest.ts';
import { parseRange } from './range.ts';
import {
  announceNamespace,
  blobHeaders,
  respondWithBlob,
  respondWithManifest,
  respondWithReferrers,
} from './respond.ts';
import type { PassedOn, SignatureMaterials } from './signature-material.ts';

/** The stories that the routes tell. */
export interface Stories {
  readonly addresses: AddressBook;
  readonly manifests: ManifestPulls;
  readonly blobs: BlobPulls;
  readonly material: SignatureMaterials;
  readonly tags: TagLists;
  readonly referrers: ReferrerLists;
}

/** The read half of distribution-spec, "Endpoints". Text becomes types here; nothing behind this sees a raw string. */
export function routesOf(stories: Stories, role: ListenerRole): ReturnType<Router['routes']> {
  const router = new Router();
  for (const path of ['/v2/', '/v2']) {
    router.get(path, (ctx) => {
      ctx.body = {};
    });
  }
  router.get('/v2/*name/manifests/:reference', (ctx) => getManifest(stories, role, ctx));
  router.get('/v2/*name/blobs/:digest', (ctx) => getBlob(stories, role, ctx));
  router.get('/v2/*name/tags/list', (ctx) => getTags(stories, ctx));
  router.get('/v2/*name/referrers/:digest', (ctx) => getReferrers(stories, ctx));
  return router.routes();
}

async function getManifest(stories: Stories, role: ListenerRole, ctx: RouterContext): Promise<void> {
  const name = nameOf(stories.addresses, ctx);
  const reference = parseReference(ctx.params.reference ?? '');
  const pull = role === 'mirror' ? pullForMirror : pullManifest;
  const pulled = await pull(stories, name, reference);
  respondWithManifest(ctx, pulled, imageText(name, reference));
}

async function pullManifest(
  { manifests, material }: Stories,
  name: ImageName,
  reference: Reference,
): Promise<PulledManifest | PassedOn> {
  return (await material.manifest(name, reference)) ?? (await manifests.pull(name, reference));
}

async function getBlob({ addresses, blobs, material }: Stories, role: ListenerRole, ctx: RouterContext): Promise<void> {
  const name = nameOf(addresses, ctx);
  const digest = parseDigest(ctx.params.digest ?? '');
  const blob = (await material.blob(name, digest)) ?? (await blobs.admit(name, digest));
  if (ctx.method === 'HEAD') {
    blobHeaders(ctx, blob, undefined);
    return;
  }
  const range = rangeOf(ctx, blob);
  // A body that breaks off stops nobody either: a layer that fails must fail before its first byte, while there is a status to say so.
  if (role === 'mirror' && !keepsToDigest(ctx.get('User-Agent'))) await blobs.fetchWhole(name, blob);
  const body = await blobs.body(name, blob, range);
  await respondWithBlob(ctx, blob, body);
}

async function getTags({ addresses, tags }: Stories, ctx: RouterContext): Promise<void> {
  const name = nameOf(addresses, ctx);
  const query = parseTagQuery(oneOf(ctx.query.n), oneOf(ctx.query.last));
  const page = await tags.page(name, query);
  if (page.next !== undefined) ctx.set('Link', `<${nextPage(ctx, query.n, page.next)}>; rel="next"`);
  ctx.body = { name: ctx.params.name, tags: page.tags };
}

async function getReferrers({ addresses, referrers }: Stories, ctx: RouterContext): Promise<void> {
  const name = nameOf(addresses, ctx);
  const subject = parseDigest(ctx.params.digest ?? '');
  respondWithReferrers(ctx, await referrers.of(name, subject, oneOf(ctx.query.artifactType)));
}

function nameOf(addresses: AddressBook, ctx: RouterContext): ImageName {
  const name = addressOf(addresses, {
    host: ctx.req.headers.host,
    ns: oneOf(ctx.query.ns),
    path: ctx.params.name ?? '',
  });
  announceNamespace(ctx, name);
  return name;
}

/** RFC 9110, "If-Range": a part is only sent of what the client already has a part of. */
function rangeOf(ctx: RouterContext, blob: { readonly digest: string; readonly size: number }) {
  const condition = ctx.get('If-Range');
  if (condition !== '' && condition !== `"${blob.digest}"`) return undefined;
  try {
    return parseRange(ctx.get('Range') || undefined, blob.size);
  } catch (error) {
    // RFC 9110, "416 Range Not Satisfiable": says what there would be.
    ctx.set('Content-Range', `bytes */${blob.size}`);
    throw error;
  }
}

function nextPage(ctx: RouterContext, n: number | undefined, last: string): string {
  const query = new URLSearchParams({ last });
  if (n !== undefined) query.set('n', `${n}`);
  const ns = oneOf(ctx.query.ns);
  if (ns !== undefined) query.set('ns', ns);
  return `${ctx.path}?${query}`;
}

function oneOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}
