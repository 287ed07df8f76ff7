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
    `${options.config} is good: ${upstreams.length} upstreams, ${authorities.length} authorities, ${policy.length} rules\n`,
  );
  return 0;
}
