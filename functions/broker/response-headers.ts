/**
 * Headers of an answer that are not passed on: those of one connection (RFC 9110, section 7.6.1; `Connection` names more), what no longer holds for the scrubbed
 * body, and what would make the caller keep state with the provider or go there by itself.
 */
const dropped: ReadonlySet<string> = new Set([
  ...[
    'connection',
    'keep-alive',
    'proxy-authenticate',
    'proxy-authorization',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
  ],
  ...['content-length', 'content-encoding', 'content-md5', 'digest', 'content-digest', 'repr-digest', 'etag', 'accept-ranges'],
  ...[
    'set-cookie',
    'set-cookie2',
    'location',
    'refresh',
    'alt-svc',
    'www-authenticate',
    'strict-transport-security',
    'public-key-pins',
    'nel',
    'report-to',
  ],
]);

/**
 * @param headers names in lower case
 * @param scrub takes secrets out of a text
 */
export function passedHeaders(headers: Readonly<Record<string, string>>, scrub: (text: string) => string): Record<string, string> {
  const named = headers['connection']
    ?.toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const passed: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    if (!dropped.has(name) && !named?.includes(name) && !name.startsWith('access-control-')) passed[name] = scrub(headers[name] ?? '');
  }
  return passed;
}
