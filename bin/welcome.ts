import type { Config, RuleConfig } from '../config/config.ts';
import { findPreset } from '../config/preset-catalog.ts';
import { isWithin } from '../config/preset-scope.ts';

/** What `docklock serve` says on the terminal: where it listens, what it guards, and how to pull through it. */
export function welcome(config: Config, file: string, urls: readonly string[]): string {
  const upstreams = config.upstreams.map(({ name }) => (name === config.defaultUpstream ? `${name} (default)` : name));
  const lines = [
    ...urls.map((url, at) => `DockLock listens on ${url}${isMirror(config, at) ? ' (mirror)' : ''}`),
    '',
    `  configuration  ${file}`,
    `  data           ${config.data}`,
    `  upstreams      ${upstreams.join(', ') || 'none: nothing can be pulled until one is configured'}`,
    `  policy         ${policyLine(config)}`,
    ...presetLine(config),
    '',
    ...pullLines(config, urls.find((_, at) => !isMirror(config, at)) ?? urls[0] ?? ''),
    '  Whose signatures  npm run --silent docklock -- presets        (docklock presets, when installed)',
    '  See why           npm run --silent docklock -- verify IMAGE   (docklock verify IMAGE, when installed)',
    '  See it work       npm run demo                                (offline, a few seconds)',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function isMirror({ listen }: Config, at: number): boolean {
  return listen[at]?.mirror === true;
}

function policyLine({ policy }: Config): string {
  if (policy.length === 0) return 'no rules: every pull is refused until one is added to the configuration';
  const unsafe = policy.filter((rule) => rule.unsafeAllowUnsigned).length;
  const warning = policy.filter((rule) => rule.mode === 'warn').length;
  const notes = [unsafe > 0 ? `${unsafe} allow unsigned images` : '', warning > 0 ? `${warning} only warn` : ''];
  const count = `${policy.length} ${policy.length === 1 ? 'rule' : 'rules'}`;
  return `${[count, ...notes.filter((note) => note !== '')].join(', ')}; what none covers is refused`;
}

function presetLine({ authorities }: Config): string[] {
  const names = authorities.flatMap((authority) =>
    authority.kind === 'cosign' && authority.preset !== undefined ? [authority.preset.name] : [],
  );
  return names.length === 0 ? [] : [`  presets        ${names.join(', ')}`];
}

/** An image that its publisher signs and that a rule lets in, where there is one. */
function exampleOf({ authorities, policy }: Config): string | undefined {
  const examples = authorities.flatMap((authority) => {
    const preset = authority.kind === 'cosign' ? findPreset(authority.preset?.name) : undefined;
    return preset === undefined ? [] : [{ authority: authority.name, image: preset.example }];
  });
  const lets = ({ require, images }: RuleConfig, { authority, image }: { authority: string; image: string }) =>
    require?.authorities.includes(authority) === true && isWithin(image, images);
  return examples.find((example) => policy.some((rule) => lets(rule, example)))?.image;
}

function pullLines(config: Config, url: string): string[] {
  const address = url.replace(/^https?:\/\//, '');
  const upstream = config.defaultUpstream ?? config.upstreams[0]?.name;
  if (upstream === undefined) return [];
  const image = `${address}/${exampleOf(config) ?? `${upstream}/library/hello-world`}`;
  const tag = /:[^/]*$/.test(image.slice(address.length)) ? '' : ':latest';
  const plain = url.startsWith('http://');
  return [
    '  Pull through it',
    `    docker pull ${image}`,
    `    podman pull ${plain ? '--tls-verify=false ' : ''}${image}`,
    `    skopeo inspect ${plain ? '--tls-verify=false ' : ''}docker://${image}`,
    `    ctr images pull ${plain ? '--plain-http ' : ''}${image}${tag}`,
    '',
  ];
}
