/** A machine without one: what a command prints, who answers its questions, and how time passes for it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Io } from '../../../cli/io.ts';

export interface FakeIo extends Io {
  readonly printed: { out: string; err: string };
  /** Questions that were asked. */
  readonly questions: string[];
}

export function fakeIo({ answers, directory }: { readonly answers?: readonly string[]; readonly directory?: string } = {}): FakeIo {
  const printed = { out: '', err: '' };
  const questions: string[] = [];
  const left = [...(answers ?? [])];
  let now = Date.parse('2026-11-21T12:00:00Z');
  return {
    printed,
    questions,
    out(text) {
      printed.out += text;
    },
    err(text) {
      printed.err += text;
    },
    interactive: answers !== undefined,
    async ask(question) {
      questions.push(question);
      return left.shift() ?? '';
    },
    async pause(ms) {
      now += ms;
    },
    clock: () => now,
    directory: directory ?? emptyDirectory(),
  };
}

export function emptyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'cordon-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
