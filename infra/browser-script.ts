import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const entry = fileURLToPath(new URL('../functions/connections/page/page.ts', import.meta.url));

/** The customers' page's script: one file for browsers as they have been since 2024, everything it imports included. */
export function pageScript(): string {
  const built = buildSync({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: 'browser',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    format: 'iife',
    legalComments: 'none',
    charset: 'utf8',
    write: false,
  });
  const [script] = built.outputFiles;
  if (!script) throw new Error('esbuild made no script of the page');
  return script.text;
}
