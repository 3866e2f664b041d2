/** A client's request as it arrives: its size, its headers, its path below the stage. Source: API Gateway Developer Guide, "Quotas", "Important notes". */
import type { IncomingMessage } from 'node:http';

export interface GatewayRequest {
  readonly method: string;
  /** The first part of the path. */
  readonly stageName: string;
  /** Below the stage, as it was sent (percent-encoded), beginning with a slash. */
  readonly path: string;
  /** With the stage. */
  readonly fullPath: string;
  /** Names as they were sent, in order; without hop-by-hop headers (RFC 9110, section 7.6.1). */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
}

export type TooLarge = 'headers' | 'body';

/** Request line and header values together. */
const maxHeaderBytes = 10_240;
const maxBodyBytes = 10 * 1024 * 1024;
const hopByHop = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect'];

/** Reads all of it: request streaming does not exist. `tooLarge` tells what went over its limit; of a body nothing is kept then. */
export async function readRequest(incoming: IncomingMessage): Promise<{ request: GatewayRequest; tooLarge: TooLarge | undefined }> {
  const pairs = pairsOf(incoming.rawHeaders);
  const target = incoming.url ?? '/';
  const headerBytes = target.length + pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const body = await readBody(incoming);
  const mark = target.indexOf('?');
  const fullPath = mark < 0 ? target : target.slice(0, mark);
  const [, stageName = '', path = ''] = /^\/([^/]*)(.*)$/s.exec(fullPath) ?? [];
  const named = pairs.filter(([name]) => name.toLowerCase() === 'connection').flatMap(([, value]) => value.split(','));
  const dropped = new Set([...hopByHop, ...named.map((name) => name.trim().toLowerCase())]);
  return {
    request: {
      method: incoming.method ?? 'GET',
      stageName,
      path: path === '' ? '/' : path,
      fullPath,
      headers: pairs.filter(([name]) => !dropped.has(name.toLowerCase())),
      query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
      body: body ?? Buffer.alloc(0),
      sourceIp: (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
      protocol: `HTTP/${incoming.httpVersion}`,
    },
    tooLarge: headerBytes > maxHeaderBytes ? 'headers' : body === undefined ? 'body' : undefined,
  };
}

function pairsOf(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []));
}

/** Undefined when it is too large; the rest is read and dropped, so that the client sees the answer. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size <= maxBodyBytes) chunks.push(bytes);
    else chunks.length = 0;
  }
  return size <= maxBodyBytes ? Buffer.concat(chunks) : undefined;
}
