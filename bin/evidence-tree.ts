import { styleText } from 'node:util';
import type { EvidenceStep } from '../trust/evidence.ts';

/** The evidence as a tree of lines, a step each, its facts behind it. */
export function evidenceTree(steps: readonly EvidenceStep[], colour: boolean): string {
  return lines(steps, '  ', colour)
    .map((line) => `${line}\n`)
    .join('');
}

function lines(steps: readonly EvidenceStep[], indent: string, colour: boolean): string[] {
  return steps.flatMap((step, at) => {
    const last = at === steps.length - 1;
    const deeper = `${indent}${last ? '   ' : '│  '}`;
    const facts = Object.entries(step.facts ?? {}).map(
      ([key, value]) => `${deeper}${paint('gray', `${key}: ${shown(value)}`, colour)}`,
    );
    const mark = step.ok ? paint('green', '✔', colour) : paint('red', '✘', colour);
    return [
      `${indent}${last ? '└─' : '├─'} ${mark} ${step.text}`,
      ...facts,
      ...lines(step.steps ?? [], deeper, colour),
    ];
  });
}

function shown(value: string | number | readonly string[]): string {
  return typeof value === 'object' ? value.join(', ') : `${value}`;
}

function paint(style: 'green' | 'red' | 'gray', text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}
