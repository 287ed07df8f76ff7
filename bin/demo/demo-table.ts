import { styleText } from 'node:util';
import { wrap } from '../wrap.ts';
import type { Answer } from './pull-image.ts';

export interface Row {
  readonly told: string;
  readonly image: string;
  readonly answer: Answer;
  readonly asExpected: boolean;
}

const WIDTH = 96;

const COLOURS = { admitted: 'green', undetermined: 'yellow', refused: 'red' } as const;

/** What happened, a block a scene: what was done, what the client got, and whether it is what must come. */
export function demoTable(rows: readonly Row[], colour: boolean): string {
  const paint = (style: 'green' | 'yellow' | 'red' | 'bold', text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text;
  const blocks = rows.map(({ told, image, answer, asExpected }) => {
    const verdict = paint(COLOURS[answer.outcome], answer.outcome.toUpperCase().padEnd(12));
    const surprise = asExpected ? '' : paint('red', '   <- not what must come');
    const text = wrap(answer.text, WIDTH - 17).map((line) => `${' '.repeat(17)}${line}`);
    const pulled = image.replace(/([0-9a-f]{12})[0-9a-f]{52}$/, '$1…');
    return [`${verdict} ${answer.status}  ${paint('bold', told)}: ${pulled}${surprise}`, ...text].join('\n');
  });
  const good = rows.filter((row) => row.asExpected).length;
  return `${blocks.join('\n\n')}\n\n${good} of ${rows.length} as they must be\n`;
}
