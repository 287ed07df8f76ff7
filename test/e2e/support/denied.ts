import assert from 'node:assert/strict';
import { type Client, terminalOf } from './client.ts';
import type { Gateway } from './gateway.ts';

/** The gateway denies the image for that reason, the client does not get it, and its user reads which image and why. */
export async function assertDenied(client: Client, gateway: Gateway, image: string, reason: string): Promise<void> {
  const denial = await gateway.denial(image);
  assert.equal(denial.reason, reason, denial.message);
  const terminal = terminalOf(await client.pull(image, gateway.address));
  for (const part of [image, `[${reason}]`]) {
    assert.ok(terminal.includes(part), `expected ${part} on the terminal, got ${terminal}`);
  }
}
