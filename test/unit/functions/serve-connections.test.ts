import type { APIGatewayProxyResult } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ConnectionsEvent } from '../../../functions/connections/serve-connections.handler.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import {
  aConnection,
  admin,
  type ConnectionsWorld,
  createConnectionsWorld,
  member,
  otherAdmin,
  platformAccount,
} from '../../support/connections-world.ts';

let world: ConnectionsWorld;
beforeEach(() => {
  world = createConnectionsWorld();
});

const event = (method: string, resource: string, token?: string): ConnectionsEvent => ({
  httpMethod: method,
  resource,
  path: resource,
  headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  pathParameters: null,
  body: null,
  isBase64Encoded: false,
  requestContext: { requestId: 'r-1' },
});
const get = (token?: string): Promise<APIGatewayProxyResult> => world.handler(event('GET', '/connections', token));
const post = (body: unknown, token: string = admin): Promise<APIGatewayProxyResult> =>
  world.handler({ ...event('POST', '/connections', token), body: typeof body === 'string' ? body : JSON.stringify(body) });
const end = (accountId: string, token: string = admin): Promise<APIGatewayProxyResult> =>
  world.handler({ ...event('DELETE', '/connections/{accountId}', token), pathParameters: { accountId } });
const errorOf = ({ statusCode, body }: APIGatewayProxyResult) => ({ statusCode, ...JSON.parse(body).error });
const wish = { customerAccountId: '444455556666', services: ['bedrock', 's3'], regions: ['us-east-1', 'eu-central-1'] };

describe('B1 who may connect and disconnect', () => {
  it("publishes an admin's request for the tenant of the token", async () => {
    const answer = await post({ ...wish, environment: 'staging', dataClasses: ['personal'] });
    expect(answer.statusCode).toBe(202);
    expect(JSON.parse(answer.body)).toEqual({ customerAccountId: '444455556666', status: 'requested' });
    const expected = { ...wish, version: 1, tenantId: 'acme', requestedBy: 'ann', environment: 'staging', dataClasses: ['personal'] };
    expect(world.published).toEqual([{ type: 'RoleConnectionRequested', detail: expected }]);
  });

  it('fills in the environment', async () => {
    await post(wish);
    expect(world.published[0]?.detail).toMatchObject({ environment: 'production' });
  });

  it('reads a body that API Gateway handed over in base64', async () => {
    const body = Buffer.from(JSON.stringify(wish)).toString('base64');
    const answer = await world.handler({ ...event('POST', '/connections', admin), body, isBase64Encoded: true });
    expect(answer.statusCode).toBe(202);
  });

  it('names the user ID when the subject is longer than an event takes', async () => {
    await post(wish, `acme/${'x'.repeat(200)}/admin`);
    expect(world.published[0]?.detail['requestedBy']).toMatch(/^[a-z2-7]{26}$/);
  });

  it.each([member, 'acme/ann/', 'acme/ann/Admin', 'acme/ann/administrator'])('refuses %s', async (token) => {
    world.dataOf('acme').connections = [aConnection()];
    expect(errorOf(await post(wish, token))).toMatchObject({ statusCode: 403, code: 'ROLE_REQUIRED' });
    expect(errorOf(await end('444455556666', token))).toMatchObject({ statusCode: 403, code: 'ROLE_REQUIRED' });
    expect(errorOf(await end('999999999999', token))).toMatchObject({ statusCode: 403, code: 'ROLE_REQUIRED' });
    expect(world.published).toEqual([]);
  });

  it('does not connect the account that Cordon runs in', async () => {
    expect(errorOf(await post({ ...wish, customerAccountId: platformAccount }))).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
    expect(world.published).toEqual([]);
  });

  it('asks for the end of a connection, and may ask again', async () => {
    world.dataOf('acme').connections = [aConnection({ status: 'active' })];
    for (const status of ['active', 'disconnected'] as const) {
      world.dataOf('acme').connections = [aConnection({ status })];
      const answer = await end('444455556666');
      expect(answer.statusCode).toBe(202);
      expect(JSON.parse(answer.body)).toEqual({ customerAccountId: '444455556666', status: 'disconnection-requested' });
    }
    const detail = { version: 1, tenantId: 'acme', requestedBy: 'ann', customerAccountId: '444455556666' };
    expect(world.published).toEqual(Array(2).fill({ type: 'RoleDisconnectionRequested', detail }));
  });

  it("answers another tenant's connection like one that does not exist", async () => {
    world.dataOf('acme').connections = [aConnection()];
    const [others, nobodys] = [await end('444455556666', otherAdmin), await end('999999999999', otherAdmin)];
    expect(errorOf(others)).toMatchObject({ statusCode: 404, code: 'CONNECTION_UNKNOWN' });
    expect(others).toEqual(nobodys);
    expect(world.published).toEqual([]);
  });

  it('looks after fifty accounts at a time', async () => {
    const many = Array.from({ length: 50 }, (_, index) => aConnection({ customerAccountId: String(100000000000 + index) }));
    world.dataOf('acme').connections = many;
    expect(errorOf(await post(wish))).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
    expect((await post({ ...wish, customerAccountId: '100000000007' })).statusCode).toBe(202);
    world.dataOf('acme').connections = [...many.slice(1), aConnection({ customerAccountId: '100000000000', status: 'disconnected' })];
    expect((await post(wish)).statusCode).toBe(202);
  });

  it.each(['', '44445555666', '444455556666x', '../TENANT'])('refuses to end %j', async (accountId) => {
    expect(errorOf(await end(accountId))).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
  });
});

describe('bodies that are no request', () => {
  it.each([
    ['', 'the body must be'],
    ['{', 'the body must be'],
    ['[]', 'the body must be'],
    ['null', 'the body must be'],
    [{ ...wish, tenantId: 'acme-2' }, 'nothing else'],
    [{ ...wish, requestedBy: 'root' }, 'nothing else'],
    [{ ...wish, externalId: 'cordon-mine' }, 'nothing else'],
    [{ ...wish, roleName: 'cordon.acme-2.abcdefgh' }, 'nothing else'],
    [{ ...wish, customerAccountId: '4444' }, '12 digits'],
    [{ ...wish, customerAccountId: 444455556666 }, '12 digits'],
    [{ ...wish, customerAccountId: undefined }, '12 digits'],
    [{ ...wish, services: [] }, 'services must be'],
    [{ ...wish, services: ['iam'] }, 'bedrock, dynamodb, s3, sqs'],
    [{ ...wish, services: ['s3', 's3'] }, 'services must be'],
    [{ ...wish, regions: [] }, 'regions must be'],
    [{ ...wish, regions: ['us-east-1', 'us-east-1'] }, 'regions must be'],
    [{ ...wish, regions: ['*'] }, 'regions must be'],
    [{ ...wish, regions: Array.from({ length: 11 }, (_, index) => `us-east-${index}`) }, 'regions must be'],
    [{ ...wish, environment: 'Production!' }, 'environment must be'],
    [{ ...wish, dataClasses: ['<b>'] }, 'dataClasses must be'],
  ])('refuses %j and says what is wrong', async (body, words) => {
    const error = errorOf(await post(body));
    expect(error).toMatchObject({ statusCode: 400, code: 'CALL_INVALID' });
    expect(error.message).toContain(words);
    expect(error.message).not.toContain('<b>');
    expect(world.published).toEqual([]);
  });

  it('refuses one that is too long', async () => {
    expect(errorOf(await post({ ...wish, environment: 'x'.repeat(9000) }))).toMatchObject({ statusCode: 413 });
  });
});

describe('who is let in', () => {
  it.each([undefined, 'stranger/ann/admin', 'ACME/ann/admin', 'acme//admin'])('refuses the token %j with one answer', async (token) => {
    expect(errorOf(await get(token))).toMatchObject({ statusCode: 401, code: 'TOKEN_REFUSED', message: 'The token was not accepted.' });
  });

  it('refuses two tokens', async () => {
    const headers = { Authorization: `Bearer ${admin}`, authorization: `Bearer ${otherAdmin}` };
    expect(errorOf(await world.handler({ ...event('GET', '/connections'), headers }))).toMatchObject({ statusCode: 401 });
  });

  it('refuses a revoked agent', async () => {
    world.dataOf('acme').revoked.add('agent-7');
    expect(errorOf(await get('acme/ann/admin/agent-7'))).toMatchObject({ statusCode: 401 });
    expect(errorOf(await post(wish, 'acme/ann/admin/agent-7'))).toMatchObject({ statusCode: 401 });
    expect((await get('acme/ann/admin/agent-8')).statusCode).toBe(200);
  });

  it.each([otherAdmin, 'acme/ben/admin'])('refuses when the session is that of %s', async (token) => {
    world.state.sessionsReads = token;
    expect(errorOf(await get(admin))).toMatchObject({ statusCode: 401 });
    expect(errorOf(await post(wish))).toMatchObject({ statusCode: 401 });
    expect(world.published).toEqual([]);
  });

  it('says that it cannot be done now when no session can be had', async () => {
    world.state.down = new CordonError('SESSION_UNAVAILABLE', 'arn:aws:sts::111122223333', { retryable: true });
    const answer = await get(admin);
    expect(errorOf(answer)).toMatchObject({ statusCode: 503, code: 'UNAVAILABLE' });
    expect(answer.body).not.toContain('arn:');
  });

  it('knows no other operation', async () => {
    for (const [method, resource] of [
      ['PUT', '/connections'],
      ['GET', '/connections/{accountId}'],
      ['POST', '/byoc'],
    ] as const)
      expect(errorOf(await world.handler(event(method, resource, admin)))).toMatchObject({ statusCode: 400 });
  });
});

describe('T6 a name that may be a decoy’s', () => {
  const name = 'openai-backup-abcdefgh';

  it.each([admin, member])('is told by the token that asked, and answered as any other name, to %s', async (token) => {
    expect(await end(name, token)).toEqual(await end('openai-backup', token));
    expect(await post({ ...wish, environment: name, more: 1 }, token)).toEqual(
      await post({ ...wish, environment: 'backup', more: 1 }, token),
    );
    const told = { token, names: [name] };
    expect(world.named).toEqual([told, told]);
  });

  it('is told although telling fails once', async () => {
    world.state.deaf = 1;
    await end(name);
    expect(world.named).toEqual([{ token: admin, names: [name] }]);
  });

  it('changes nothing when it cannot be told', async () => {
    const answer = await end(name);
    world.state.deaf = 3;
    expect(await end(name)).toEqual(answer);
  });

  it('is told of nobody who is not who the token says', async () => {
    await end(name, 'nobody');
    world.state.sessionsReads = otherAdmin;
    await end(name);
    expect(world.named).toEqual([]);
  });
});

describe('the page', () => {
  it('is served to everybody under a policy that permits nothing inline but its own style', async () => {
    const { statusCode, headers, body } = await world.handler(event('GET', '/byoc'));
    expect(statusCode).toBe(200);
    const policy = String(headers?.['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; connect-src 'self';/);
    for (const part of ["form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]) expect(policy).toContain(part);
    expect(policy).not.toMatch(/unsafe|\*|http/);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    expect(body).not.toMatch(/ style=| on[a-z]+=|<script>|src="(?!byoc\.js")/);
  });

  it('leads away from an address that ends in a slash', async () => {
    const { statusCode, headers } = await world.handler({ ...event('GET', '/byoc'), path: '/byoc/' });
    expect([statusCode, headers?.['location']]).toEqual([308, '../byoc']);
  });

  it('serves its script as one', async () => {
    world = createConnectionsWorld('start();');
    const { headers, body } = await world.handler(event('GET', '/byoc.js'));
    expect(body).toBe('start();');
    expect(headers?.['content-type']).toBe('text/javascript; charset=utf-8');
  });
});
