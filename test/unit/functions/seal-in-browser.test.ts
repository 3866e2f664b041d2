import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

describe('B4 sealing', () => {
  it('is made for browsers: jose and the Web Cryptography API, nothing of Node', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: ['functions/credentials/seal-secret.ts'],
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
    });
    const inputs = Object.keys(metafile.inputs);
    expect(inputs.filter((path) => !path.startsWith('node_modules/jose/'))).toEqual(['functions/credentials/seal-secret.ts']);
    const [file] = outputFiles;
    expect(file?.text).toContain('crypto.subtle');
    expect(file?.text).not.toMatch(/node:|require\(|\bBuffer\b|\bprocess\./);
  });
});
