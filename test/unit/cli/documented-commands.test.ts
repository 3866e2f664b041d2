import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../cli/run.ts';
import { fakeIo } from './fake-io.ts';

const documents = ['README.md', 'docs/runbooks.md', 'docs/deploy.md'];
/** `cordon tenants show T`, in a code span or a block, up to what is not of the command. */
const commandLine = /(?:^|[`\s])(?:cordon|npm run cordon --) ((?:[a-z][a-z-]*)(?: [^`\n#|;&]*)?)/gm;

interface Documented {
  readonly document: string;
  readonly words: readonly string[];
  readonly options: readonly string[];
}

const documented: readonly Documented[] = documents.flatMap((document) =>
  [...readFileSync(document, 'utf8').matchAll(commandLine)].map(([, line = '']) => {
    const words = line.split(/\s+/).filter(Boolean);
    const first = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
    return {
      document,
      words: words.slice(0, first === -1 ? words.length : first).slice(0, 2),
      options: words.filter((word) => /^--[a-z-]+$/.test(word)),
    };
  }),
);

async function helpOf(words: readonly string[]): Promise<{ readonly exitCode: number; readonly out: string }> {
  const io = fakeIo();
  const exitCode = await run([...words, '--help'], io);
  return { exitCode, out: io.printed.out };
}

describe('P6 the commands that documents name', () => {
  it('are found in them', () => {
    for (const document of documents) expect(documented.filter((one) => one.document === document).length, document).toBeGreaterThan(0);
  });

  it.each(documented.map((one) => [`${one.document}: ${[...one.words, ...one.options].join(' ')}`, one] as const))(
    '%s',
    async (_, { words, options }) => {
      const [whole, first] = [await helpOf(words), await helpOf(words.slice(0, 1))];
      expect(first.exitCode).toBe(0);
      expect(first.out).toMatch(new RegExp(`^Usage: cordon ${words[0]}\\b`, 'm'));
      // Where there are no commands of a second word, that word is an argument.
      const has = /^Commands:/m.test(first.out);
      if (has) expect(whole.out).toMatch(new RegExp(`^Usage: cordon ${words.join(' ')}\\b`, 'm'));
      const help = has ? whole.out : first.out;
      for (const option of options) expect(help).toContain(option);
    },
  );
});

describe('P7 the links of the documents', () => {
  it.each(['docs/runbooks.md', 'docs/deploy.md', 'docs/scale.md'])('of %s lead somewhere', (document) => {
    for (const [, target = '', anchor] of readFileSync(document, 'utf8').matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const path = target === '' ? document : join(dirname(document), target);
      expect(existsSync(path), target).toBe(true);
      if (anchor === undefined) continue;
      const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
      expect(headings, target).toContain(anchor);
    }
  });
});

/** As Git hosts make it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-');
}
