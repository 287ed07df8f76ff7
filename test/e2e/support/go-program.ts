import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findTool, type Tool } from './tool.ts';

/** Compiling cosign, with the clients of all clouds in it, takes minutes; beyond this, the machine is not one for it. */
const BUILD_TIME_LIMIT_MS = 20 * 60_000;
const REASON_LINES = 3;

interface Source {
  readonly name: string;
  readonly version: string;
  /** What `go install` is told besides the common flags. */
  readonly install: readonly string[];
  /** Files of the folder that it is told so in, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * A program that Debian does not have, built where Go is: from Go's module proxy, as the user has set up Go, which compares
 * with its checksum database. Kept between runs in the user's cache folder (XDG Base Directory Specification).
 */
export class GoProgram {
  readonly name: string;
  readonly #source: Source;

  constructor(source: Source) {
    this.name = source.name;
    this.#source = source;
  }

  /** The built program. */
  find(): Tool {
    const path = join(this.#target, this.name);
    if (existsSync(path)) return { path };
    const { missing = 'it could not be built, see the beginning of this run' } = findTool('go');
    return { missing: `no ${this.name} ${this.#source.version}: ${missing}` };
  }

  /** Builds it where it was not built before. What goes wrong is said, and is no error: see `find`. */
  build(say: (line: string) => void): void {
    const go = findTool('go');
    if (this.find().missing === undefined || go.missing !== undefined) return;
    say(`building ${this.name} ${this.#source.version}, once`);
    mkdirSync(CACHE, { recursive: true });
    // Aside, then renamed: a run that is ended half way, or another one beside it, leaves no half of a program.
    const aside = mkdtempSync(`${this.#target}.`);
    try {
      const why = this.#install(go.path, aside);
      if (why === undefined) renameSync(aside, this.#target);
      else say(`${this.name} could not be built: ${why}`);
    } catch (error) {
      // Another run was faster, and its is as good.
      if (this.find().missing !== undefined) throw error;
    } finally {
      rmSync(aside, { recursive: true, force: true });
    }
  }

  /** Answers why not, if not. */
  #install(go: string, folder: string): string | undefined {
    for (const [file, content] of Object.entries(this.#source.files ?? {})) writeFileSync(join(folder, file), content);
    const common = ['install', '-trimpath', '-ldflags=-s -w'];
    const { status, stderr, error } = spawnSync('nice', ['-n', '19', go, ...common, ...this.#source.install], {
      cwd: folder,
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_TIME_LIMIT_MS,
    });
    return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').slice(-REASON_LINES).join('; '));
  }

  /** Other sources, another folder. */
  get #target(): string {
    const { name, version, ...source } = this.#source;
    const id = createHash('sha256').update(JSON.stringify(source)).digest('hex').slice(0, 8);
    return join(CACHE, `${name}-${version}-${id}`);
  }
}

const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'docklock');

const COSIGN_VERSION = 'v3.1.3';

/** Version 3 also writes the older forms, when told so. */
export const COSIGN = new GoProgram({
  name: 'cosign',
  version: COSIGN_VERSION,
  install: [`github.com/sigstore/cosign/v3/cmd/cosign@${COSIGN_VERSION}`],
});

const IMAGE_VERSION = 'v5.42.0';

/** What skopeo verifies with, which Debian's own lacks for Sigstore signatures. */
export const IMAGE_POLICY = new GoProgram({
  name: 'image-policy',
  version: IMAGE_VERSION,
  install: ['-mod=mod', '-tags=containers_image_openpgp', '.'],
  files: {
    'main.go': readFileSync(join(import.meta.dirname, '../image-policy/main.go'), 'utf8'),
    'go.mod': `module docklock.test/image-policy\n\ngo 1.25\n\nrequire go.podman.io/image/v5 ${IMAGE_VERSION}\n`,
  },
});

export const GO_PROGRAMS: readonly GoProgram[] = [COSIGN, IMAGE_POLICY];
