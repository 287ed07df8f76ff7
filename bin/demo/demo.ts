import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoTable, type Row } from './demo-table.ts';
import { SCENES, type Scene } from './scenes.ts';
import { type Stage, setTheStage } from './stage.ts';

/**
 * `docklock demo`: a registry, a publisher with a trust server, and the gateway in one process, on loopback, and what the gateway does
 * with honest and dishonest images. Nothing of it is left. @returns the exit code: 0 when everything came as it must
 */
export async function demo(options: {
  readonly out: NodeJS.WritableStream;
  readonly colour: boolean;
  readonly scenes?: readonly Scene[];
}): Promise<number> {
  const { out, colour, scenes = SCENES } = options;
  const stack = new AsyncDisposableStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), 'docklock-demo-'));
    stack.use(clearingUpOn('SIGINT', folder));
    stack.use(clearingUpOn('SIGTERM', folder));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const stage = await setTheStage(folder, stack);
    out.write(`A registry, a publisher with its trust server, and DockLock (${stage.url}), all in this process.\n\n`);
    const rows: Row[] = [];
    for (const scene of scenes) rows.push(await play(scene, stage));
    out.write(demoTable(rows, colour));
    return rows.every((row) => row.asExpected) ? 0 : 1;
  } finally {
    await stack.disposeAsync();
  }
}

async function play({ told, prepare, expected }: Scene, stage: Stage): Promise<Row> {
  const image = await prepare(stage);
  const answer = await stage.pull(image);
  const asExpected = answer.outcome === expected.outcome && answer.text.includes(expected.text);
  return { told, image, answer, asExpected };
}

/** Whoever has seen enough leaves nothing either. Exits as a shell says it of this signal. */
function clearingUpOn(signal: 'SIGINT' | 'SIGTERM', folder: string): Disposable {
  const clearUp = () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  process.once(signal, clearUp);
  return { [Symbol.dispose]: () => process.off(signal, clearUp) };
}
