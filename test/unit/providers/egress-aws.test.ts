import { describe, expect, it } from 'vitest';
import type { CredentialSettings, InjectedSecret } from '../../../functions/providers/egress-adapter.ts';
import { egressAdapterOf, egressAdapters } from '../../../functions/providers/egress-adapters.ts';
import { createEgressGuard } from '../../../functions/providers/egress-guard.ts';
import { upstreamHeaders } from '../../../functions/providers/egress-headers.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { parseAuthorization, verifySignature } from '../../../local/core/sigv4.ts';

const { aws, bedrock } = egressAdapters;
const settings: CredentialSettings = { regions: ['eu-central-1', 'us-east-1'], services: ['bedrock', 'dynamodb', 's3', 'sqs'] };
const session: InjectedSecret = {
  kind: 'aws-session',
  accessKeyId: 'ASIAEXAMPLE',
  secretAccessKey: new SecretText('s-1'),
  sessionToken: new SecretText('st-1'),
};
const target = (method: string, path: string, query = '', own = settings, baseUrl?: string) =>
  aws.target({ method, path, query }, own, baseUrl);

describe('B7 the URL that a use of a connected account becomes', () => {
  it.each([
    ['POST', 'dynamodb/us-east-1', 'https://dynamodb.us-east-1.amazonaws.com/'],
    ['POST', 'dynamodb/eu-central-1/', 'https://dynamodb.eu-central-1.amazonaws.com/'],
    ['POST', 'sqs/us-east-1/', 'https://sqs.us-east-1.amazonaws.com/'],
    ['GET', 's3/us-east-1/cordon-docs/a.txt', 'https://s3.us-east-1.amazonaws.com/cordon-docs/a.txt'],
    [
      'GET',
      's3/us-east-1/cordon-docs.eu/2026/q1/a%20b%2Bc(1).txt',
      'https://s3.us-east-1.amazonaws.com/cordon-docs.eu/2026/q1/a%20b%2Bc%281%29.txt',
    ],
    ['GET', 's3/us-east-1/cordon-docs/m%C3%B6bel', 'https://s3.us-east-1.amazonaws.com/cordon-docs/m%C3%B6bel'],
  ])('%s %s is %s', (method, path, url) => {
    const found = target(method, path);
    expect(found?.url.href).toBe(url);
    const [service, region] = path.split('/');
    expect(found?.scope).toEqual({ service, region });
    expect(() => createEgressGuard({ allowLoopback: false }).check(new URL(url), aws.hosts(settings))).not.toThrow();
  });

  it('is at the local cloud in development', () => {
    expect(target('GET', 's3/us-east-1/cordon-docs/a', '', settings, 'http://127.0.0.1:4566/')?.url.href).toBe(
      'http://127.0.0.1:4566/cordon-docs/a',
    );
    expect(target('POST', 'sqs/us-east-1', '', settings, 'http://127.0.0.1:4566')?.url.href).toBe('http://127.0.0.1:4566/');
  });

  it.each([
    ['a service that was not asked for', 'POST', 'sqs/us-east-1', '', { ...settings, services: ['dynamodb', 's3'] }],
    ['Bedrock, which has an adapter of its own', 'POST', 'bedrock/us-east-1', '', settings],
    ['a service that nobody may ask for', 'POST', 'iam/us-east-1', '', { ...settings, services: ['iam'] }],
    ['what every object has', 'POST', 'constructor/us-east-1', '', { ...settings, services: ['constructor'] }],
    ['a region that was not asked for', 'POST', 'dynamodb/us-west-2', '', settings],
    ['no region', 'POST', 'dynamodb', '', settings],
    ['a host in the region’s place', 'POST', 'dynamodb/us-east-1.evil.example', '', settings],
    ['a path where there is one only', 'POST', 'sqs/us-east-1/444455556666/cordon-q', '', settings],
    ['another method of a JSON protocol', 'GET', 'sqs/us-east-1', '', settings],
    ['the query protocol of SQS', 'POST', 'sqs/us-east-1', 'Action=DeleteQueue', settings],
    ['writing an object', 'PUT', 's3/us-east-1/cordon-docs/a', '', settings],
    ['posting to a bucket', 'POST', 's3/us-east-1/cordon-docs/a', '', settings],
    ['listing a bucket', 'GET', 's3/us-east-1/cordon-docs', '', settings],
    ['listing a bucket with a slash', 'GET', 's3/us-east-1/cordon-docs/', '', settings],
    ['listing buckets', 'GET', 's3/us-east-1', '', settings],
    ['a bucket of another name', 'GET', 's3/us-east-1/payroll/a', '', settings],
    ['a bucket whose name only begins alike', 'GET', 's3/us-east-1/cordon/a', '', settings],
    ['a bucket in another spelling', 'GET', 's3/us-east-1/Cordon-docs/a', '', settings],
    ['a bucket with an encoded name', 'GET', 's3/us-east-1/cordon-%64ocs/a', '', settings],
    ['a bucket given by its ARN', 'GET', 's3/us-east-1/arn:aws:s3:us-east-1:444455556666:accesspoint/a', '', settings],
    ['a dot segment', 'GET', 's3/us-east-1/cordon-docs/../payroll/a', '', settings],
    ['a single dot', 'GET', 's3/us-east-1/cordon-docs/./a', '', settings],
    ['dots only', 'GET', 's3/us-east-1/cordon-docs/.../a', '', settings],
    ['an encoded dot segment', 'GET', 's3/us-east-1/cordon-docs/%2e%2E/payroll/a', '', settings],
    ['a half-encoded dot segment', 'GET', 's3/us-east-1/cordon-docs/.%2e/payroll/a', '', settings],
    ['a dot segment encoded twice', 'GET', 's3/us-east-1/cordon-docs/%252e%252e/a', '', settings],
    ['an encoded slash', 'GET', 's3/us-east-1/cordon-docs/..%2fpayroll%2fa', '', settings],
    ['a backslash', 'GET', 's3/us-east-1/cordon-docs/..%5cpayroll', '', settings],
    ['an empty segment', 'GET', 's3/us-east-1/cordon-docs//a', '', settings],
    ['a control character', 'GET', 's3/us-east-1/cordon-docs/a%0d%0aX: y', '', settings],
    ['what is not UTF-8', 'GET', 's3/us-east-1/cordon-docs/%ff', '', settings],
    ['too long a key', 'GET', `s3/us-east-1/cordon-docs/${'a'.repeat(2048)}`, '', settings],
    ['a presigned query', 'GET', 's3/us-east-1/cordon-docs/a', 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00', settings],
    ['an older presigned query', 'GET', 's3/us-east-1/cordon-docs/a', 'AWSAccessKeyId=A&Signature=s&Expires=1', settings],
    ['a parameter of S3’s', 'GET', 's3/us-east-1/cordon-docs/a', 'acl=', settings],
    ['the name of another operation', 'GET', 's3/us-east-1/cordon-docs/a', 'x-id=GetObjectAcl', settings],
  ] as const)('does not exist for %s', (_what, method, path, query, own) => {
    expect(target(method, path, query, own)).toBeUndefined();
  });

  it('leaves out the operation’s name that AWS’s own clients add', () => {
    expect(target('GET', 's3/us-east-1/cordon-docs/a', 'x-id=GetObject')?.url.search).toBe('');
  });

  it.each([{}, { regions: ['us-east-1'] }, { services: ['s3'] }, { services: ['s3'], regions: ['us-east-1.evil.example/'] }])(
    'is not made from the settings %j',
    (own) => {
      const notConfigured = expect.objectContaining({ code: 'EGRESS_NOT_CONFIGURED' });
      expect(() => target('POST', 's3/us-east-1', '', own)).toThrow(notConfigured);
      expect(() => aws.hosts(own)).toThrow(notConfigured);
    },
  );

  it('is at no other host than those of the settings', () => {
    expect(aws.hosts({ services: ['bedrock', 's3'], regions: ['us-east-1', 'eu-central-1'] })).toEqual([
      's3.us-east-1.amazonaws.com',
      's3.eu-central-1.amazonaws.com',
    ]);
    expect(egressAdapterOf('aws')).toBe(aws);
  });
});

describe('B7 the signature of a use', () => {
  const json = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.GetItem' };

  function signed(path: string, inbound: Record<string, string>, body = '', method = body === '' ? 'GET' : 'POST') {
    const found = target(method, path);
    if (found === undefined) throw new Error(`no target for ${path}`);
    const headers = upstreamHeaders(aws, inbound);
    const bytes = Buffer.from(body);
    const added = aws.authHeaders(session, { method, url: found.url, headers, body: bytes, scope: found.scope }, settings);
    // As it goes out: a body with its length, and the host.
    const length: Record<string, string> = bytes.length > 0 || method !== 'GET' ? { 'content-length': String(bytes.length) } : {};
    const all = { ...headers, ...added, host: found.url.host, ...length };
    return { request: { method, target: `${found.url.pathname}${found.url.search}`, headers: all, body: bytes }, added };
  }
  type Request = ReturnType<typeof signed>['request'];

  function verified(request: Request, region: string) {
    const authorization = parseAuthorization(request);
    verifySignature(request, authorization, {
      region,
      clocks: [Date.now()],
      now: Date.now(),
      credentialsOf: (id) => (id === 'ASIAEXAMPLE' ? { secretAccessKey: 's-1', sessionToken: 'st-1' } : undefined),
    });
    return authorization;
  }

  it.each([
    ['dynamodb/eu-central-1', json, '{"TableName":"cordon-orders"}', 'dynamodb', 'eu-central-1'],
    ['sqs/us-east-1', { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.SendMessage' }, '{}', 'sqs', 'us-east-1'],
    ['s3/us-east-1/cordon-docs/2026/a.txt', {}, '', 's3', 'us-east-1'],
    ['s3/us-east-1/cordon-docs/a%20b%2Bc(1)=m%C3%B6bel', { accept: '*/*' }, '', 's3', 'us-east-1'],
  ])('of %s holds, for the service in its region', (path, headers, body, service, region) => {
    const { request } = signed(path, headers, body);
    expect(verified(request, region)).toMatchObject({ service, region, accessKeyId: 'ASIAEXAMPLE' });
    expect(() => verified(request, 'ap-south-1')).toThrow(/valid Region/);
  });

  it.each<[string, (request: Request) => Request]>([
    ['another path', (request) => ({ ...request, target: '/cordon-other' })],
    ['a query', (request) => ({ ...request, target: `${request.target}?acl=` })],
    ['another method', (request) => ({ ...request, method: 'PUT' })],
    ['another body', (request) => ({ ...request, body: Buffer.from('{"TableName":"cordon-other"}') })],
    ['another operation', (request) => ({ ...request, headers: { ...request.headers, 'x-amz-target': 'DynamoDB_20120810.DeleteTable' } })],
    ['another type', (request) => ({ ...request, headers: { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' } })],
    ['another host', (request) => ({ ...request, headers: { ...request.headers, host: 'dynamodb.us-east-1.amazonaws.com' } })],
  ])('does not hold for %s', (_what, change) => {
    const { request } = signed('dynamodb/eu-central-1', json, '{"TableName":"cordon-orders"}');
    expect(() => verified(change(request), 'eu-central-1')).toThrow(/signature/);
  });

  it.each([
    ['an operation that changes something', { ...json, 'x-amz-target': 'DynamoDB_20120810.DeleteTable' }],
    ['two operations', { ...json, 'x-amz-target': 'DynamoDB_20120810.GetItem, DynamoDB_20120810.DeleteTable' }],
    ['an operation of another service', { ...json, 'x-amz-target': 'AmazonSQS.SendMessage' }],
    ['no operation', { 'content-type': json['content-type'] }],
    ['another protocol’s body', { ...json, 'content-type': 'application/x-www-form-urlencoded' }],
    ['a body of no type', { 'x-amz-target': json['x-amz-target'] }],
  ])('is not made for %s', (_what, headers) => {
    expect(() => signed('dynamodb/us-east-1', headers, '{}')).toThrow(expect.objectContaining({ code: 'PATH_NOT_ALLOWED' }));
  });

  it('is not made for an operation that is named where objects are read', () => {
    expect(() => signed('s3/us-east-1/cordon-docs/a', json)).toThrow(expect.objectContaining({ code: 'PATH_NOT_ALLOWED' }));
  });

  it('takes nothing of the caller’s own credentials, and none but a session', () => {
    const { request } = signed('s3/us-east-1/cordon-docs/a', {
      authorization: 'AWS4-HMAC-SHA256 Credential=AKIACALLER/…',
      'x-amz-security-token': 'callers',
      'x-amz-date': '20200101T000000Z',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-expected-bucket-owner': '999999999999',
      range: 'bytes=0-1',
    });
    expect(JSON.stringify(request.headers)).not.toMatch(/CALLER|callers|20200101|UNSIGNED|999999999999|bytes=/);
    const { url, scope } = target('GET', 's3/us-east-1/cordon-docs/a') ?? {};
    if (url === undefined) throw new Error('no target');
    const outgoing = { method: 'GET', url, headers: {}, body: Buffer.alloc(0), scope };
    const notConfigured = expect.objectContaining({ code: 'EGRESS_NOT_CONFIGURED' });
    for (const secret of [
      { kind: 'api-key', apiKey: new SecretText('k') },
      { kind: 'bearer', token: new SecretText('t') },
    ] as const)
      expect(() => aws.authHeaders(secret, outgoing, settings)).toThrow(notConfigured);
    expect(() => aws.authHeaders(session, { ...outgoing, scope: undefined }, settings)).toThrow(notConfigured);
  });

  it('shows nothing of the session but its name and its token', () => {
    const { added } = signed('dynamodb/us-east-1', json, '{}');
    expect(JSON.stringify(added)).not.toContain('s-1"');
    expect(added['x-amz-security-token']).toBe('st-1');
  });

  it('counts no tokens, whatever an object says', () => {
    const reader = aws.usage('application/json');
    reader.push(Buffer.from('{"usage":{"input_tokens":5,"output_tokens":7}}'));
    expect(reader.end()).toBeUndefined();
  });

  it('of Bedrock holds as well, and says for which region the session is', () => {
    const own = { region: 'eu-central-1' };
    const found = bedrock.target({ method: 'POST', path: 'model/amazon.nova-micro-v1:0/converse', query: '' }, own);
    if (found === undefined) throw new Error('no target');
    expect(found.scope).toEqual({ service: 'bedrock', region: 'eu-central-1' });
    const body = Buffer.from('{}');
    const headers = { 'content-type': 'application/json' };
    const added = bedrock.authHeaders(session, { method: 'POST', url: found.url, headers, body }, own);
    const all = { ...headers, ...added, host: found.url.host, 'content-length': '2' };
    const request = { method: 'POST', target: found.url.pathname, headers: all, body };
    expect(verified(request, 'eu-central-1')).toMatchObject({ service: 'bedrock' });
  });
});
