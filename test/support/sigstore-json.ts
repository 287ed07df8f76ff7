// biome-ignore lint/suspicious/noExplicitAny: bundles are made to be broken in any way
export type Json = any;
