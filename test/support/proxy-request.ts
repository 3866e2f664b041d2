/** A request to the proxy with its path as it is written: `fetch` and the SDKs would tidy it up. */
import { request } from 'node:http';
import type { TestCloud } from './cloud.ts';

interface ProxyAnswer {
  readonly status: number;
  readonly text: string;
}

/** `path` follows `/v1/proxy/`. */
export function askProxy(
  test: TestCloud,
  path: string,
  { method = 'GET', headers }: { readonly method?: string; readonly headers: Readonly<Record<string, string | readonly string[]>> },
): Promise<ProxyAnswer> {
  const { hostname, port } = new URL(test.cloud.brokerUrl);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path: `/v1/proxy/${path}` }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    outgoing.on('error', reject);
    outgoing.end(method === 'POST' ? '{}' : undefined);
  });
}
