import { mustRun } from './command.ts';
import { requireTool } from './tool.ts';

/** The environment of a process whose clock is ahead: `+20d`, as faketime writes it. Tools made with Go take no notice. */
export async function clockAhead(offset: string): Promise<NodeJS.ProcessEnv> {
  const env = await mustRun(requireTool('faketime'), ['-f', offset, requireTool('env')]);
  const library = /^LD_PRELOAD=(.+)$/m.exec(env)?.[1];
  if (library === undefined) throw new Error(`expected faketime to name its library, got ${env}`);
  // Timers have to go on as ever: it is another day, not another speed.
  return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
