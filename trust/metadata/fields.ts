import { echo, malformed } from './metadata-error.ts';
import type { Json, JsonObject } from './strict-json.ts';

/**
 * Reads the members of one object of the metadata. Unknown names are left alone (they are signed, and later versions
 * may add some); a name that differs from a known one in case only is refused, because Go's decoder takes it for the
 * known one, so the publisher's tools and we would read two different documents.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #where: string;

  /** @throws MetadataError METADATA_INVALID unless `value` is an object. */
  constructor(value: Json | undefined, where: string, names: readonly string[]) {
    this.#object = objectOf(value, where);
    this.#where = where;
    const known = new Map(names.map((name) => [fold(name), name]));
    for (const name of Object.keys(this.#object)) {
      const meant = known.get(fold(name));
      if (meant !== undefined && meant !== name) throw malformed(where, `the name "${meant}"`, echo(name));
    }
  }

  /** The member as it is; `undefined` when there is none. */
  value(name: string): Json | undefined {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw malformed(this.#where, `${name} as text`, kindOf(value));
    return value;
  }

  integer(name: string, least: number): number {
    const value = this.value(name);
    if (typeof value !== 'number') throw malformed(this.#where, `${name} as a whole number`, kindOf(value));
    if (value < least) throw malformed(this.#where, `${name} of at least ${least}`, String(value));
    return value;
  }

  object(name: string): JsonObject {
    return objectOf(this.value(name), `${this.#where}.${name}`);
  }

  /** Go writes an empty list as `null`, or leaves it out. */
  list(name: string, limit: number): readonly Json[] {
    const value = this.value(name) ?? [];
    if (!isList(value)) throw malformed(this.#where, `${name} as a list`, kindOf(value));
    if (value.length > limit) throw malformed(this.#where, `at most ${limit} ${name}`, String(value.length));
    return value;
  }

  texts(name: string, limit: number): readonly string[] {
    return this.list(name, limit).map((value) => {
      if (typeof value !== 'string') throw malformed(this.#where, `${name} as a list of texts`, kindOf(value));
      return value;
    });
  }

  /** The members of a map: names that are data. Go writes an empty map as `null`, or leaves it out. */
  entries(name: string, limit: number): readonly (readonly [string, Json])[] {
    const value = this.value(name) ?? {};
    const entries = Object.entries(objectOf(value, `${this.#where}.${name}`));
    if (entries.length > limit) throw malformed(this.#where, `at most ${limit} ${name}`, String(entries.length));
    return entries;
  }
}

function objectOf(value: Json | undefined, where: string): JsonObject {
  if (value === undefined || value === null || typeof value !== 'object' || isList(value)) {
    throw malformed(where, 'an object', kindOf(value));
  }
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : `${typeof value === 'object' ? 'an object' : typeof value}`;
}

/** The case folding of Go's decoder: also the Kelvin sign is a k, the long s an s. */
function fold(name: string): string {
  return name.toUpperCase().toLowerCase();
}
