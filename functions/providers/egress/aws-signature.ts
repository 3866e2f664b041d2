import aws4 from 'aws4';
import type { AwsScope, HeaderMap, InjectedSecret, OutgoingRequest } from '../egress-adapter.ts';

/**
 * Signature Version 4 over method, path, query, body and the headers named in `covered`; the others may be changed under way.
 *
 * @param covered names in lower case: host and what signing adds are covered anyway
 * @returns the headers to add
 */
export function awsSignature(
  secret: InjectedSecret & { kind: 'aws-session' },
  { method, url, headers: all, body }: OutgoingRequest,
  { service, region }: AwsScope,
  covered: readonly string[],
): Record<string, string> {
  // Without a body a GET is sent without a length, which would be signed.
  const isBare = body.length === 0 && method === 'GET';
  const { headers = {} } = aws4.sign(
    {
      service,
      region,
      method,
      host: url.host,
      path: `${url.pathname}${url.search}`,
      headers: copied(all, covered),
      ...(!isBare && { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    },
    {
      accessKeyId: secret.accessKeyId,
      secretAccessKey: secret.secretAccessKey.reveal(),
      sessionToken: secret.sessionToken.reveal(),
    },
  );
  const added: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    // The connection writes these two itself, from the same URL and body.
    if (value !== undefined && lower !== 'host' && lower !== 'content-length') added[lower] = String(value);
  }
  return added;
}

function copied(headers: HeaderMap, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}
