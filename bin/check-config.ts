import { readConfig } from '../config/read.ts';

/** `docklock config check`: all problems at once (thrown), or what the configuration comes to. @returns the exit code */
export async function checkConfig(options: {
  readonly config: string;
  readonly out: NodeJS.WritableStream;
}): Promise<number> {
  const config = await readConfig(options.config);
  const { upstreams, authorities, policy, warnings } = config;
  for (const warning of warnings) options.out.write(`warning: ${warning}\n`);
  options.out.write(
    `${options.config} is good: ${count(upstreams, 'upstream', 'upstreams')}, ${count(authorities, 'authority', 'authorities')}, ${count(policy, 'rule', 'rules')}\n`,
  );
  return 0;
}

function count(things: readonly unknown[], one: string, many: string): string {
  return `${things.length} ${things.length === 1 ? one : many}`;
}
