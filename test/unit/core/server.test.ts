import { createHash, createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import {
  CreateRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam';
import { GetSecretValueCommand, ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../local/core/clock.ts';
import type { AccountKeys, LocalKernel } from '../../../local/core/kernel.ts';
import type { LocalServer } from '../../../local/core/server.ts';
import { startServer } from '../../../local/core/server.ts';
import { allow, customer, echoService, makeRole, platform, policy, startCloud, trust } from './cloud.ts';

let kernel: LocalKernel;
let clock: Clock;
let server: LocalServer;
let defects: string[];
let keys: AccountKeys;
let echo: ReturnType<typeof echoService>;
const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:s-AbCdEf';

beforeEach(async () => {
  ({ kernel, clock } = startCloud());
  echo = echoService();
  kernel.register(echo);
  defects = [];
  server = await startServer(kernel, { port: 0, reportDefect: (text) => defects.push(text) });
  keys = kernel.addAccount(platform);
});
afterEach(() => server.close());

interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}
const config = (credentials: Credentials) => ({
  region: 'us-east-1',
  endpoint: server.endpoint,
  maxAttempts: 1,
  credentials: {
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
  },
});
const sts = (credentials?: Credentials) => new STSClient(config(credentials ?? keys));
const iam = (credentials?: Credentials) => new IAMClient(config(credentials ?? keys));
const secrets = (credentials?: Credentials) => new SecretsManagerClient(config(credentials ?? keys));
const whoAmI = (credentials?: Credentials) => sts(credentials).send(new GetCallerIdentityCommand({}));
const read = (credentials?: Credentials) => secrets(credentials).send(new GetSecretValueCommand({ SecretId: secret }));

async function session(arn: string, more: { DurationSeconds?: number } = {}): Promise<Credentials> {
  const answer = await sts().send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'acme.user', ...more }));
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
}

interface Raw {
  status: number;
  body: string;
}
function post(headers: Record<string, string>, body: string, path = '/', method = 'POST'): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${server.endpoint}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Signs by hand, so that a test can spoil one part. Answers the headers to send. */
function signed(
  body: string,
  options: {
    headers?: Record<string, string>;
    service?: string;
    region?: string;
    at?: Date;
    credentials?: Credentials;
    scopeDate?: string;
    sign?: string[];
  } = {},
): Record<string, string> {
  const { service = 'sts', region = 'us-east-1', at = new Date() } = options;
  const credentials: Credentials = options.credentials ?? keys;
  const amzDate = at.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = options.scopeDate ?? amzDate.slice(0, 8);
  const headers: Record<string, string> = {
    host: `127.0.0.1:${server.port}`,
    'x-amz-date': amzDate,
    'content-type': 'application/x-www-form-urlencoded',
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
    ...options.headers,
  };
  const names = (options.sign ?? Object.keys(headers)).toSorted();
  const sha = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonical = ['POST', '/', '', ...names.map((name) => `${name}:${headers[name]}`), '', names.join(';'), sha(body)].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = mac(mac(mac(mac(`AWS4${credentials.secretAccessKey}`, date), region), service), 'aws4_request');
  const signature = mac(key, ['AWS4-HMAC-SHA256', amzDate, scope, sha(canonical)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}
const identityBody = 'Action=GetCallerIdentity&Version=2011-06-15';

describe('unmodified SDK clients', () => {
  it('are told who they are, in each account', async () => {
    await expect(whoAmI()).resolves.toMatchObject({
      Account: platform,
      Arn: `arn:aws:iam::${platform}:user/admin`,
      UserId: expect.stringMatching(/^AIDA/),
    });
    await expect(whoAmI(kernel.addAccount(customer))).resolves.toMatchObject({ Account: customer });
  });

  it('make roles with tags and assume them', async () => {
    const client = iam();
    const document = trust({ AWS: platform });
    const made = await client.send(
      new CreateRoleCommand({
        RoleName: 'R',
        Path: '/cordon/',
        AssumeRolePolicyDocument: document,
        Description: '<R> & "role"',
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
    );
    expect(made.Role).toMatchObject({
      Arn: `arn:aws:iam::${platform}:role/cordon/R`,
      CreateDate: expect.any(Date),
      MaxSessionDuration: 3600,
    });
    await client.send(new PutRolePolicyCommand({ RoleName: 'R', PolicyName: 'P', PolicyDocument: policy(allow('*')) }));
    const got = await client.send(new GetRoleCommand({ RoleName: 'R' }));
    expect(got.Role?.Description).toBe('<R> & "role"');
    expect(got.Role?.Tags).toEqual([{ Key: 'a', Value: 'b' }]);
    expect(JSON.parse(decodeURIComponent(got.Role?.AssumeRolePolicyDocument ?? ''))).toEqual(
      JSON.parse(document.replace(platform, `arn:aws:iam::${platform}:root`)),
    );
    await expect(client.send(new UpdateRoleCommand({ RoleName: 'R', MaxSessionDuration: 7200 }))).resolves.toBeDefined();
    await expect(client.send(new DeleteRolePolicyCommand({ RoleName: 'R', PolicyName: 'P' }))).resolves.toBeDefined();
    const answer = await sts().send(
      new AssumeRoleCommand({
        RoleArn: made.Role?.Arn,
        RoleSessionName: 'acme.u',
        Tags: [{ Key: 'TenantId', Value: 'acme' }],
        TransitiveTagKeys: ['TenantId'],
        DurationSeconds: 900,
      }),
    );
    expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${platform}:assumed-role/R/acme.u`);
    expect(answer.Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now() + 890_000);
    const listed = await client.send(new ListRolesCommand({ PathPrefix: '/cordon/' }));
    expect(listed.Roles?.map(({ RoleName }) => RoleName)).toEqual(['R']);
    expect(listed.IsTruncated).toBe(false);
  });

  it('get errors by name in the query and the JSON protocol', async () => {
    await expect(iam().send(new GetRoleCommand({ RoleName: 'None' }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(sts().send(new GetSessionTokenCommand({}))).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(secrets().send(new ListSecretsCommand({}))).rejects.toMatchObject({ name: 'NotImplemented' });
    const nobody = await session(await makeRole(kernel, 'Nothing', trust({ AWS: platform })));
    await expect(read(nobody)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: secretsmanager:GetSecretValue'),
    });
    await expect(iam(nobody).send(new ListRolesCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it("see the journal's request ID", async () => {
    const { $metadata } = await read();
    expect(kernel.journal.since().at(-1)?.requestId).toBe($metadata.requestId);
  });

  it('work with session credentials until these expire on the injected clock', async () => {
    const role = await makeRole(kernel, 'Short', trust({ AWS: platform }), policy(allow('*')));
    const credentials = await session(role, { DurationSeconds: 900 });
    await expect(whoAmI(credentials)).resolves.toMatchObject({ Arn: `arn:aws:sts::${platform}:assumed-role/Short/acme.user` });
    await expect(read(credentials)).resolves.toMatchObject({ ARN: secret });
    clock.advance(900_001);
    await expect(whoAmI(credentials)).rejects.toMatchObject({ name: 'ExpiredToken' });
    await expect(read(credentials)).rejects.toMatchObject({ name: 'ExpiredTokenException' });
    await expect(whoAmI()).resolves.toBeDefined();
  });

  it('lose the connection when a fault takes the answer, and get 500 when nothing was done', async () => {
    kernel.faults.add({ service: 'secretsmanager', action: 'GetSecretValue', nth: 1, mode: 'after' });
    await expect(read()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(echo.done).toHaveLength(1);
    kernel.faults.add({ service: 'secretsmanager', action: 'GetSecretValue', nth: 1, mode: 'before' });
    await expect(read()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(echo.done).toHaveLength(1);
  });
});

describe('a request whose signature is not right', () => {
  it.each([
    ['an unknown key', { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }, 'InvalidClientTokenId', 'UnrecognizedClientException'],
    ['the wrong secret', { secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch', 'InvalidSignatureException'],
    ['a session token with a long-term key', { sessionToken: 'token' }, 'InvalidClientTokenId', 'UnrecognizedClientException'],
  ])('with %s is refused', async (_, change, queryName, jsonName) => {
    await expect(whoAmI({ ...keys, ...change })).rejects.toMatchObject({ name: queryName });
    await expect(read({ ...keys, ...change })).rejects.toMatchObject({ name: jsonName });
    expect(echo.done).toEqual([]);
  });

  it("with another session's token, or none, is refused", async () => {
    const role = await makeRole(kernel, 'Any', trust({ AWS: platform }), policy(allow('*')));
    const [one, two] = [await session(role), await session(role)];
    await expect(whoAmI(one)).resolves.toBeDefined();
    await expect(whoAmI({ ...one, sessionToken: two.sessionToken ?? '' })).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(whoAmI({ accessKeyId: one.accessKeyId, secretAccessKey: one.secretAccessKey })).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
  });

  it('is accepted when signed by hand as the guide says', async () => {
    await expect(post(signed(identityBody), identityBody)).resolves.toMatchObject({
      status: 200,
      body: expect.stringContaining(`<Account>${platform}</Account>`),
    });
  });

  it('because its body was changed, or its hash lies, is refused', async () => {
    const headers = signed('Action=GetCallerIdentity&Version=2011-06-15');
    await expect(post(headers, 'Action=GetSessionToken&Version=2011-06-15')).resolves.toMatchObject({
      status: 403,
      body: expect.stringContaining('SignatureDoesNotMatch'),
    });
    const lying = signed(identityBody, { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } });
    await expect(post(lying, identityBody)).resolves.toMatchObject({ status: 403, body: expect.stringContaining('SignatureDoesNotMatch') });
  });

  it('because a signed header, the path or the query was changed is refused', async () => {
    const headers = signed(identityBody);
    const refused = { status: 403, body: expect.stringContaining('SignatureDoesNotMatch') };
    await expect(
      post({ ...headers, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }, identityBody),
    ).resolves.toMatchObject(refused);
    await expect(post(headers, identityBody, '/other')).resolves.toMatchObject(refused);
    await expect(post(headers, identityBody, '/?a=b')).resolves.toMatchObject(refused);
  });

  it('because it adds an unsigned x-amz- header is refused: a target must not be swapped', async () => {
    const headers = { ...signed(identityBody), 'x-amz-target': 'secretsmanager.GetSecretValue' };
    await expect(post(headers, identityBody)).resolves.toMatchObject({ status: 403, body: expect.stringContaining('must be signed') });
  });

  it('for one service does not reach another one by its target', async () => {
    const body = JSON.stringify({ SecretId: secret });
    const headers = signed(body, {
      service: 'secretsmanager',
      headers: { 'x-amz-target': 'TrentService.GetSecretValue', 'content-type': 'application/x-amz-json-1.1' },
    });
    await expect(post(headers, body)).resolves.toMatchObject({ status: 400, body: expect.stringContaining('UnknownOperationException') });
    expect(echo.done).toEqual([]);
  });

  it.each([
    ['six minutes in the past', -6],
    ['six minutes in the future', 6],
  ])('of %s is refused', async (_, minutes) => {
    const headers = signed(identityBody, { at: new Date(Date.now() + minutes * 60_000) });
    await expect(post(headers, identityBody)).resolves.toMatchObject({ status: 403, body: expect.stringContaining('Signature expired') });
  });

  it('by four minutes, or not at all on the injected clock, is accepted', async () => {
    await expect(post(signed(identityBody, { at: new Date(Date.now() - 4 * 60_000) }), identityBody)).resolves.toMatchObject({
      status: 200,
    });
    clock.advance(5 * 3_600_000);
    await expect(post(signed(identityBody), identityBody)).resolves.toMatchObject({ status: 200 });
    await expect(post(signed(identityBody, { at: new Date(clock.now()) }), identityBody)).resolves.toMatchObject({ status: 200 });
    await expect(post(signed(identityBody, { at: new Date(clock.now() + 6 * 60_000) }), identityBody)).resolves.toMatchObject({
      status: 403,
    });
  });

  it('of a client that set its clock by an earlier answer is accepted when the injected clock has moved on', async () => {
    clock.advance(3_600_000);
    const learned = new Date(clock.now());
    clock.advance(4 * 3_600_000);
    await expect(post(signed(identityBody, { at: learned }), identityBody)).resolves.toMatchObject({ status: 200 });
  });

  it('because its scope has another date or Region is refused', async () => {
    await expect(post(signed(identityBody, { scopeDate: '20200101' }), identityBody)).resolves.toMatchObject({
      status: 403,
      body: expect.stringContaining('Date in Credential scope'),
    });
    for (const scope of [{ region: 'eu-west-1', service: 'iam' }, { region: 'mars-1' }])
      await expect(post(signed(identityBody, scope), identityBody)).resolves.toMatchObject({
        status: 403,
        body: expect.stringContaining('valid Region'),
      });
  });

  it('because there is none, also in a presigned URL, is told so', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    await expect(post(form, identityBody)).resolves.toMatchObject({
      status: 403,
      body: expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    });
    const presigned = '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Signature=b';
    await expect(post({}, '', presigned, 'GET')).resolves.toMatchObject({ body: expect.stringContaining('MissingAuthenticationToken') });
    await expect(post({ 'content-type': 'application/x-amz-json-1.1' }, '{}')).resolves.toMatchObject({
      body: expect.stringContaining('MissingAuthenticationTokenException'),
    });
  });

  it.each([
    ['another algorithm', 'AWS4-HMAC-SHA1 Credential=a'],
    ['no credential', `AWS4-HMAC-SHA256 SignedHeaders=host, Signature=${'a'.repeat(64)}`],
    ['a short scope', `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1, SignedHeaders=host, Signature=${'a'.repeat(64)}`],
    ['no signature', 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, SignedHeaders=host'],
    [
      'no host signed',
      `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sts/aws4_request, SignedHeaders=x-amz-date, Signature=${'a'.repeat(64)}`,
    ],
  ])('because it has %s is called incomplete', async (_, authorization) => {
    const answer = await post(
      { authorization, 'content-type': 'application/x-www-form-urlencoded', 'x-amz-date': '20260101T000000Z' },
      identityBody,
    );
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('IncompleteSignature') });
  });
});

describe('the server', () => {
  it('refuses a body over 10 MiB and goes on serving', async () => {
    const answer = await post({ 'content-type': 'application/json' }, 'x'.repeat(10 * 1024 * 1024 + 1));
    expect(answer.status).toBe(413);
    await expect(whoAmI()).resolves.toBeDefined();
  });

  it('answers a body that is not JSON without quoting it', async () => {
    const body = '{"SecretString": "canary';
    const headers = signed(body, {
      service: 'secretsmanager',
      headers: { 'x-amz-target': 'secretsmanager.GetSecretValue', 'content-type': 'application/x-amz-json-1.1' },
    });
    const answer = await post(headers, body);
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('SerializationException') });
    expect(answer.body).not.toContain('canary');
  });

  it('answers a service it does not have', async () => {
    await expect(post(signed(identityBody, { service: 's3' }), identityBody)).resolves.toMatchObject({
      status: 501,
      body: expect.stringContaining('the service s3'),
    });
  });

  it('hides a defect behind the request ID', async () => {
    const broken = {
      needs: () => [],
      run: () => {
        throw new TypeError('internal detail');
      },
    };
    kernel.register(echoService({ signingName: 'kms', targetPrefix: 'TrentService', operations: { Decrypt: broken } }));
    const headers = signed('{}', {
      service: 'kms',
      headers: { 'x-amz-target': 'TrentService.Decrypt', 'content-type': 'application/x-amz-json-1.1' },
    });
    const answer = await post(headers, '{}');
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('internal detail');
    expect(defects).toEqual([expect.stringContaining('internal detail')]);
  });

  it('listens on loopback only and fails when the port is taken', async () => {
    expect(server.endpoint).toBe(`http://127.0.0.1:${server.port}`);
    await expect(startServer(kernel, { port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('a rest-json service', () => {
  it('is routed by its path, double-encoded in the signature, and may shape its answer', async () => {
    kernel.register(
      echoService({
        signingName: 'lambda',
        protocol: 'rest-json',
        route: (method, path, query, body) => ({
          operation: 'Invoke',
          input: { method, path, qualifier: query.get('Qualifier'), body: Buffer.from(body).toString() },
        }),
        respond: (_, result) => ({ status: 202, headers: { 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(result) }),
        operations: { Invoke: { needs: () => [], run: (input) => input } },
      }),
    );
    const { LambdaClient, InvokeCommand } = await import('@aws-sdk/client-lambda');
    const arn = 'arn:aws:lambda:us-east-1:111122223333:function:f';
    const answer = await new LambdaClient(config(keys)).send(
      new InvokeCommand({ FunctionName: arn, Qualifier: '$LATEST', Payload: '{"a":1}' }),
    );
    expect(answer).toMatchObject({ StatusCode: 202, FunctionError: 'Unhandled' });
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toMatchObject({
      method: 'POST',
      qualifier: '$LATEST',
      body: '{"a":1}',
      path: expect.stringContaining('/functions/arn'),
    });
  });
});
