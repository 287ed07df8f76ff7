import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Digest } from '../oci/digest.ts';
import type { Log } from '../oci/log.ts';
import type { Manifest } from '../oci/manifest.ts';
import { type ImageName, nameText, type Reference, referenceText, type Tag } from '../oci/reference.ts';

/** A manifest that lists some content, and the size in bytes it says the content has. */
export interface Listing {
  readonly parent: Digest;
  readonly size: number;
}

/**
 * What was admitted for which repository, and what each admitted manifest lists: how a blob or a child manifest is led
 * back to something that can be judged again. It remembers and never decides: every use asks for a fresh verdict on what
 * it names, so losing it costs a pull by tag, and nothing in it can admit by itself.
 */
export class Admissions {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** Grows with every record, so that what was admitted last is found first. */
  #order: number;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(SCHEMA);
    this.#statements = prepare(database);
    this.#order = Number(this.#statements.lastOrder.get()?.last ?? 0);
  }

  /** A damaged file is put aside with a warning and a new one begun: it holds work, not truth. */
  static async open(folder: string, log: Log): Promise<Admissions> {
    const file = join(folder, FILE);
    try {
      return Admissions.#openFile(file);
    } catch (error) {
      log.warn({ file, error: String(error) }, 'the admissions file is damaged; put aside, a new one begun');
      await rename(file, `${file}.damaged`);
      return Admissions.#openFile(file);
    }
  }

  /** For a command beside a running gateway: the same file, which SQLite lets two processes use, and no repair. */
  static openBeside(folder: string): Admissions {
    return Admissions.#openFile(join(folder, FILE));
  }

  static #openFile(file: string): Admissions {
    const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT });
    try {
      const check = database.prepare('PRAGMA quick_check(1)').get();
      if (check?.quick_check !== 'ok') throw new Error(String(check?.quick_check));
      return new Admissions(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Records that the manifest was admitted for this repository, with all it lists; `tag` when it was asked for by tag. */
  record(name: ImageName, manifest: Manifest, tag: Tag | undefined): void {
    const { addManifest, addTag, addListing } = this.#statements;
    this.#order += 1;
    this.#atomically(() => {
      const id = Number(addManifest.get(nameText(name), manifest.digest, this.#order)?.id);
      for (const child of manifest.manifests) addListing.run(child.digest, id, CHILD_MANIFEST, child.size);
      for (const blob of manifest.blobs) addListing.run(blob.digest, id, BLOB, blob.size);
      if (tag !== undefined) addTag.run(id, tag);
    });
  }

  /** Tags under which this manifest was once admitted for the repository. */
  tagsOf(name: ImageName, digest: Digest): readonly Tag[] {
    return this.#statements.tagsOf.all(nameText(name), digest).map((row) => row.tag as Tag);
  }

  /** Whether this manifest was once admitted for the repository, in whichever way. */
  knows(name: ImageName, digest: Digest): boolean {
    return this.#statements.findManifest.get(nameText(name), digest) !== undefined;
  }

  /** Admitted indexes of this repository that list the manifest. */
  parentsOf(name: ImageName, digest: Digest): readonly Listing[] {
    return this.#listings(name, digest, CHILD_MANIFEST);
  }

  /** Admitted manifests of this repository that list the blob. */
  holdersOf(name: ImageName, digest: Digest): readonly Listing[] {
    return this.#listings(name, digest, BLOB);
  }

  /** The digest the upstream last gave for what was asked, and when (milliseconds since the epoch). */
  upstreamsWord(name: ImageName, reference: Reference): { readonly digest: Digest; readonly at: number } | undefined {
    const row = this.#statements.findWord.get(nameText(name), referenceText(reference));
    return row === undefined ? undefined : { digest: row.digest as Digest, at: Number(row.at) };
  }

  rememberUpstreamsWord(name: ImageName, reference: Reference, digest: Digest, at: number): void {
    this.#statements.addWord.run(nameText(name), referenceText(reference), digest, at);
  }

  /** The upstream said that it is gone, or not for us: what it said before must not come back in its next outage. */
  forgetUpstreamsWord(name: ImageName, reference: Reference): void {
    this.#statements.dropWord.run(nameText(name), referenceText(reference));
  }

  close(): void {
    this.#database.close();
  }

  #listings(name: ImageName, digest: Digest, kind: number): readonly Listing[] {
    const rows = this.#statements.listings.all(digest, kind, nameText(name), HOLDER_LIMIT);
    return rows.map((row) => ({ parent: row.parent as Digest, size: Number(row.size) }));
  }

  #atomically(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

const FILE = 'admissions.db';

/** How long a write waits for a command beside the gateway, in milliseconds. */
const BUSY_TIMEOUT = 2000;

const CHILD_MANIFEST = 0;
const BLOB = 1;

/**
 * A base layer may be listed by thousands of manifests, and each may cost a verdict. Those served last come first: the
 * manifest whose pull is under way is among them, however long ago it was first seen.
 */
const HOLDER_LIMIT = 16;

// WAL with synchronous NORMAL: a crash of the machine may lose the last records, never tear one.
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS manifest (id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, admitted INTEGER NOT NULL,
    UNIQUE (name, digest));
  CREATE TABLE IF NOT EXISTS tag (manifest INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (manifest, tag)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS listing (child TEXT NOT NULL, parent INTEGER NOT NULL, kind INTEGER NOT NULL, size INTEGER NOT NULL,
    PRIMARY KEY (child, parent, kind)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS word (name TEXT NOT NULL, reference TEXT NOT NULL, digest TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (name, reference)) WITHOUT ROWID;
`;

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  const sql = (text: string): StatementSync => database.prepare(text);
  return {
    addManifest: sql(
      `INSERT INTO manifest (name, digest, admitted) VALUES (?, ?, ?)
       ON CONFLICT (name, digest) DO UPDATE SET admitted = excluded.admitted RETURNING id`,
    ),
    findManifest: sql('SELECT id FROM manifest WHERE name = ? AND digest = ?'),
    lastOrder: sql('SELECT MAX(admitted) AS last FROM manifest'),
    addTag: sql('INSERT OR IGNORE INTO tag (manifest, tag) VALUES (?, ?)'),
    addListing: sql('INSERT OR REPLACE INTO listing (child, parent, kind, size) VALUES (?, ?, ?, ?)'),
    tagsOf: sql(
      'SELECT tag.tag AS tag FROM manifest JOIN tag ON tag.manifest = manifest.id WHERE name = ? AND digest = ?',
    ),
    listings: sql(
      `SELECT manifest.digest AS parent, listing.size AS size FROM listing JOIN manifest ON manifest.id = listing.parent
       WHERE listing.child = ? AND listing.kind = ? AND manifest.name = ? ORDER BY manifest.admitted DESC LIMIT ?`,
    ),
    findWord: sql('SELECT digest, at FROM word WHERE name = ? AND reference = ?'),
    addWord: sql('INSERT OR REPLACE INTO word (name, reference, digest, at) VALUES (?, ?, ?, ?)'),
    dropWord: sql('DELETE FROM word WHERE name = ? AND reference = ?'),
  };
}
