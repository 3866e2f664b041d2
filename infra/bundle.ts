import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType } from 'aws-cdk-lib';
import { type AssetCode, Code, Runtime } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { pageScript } from './browser-script.ts';

const pageEntry = 'connections/serve-connections.lambda.ts';
const functions = fileURLToPath(new URL('../functions/', import.meta.url));

/**
 * One minified ESM file, SDK clients included: what a function consists of, wherever it runs.
 *
 * @param entry the composition root, relative to `functions/`
 * @param values what stands in the code under these names
 */
export function bundled(entry: string, values: Readonly<Record<string, unknown>> = {}): AssetCode {
  return Code.fromAsset(functions, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the bundle is made in this process. The command tells one function's bundle from another's.
      image: Runtime.NODEJS_24_X.bundlingImage,
      command: [entry],
      local: {
        tryBundle(outputDirectory) {
          buildSync({
            entryPoints: [join(functions, entry)],
            outfile: join(outputDirectory, 'index.mjs'),
            bundle: true,
            minify: true,
            platform: 'node',
            target: 'node24',
            format: 'esm',
            mainFields: ['module', 'main'],
            loader: { '.yaml': 'text', '.html': 'text', '.css': 'text' },
            // The one function that serves a page: its script is built first, and is a text to the function.
            define: Object.fromEntries(
              Object.entries(entry === pageEntry ? { ...values, pageScript: pageScript() } : values).map(([name, value]) => [
                name,
                JSON.stringify(value),
              ]),
            ),
            // A CommonJS dependency inside an ESM bundle asks for `require`.
            banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
          });
          return true;
        },
      },
    },
  });
}
