/** S3's HTTP binding, path style: which request is which operation, and how its result is answered. Source: Amazon S3 API Reference. */
import { AwsError, notImplemented } from '../core/aws-error.ts';
import type { Input, LocalService } from '../core/service.ts';

/** By method and subresource (a query parameter without value), for a bucket and for an object. */
const bucketRoutes: Readonly<Record<string, string>> = {
  'PUT ': 'CreateBucket',
  'HEAD ': 'HeadBucket',
  'DELETE ': 'DeleteBucket',
  'PUT policy': 'PutBucketPolicy',
  'GET policy': 'GetBucketPolicy',
  'DELETE policy': 'DeleteBucketPolicy',
  'PUT publicAccessBlock': 'PutPublicAccessBlock',
  'GET publicAccessBlock': 'GetPublicAccessBlock',
};
const objectRoutes: Readonly<Record<string, string>> = {
  'GET ': 'GetObject',
  'HEAD ': 'HeadObject',
  'PUT ': 'PutObject',
  'DELETE ': 'DeleteObject',
};

/** Which header is which member of an operation's input. */
const readHeaders = { 'x-amz-checksum-mode': 'ChecksumMode' };
const headerMembers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  GetObject: readHeaders,
  HeadObject: readHeaders,
  PutObject: {
    'cache-control': 'CacheControl',
    'content-md5': 'ContentMD5',
    'content-type': 'ContentType',
    'if-none-match': 'IfNoneMatch',
    'x-amz-checksum-crc32': 'ChecksumCRC32',
    'x-amz-sdk-checksum-algorithm': 'ChecksumAlgorithm',
  },
};
/** Of the transport, the signature and the client; and what clients add to a configuration, which the signature covers already. */
const withoutMeaning = new Set(['x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token', 'x-amz-user-agent']);
const isConfiguration = (operation: string): boolean => operation === 'PutBucketPolicy' || operation === 'PutPublicAccessBlock';
/** Headers that change what an operation does. */
const meaningful = /^(?:x-amz-.*|range|if-.*|content-encoding|expires)$/;

export const route: NonNullable<LocalService['route']> = (method, path, query, body, headers) => {
  if (headers['x-amz-content-sha256']?.startsWith('STREAMING-') === true) throw notImplemented('chunked uploads');
  const { bucket, key } = addressOf(path);
  // `x-id` names the operation once more, for logs.
  const parameters = [...query].filter(([name]) => name !== 'x-id');
  const subresource = parameters.find(([, value]) => value === '')?.[0] ?? '';
  const operation = (key === '' ? bucketRoutes : objectRoutes)[`${method} ${subresource}`];
  if (bucket === '' || operation === undefined) return undefined;
  // What no member stands for is passed on under a name no operation has: it is refused there as not implemented.
  const unknownParameters = parameters.filter(([name]) => name !== subresource).map(([name, value]) => [`?${name}`, value]);
  const fromHeaders = Object.entries(headers).flatMap(([name, value]) => {
    const member = headerMembers[operation]?.[name];
    if (member !== undefined) return [[member, value]];
    const isForeign = meaningful.test(name) && !withoutMeaning.has(name);
    return isForeign && !(isConfiguration(operation) && name.includes('checksum')) ? [[name, value]] : [];
  });
  const input = { ...Object.fromEntries([...unknownParameters, ...fromHeaders]), ...bodyMembers(operation, body) };
  return { operation, input: { ...input, Bucket: bucket, ...(key === '' ? {} : { Key: key }) } };
};

function bodyMembers(operation: string, body: Uint8Array): Input {
  const text = (): string => Buffer.from(body).toString('utf8');
  if (operation === 'PutObject') return { Body: body };
  if (operation === 'PutBucketPolicy') return { Policy: text() };
  if (operation === 'PutPublicAccessBlock') return { PublicAccessBlockConfiguration: flagsOf(text()) };
  if (body.length > 0) throw notImplemented(`a body for ${operation}`);
  return {};
}

/** Elements with a truth value in them: all there is in this configuration. */
function flagsOf(xml: string): Record<string, boolean> {
  return Object.fromEntries([...xml.matchAll(/<(\w+)>\s*(true|false)\s*<\/\1>/gi)].map(([, name, flag]) => [name, flag === 'true']));
}

function addressOf(path: string): { bucket: string; key: string } {
  const [, bucket = '', ...rest] = path.split('/');
  try {
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(rest.join('/')) };
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** A read of an object in a bucket that exists; everything else needs a signature. */
export function takesUnsigned(method: string, target: string, isBucket: (name: string) => boolean): boolean {
  const [path = ''] = target.split('?');
  const [, bucket = '', ...rest] = path.split('/');
  return (method === 'GET' || method === 'HEAD') && rest.join('/') !== '' && isBucket(bucket);
}

const noContent = new Set(['DeleteBucket', 'DeleteBucketPolicy', 'DeleteObject', 'PutBucketPolicy']);

export const respond: NonNullable<LocalService['respond']> = (operation, result) => {
  if (operation === 'GetBucketPolicy')
    return { status: 200, headers: { 'content-type': 'application/json' }, body: String(result['Policy']) };
  if (operation === 'GetPublicAccessBlock')
    return { status: 200, headers: { 'content-type': 'application/xml' }, body: flagsShown(result) };
  const { Body, ETag, ChecksumCRC32, ContentType, CacheControl, LastModified, Location } = result;
  const headers = {
    etag: ETag,
    'x-amz-checksum-crc32': ChecksumCRC32,
    'content-type': ContentType,
    'cache-control': CacheControl,
    'last-modified': LastModified instanceof Date ? LastModified.toUTCString() : undefined,
    location: Location,
  };
  const set = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  // For HEAD the body gives the length; it is not sent.
  return {
    status: noContent.has(operation) ? 204 : 200,
    headers: Object.fromEntries(set),
    body: Body instanceof Uint8Array ? Body : '',
  };
};

/** The one configuration that is read back, as XML. */
function flagsShown({ PublicAccessBlockConfiguration: flags }: Readonly<Record<string, unknown>>): string {
  const elements = Object.entries(flags ?? {}).map(([name, value]) => `<${name}>${String(value)}</${name}>`);
  return `<PublicAccessBlockConfiguration>${elements.join('')}</PublicAccessBlockConfiguration>`;
}
