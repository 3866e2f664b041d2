import { describe, expect, it } from 'vitest';
import { readInto } from '../../../functions/shared/socket-reading.ts';

describe('B7 the memory that a connection reads into', () => {
  it('holds nothing of what was read once it was taken', () => {
    const taken: { readonly text: string; readonly kept: Buffer }[] = [];
    const { onread } = readInto((bytes) => void taken.push({ text: bytes.toString(), kept: bytes }));
    const memory = typeof onread.buffer === 'function' ? onread.buffer() : onread.buffer;
    const secret = 'sk-canary-0123456789';
    Buffer.from(memory.buffer, memory.byteOffset).write(secret);
    expect(onread.callback(secret.length, memory)).toBe(true);
    expect(taken.map(({ text }) => text)).toEqual([secret]);
    expect(taken[0]?.kept.every((byte) => byte === 0)).toBe(true);
    expect(memory.every((byte) => byte === 0)).toBe(true);
  });
});
