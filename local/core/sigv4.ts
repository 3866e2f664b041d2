/**
 * Checks the AWS Signature Version 4 of an HTTP request (header form). Source: IAM User Guide, "Create a signed AWS API request" and
 * "Troubleshoot Signature Version 4 signing".
 */
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import type { HttpRequest } from './protocols.ts';
import { splitTarget } from './protocols.ts';

export interface KnownCredentials {
  readonly secretAccessKey: string;
  /** Only of sessions. */
  readonly sessionToken?: string;
  /** Only of sessions: milliseconds since the epoch, on the injected clock. */
  readonly expiresAt?: number;
}

export interface SignatureCheck {
  readonly region: string;
  /**
   * In milliseconds since the epoch. A client outside the cloud signs with real time, a worker with the injected clock's, and a client that has set its clock by an
   * earlier answer with what the injected clock was then: so everything between these counts.
   */
  readonly clocks: readonly number[];
  /** The injected clock: what sessions expire by. */
  readonly now: number;
  credentialsOf(accessKeyId: string): KnownCredentials | undefined;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const allowedSkewMs = 5 * 60 * 1000;

/** Reads the Authorization header. Throws AwsError `MissingAuthenticationToken` (none, or a presigned URL) or `IncompleteSignature`. */
export function parseAuthorization(request: HttpRequest): Authorization {
  const header = request.headers['authorization'];
  if (header === undefined) throw new AwsError('MissingAuthenticationToken', 'The request is missing an Authorization header.', 403);
  if (!header.startsWith(`${algorithm} `)) throw incomplete(`the algorithm is not ${algorithm}`);
  const fields = new Map<string, string>();
  for (const part of header.slice(algorithm.length + 1).split(',')) {
    const [name = '', value = ''] = splitOnce(part.trim(), '=');
    if (fields.has(name)) throw incomplete(`${name} is given twice`);
    fields.set(name, value);
  }
  const [accessKeyId = '', date = '', region = '', service = '', terminator, ...rest] = (fields.get('Credential') ?? '').split('/');
  if (terminator !== 'aws4_request' || rest.length > 0 || accessKeyId === '' || !/^\d{8}$/.test(date)) {
    throw incomplete('Credential must be access key/date/region/service/aws4_request');
  }
  const signature = fields.get('Signature') ?? '';
  if (!/^[0-9a-f]{64}$/.test(signature)) throw incomplete('Signature must be 64 hexadecimal digits');
  const signedHeaders = (fields.get('SignedHeaders') ?? '').split(';').filter((name) => name !== '');
  if (!signedHeaders.includes('host')) throw incomplete("SignedHeaders must hold 'host'");
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

/**
 * Throws AwsError: `IncompleteSignature`, `SignatureDoesNotMatch` (also for a wrong Region, a date too far off, or a header left unsigned),
 * `InvalidClientTokenId` (unknown key, or session token missing or wrong), `ExpiredToken`. Codes are those of the query protocol.
 */
export function verifySignature(request: HttpRequest, authorization: Authorization, check: SignatureCheck): void {
  const { headers } = request;
  const amzDate = headers['x-amz-date'] ?? '';
  const signedAt = parseAmzDate(amzDate);
  if (signedAt === undefined) throw incomplete('X-Amz-Date must be in the form 20260131T235959Z');
  if (amzDate.slice(0, 8) !== authorization.date)
    throw mismatch(`Date in Credential scope does not match YYYYMMDD from X-Amz-Date: ${amzDate}`);
  if (authorization.region !== check.region) throw mismatch(`Credential should be scoped to a valid Region, here ${check.region}.`);
  // What decides over the call must be signed: target, date, token.
  const unsigned = Object.keys(headers).find((name) => name.startsWith('x-amz-') && !authorization.signedHeaders.includes(name));
  if (unsigned !== undefined) throw mismatch(`The header ${unsigned} must be signed.`);

  const credentials = check.credentialsOf(authorization.accessKeyId);
  if (credentials === undefined) throw unknownToken();
  const token = headers['x-amz-security-token'];
  if (!isSameText(token ?? '', credentials.sessionToken ?? '')) throw unknownToken();

  const claimedHash = headers['x-amz-content-sha256'];
  // S3 alone takes a body that is not signed (S3 API Reference, "Authenticating Requests: Using the Authorization Header").
  const isUnsigned = authorization.service === 's3' && claimedHash === 'UNSIGNED-PAYLOAD';
  const bodyHash = isUnsigned ? claimedHash : sha256(request.body);
  const expected = signatureOf(canonicalRequest(request, authorization, bodyHash), amzDate, authorization, credentials.secretAccessKey);
  if ((claimedHash !== undefined && claimedHash !== bodyHash) || !isSameText(authorization.signature, expected)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
  }
  if (signedAt < Math.min(...check.clocks) - allowedSkewMs || signedAt > Math.max(...check.clocks) + allowedSkewMs) {
    throw mismatch(`Signature expired or not yet current: ${amzDate} is more than 5 minutes off.`);
  }
  if (credentials.expiresAt !== undefined && credentials.expiresAt <= check.now) {
    throw new AwsError('ExpiredToken', 'The security token included in the request is expired', 403);
  }
}

/** Task 1 of the guide. The path is encoded once more than it was sent, for every service but S3. */
function canonicalRequest(request: HttpRequest, { signedHeaders, service }: Authorization, bodyHash: string): string {
  const [path, query] = splitTarget(request.target);
  const headerLines = signedHeaders.map((name) => {
    const value = request.headers[name];
    if (value === undefined) throw mismatch(`The signed header ${name} is missing.`);
    return `${name}:${value.trim().replace(/\s+/g, ' ')}\n`;
  });
  return [
    request.method,
    service === 's3' ? path.split('/').map(recode).join('/') : encode(path).replaceAll('%2F', '/'),
    canonicalQuery(query),
    headerLines.join(''),
    signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((pair) => {
    const [name = '', value = ''] = splitOnce(pair, '=');
    return [recode(name), recode(value)] as const;
  });
  return pairs
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function signatureOf(canonical: string, amzDate: string, authorization: Authorization, secretAccessKey: string): string {
  const { date, region, service } = authorization;
  const stringToSign = [algorithm, amzDate, `${date}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
  return hmac(signingKeyOf(authorization, secretAccessKey), stringToSign).toString('hex');
}

/** Task 3 of the guide. A key is good for a day of one caller at one service, and deriving it costs more than all the rest of a check. */
const signingKeys = new Map<string, KeyObject>();
const maxSigningKeys = 10_000;

function signingKeyOf({ date, region, service }: Authorization, secretAccessKey: string): KeyObject {
  const name = `${secretAccessKey}/${date}/${region}/${service}`;
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const key = [date, region, service, 'aws4_request'].reduce(
    (previous, part) => createSecretKey(hmac(previous, part)),
    createSecretKey(Buffer.from(`AWS4${secretAccessKey}`)),
  );
  if (signingKeys.size === maxSigningKeys) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

function recode(encoded: string): string {
  try {
    return encode(decodeURIComponent(encoded));
  } catch {
    throw mismatch('Path or query string is not percent-encoded UTF-8.');
  }
}

/** RFC 3986: everything but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function parseAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** In constant time; hashing first makes the lengths equal. */
function isSameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

function hmac(key: KeyObject, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function incomplete(why: string): AwsError {
  return new AwsError('IncompleteSignature', `The Authorization header is incomplete or malformed: ${why}.`, 400);
}

function mismatch(message: string): AwsError {
  return new AwsError('SignatureDoesNotMatch', message, 403);
}

function unknownToken(): AwsError {
  return new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
}
