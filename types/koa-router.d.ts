// koa-router 14 ships no types and those of @types/koa-router describe an older API; this is the slice used here.
declare module 'koa-router' {
  import type { Context, Middleware } from 'koa';

  export interface RouterContext extends Context {
    params: Record<string, string>;
  }

  export default class Router {
    get(path: string, handler: (ctx: RouterContext) => Promise<void> | void): this;
    routes(): Middleware;
  }
}
