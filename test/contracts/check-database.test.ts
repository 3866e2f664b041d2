import { createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCheckDatabase } from '../../functions/credentials/check-database.pg.ts';
import { parseConnectionString } from '../../functions/credentials/connection-string.ts';
import { createEgressGuard } from '../../functions/providers/egress-guard.ts';
import { SecretText } from '../../functions/shared/secret-text.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { selfSigned } from '../support/self-signed.ts';

const timeoutMs = 1500;
const tls = selfSigned('localhost');
const check = createCheckDatabase({ allowLoopback: true, timeoutMs, authorities: tls.certificate });

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres({ tls });
  await asSuperuser(
    `create role "o'brien" login password 'canary-pw'`,
    'create database closed',
    'revoke connect on database closed from public',
  );
});
afterAll(() => postgres.stop());

async function asSuperuser(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.connectionString() });
  await client.connect();
  let rows: Record<string, unknown>[] = [];
  for (const statement of statements) ({ rows } = await client.query(statement));
  await client.end();
  return rows;
}

async function verdictOf(connectionString: string, how = check): Promise<unknown> {
  const { address } = parseConnectionString(new SecretText(connectionString), { allowLoopback: true });
  return how(address).then(
    () => 'accepted',
    (error: unknown) => error,
  );
}

function expectTold(error: unknown, code: 'KEY_REFUSED' | 'DATABASE_UNAVAILABLE', message: RegExp): void {
  expect(error).toMatchObject({ code, retryable: code === 'DATABASE_UNAVAILABLE', message: expect.stringMatching(message) });
  // Nothing of user, password, database or the server's words; no cause that could hold them.
  expect(error instanceof Error ? error.cause : error).toBeUndefined();
  expect(String(error)).not.toMatch(/canary|tester|p@ss|nowhere/);
}

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** Something that is no PostgreSQL server, on a free port. */
async function somethingElse(talk: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    talk(socket);
    socket.resume();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `postgres://tester:canary-pw@127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/nowhere`;
}

describe('B4 trying a connection string against a real PostgreSQL', () => {
  it('accepts what the server accepts, whatever user and password are made of', async () => {
    expect(await verdictOf(postgres.connectionString())).toBe('accepted');
    expect(await verdictOf(postgres.connectionString({ user: "o'brien", password: 'canary-pw' }))).toBe('accepted');
  });

  it('hangs up: no connection is left', async () => {
    await verdictOf(postgres.connectionString());
    const [row] = await asSuperuser(`select count(*)::int as open from pg_stat_activity where application_name = 'cordon'`);
    expect(row).toEqual({ open: 0 });
  });

  it.each([
    ['a wrong password', { password: 'canary-pw' }, /does not accept user and password/],
    ['an empty-looking password', { password: '%20' }, /does not accept user and password/],
    ['an unknown user', { user: 'canary-user' }, /does not accept user and password/],
    ['an unknown database', { database: 'nowhere' }, /no such database/],
    ['a database that the user may not connect to', { user: "o'brien", password: 'canary-pw', database: 'closed' }, /may not connect/],
  ])('refuses %s and says so', async (_what, over, message) => {
    expectTold(await verdictOf(postgres.connectionString(over)), 'KEY_REFUSED', message);
  });

  it('takes a server that has no room for one that cannot be asked now', async () => {
    const crowd = Array.from({ length: 17 }, () => new pg.Client({ connectionString: postgres.connectionString() }));
    try {
      await Promise.all(crowd.map((client) => client.connect()));
      const own = postgres.connectionString({ user: "o'brien", password: 'canary-pw' });
      expectTold(await verdictOf(own), 'DATABASE_UNAVAILABLE', /cannot take the connection now/);
    } finally {
      await Promise.all(crowd.map((client) => client.end()));
    }
  });

  it('checks the certificate against name and authority when TLS is asked for', async () => {
    const named = `${postgres.connectionString()}?sslmode=verify-full`.replace('127.0.0.1', 'localhost');
    expect(await verdictOf(named)).toBe('accepted');
    const unnamed = named.replace('localhost', '127.0.0.1');
    expectTold(await verdictOf(unnamed), 'KEY_REFUSED', /certificate/);
    expectTold(await verdictOf(named, createCheckDatabase({ allowLoopback: true, timeoutMs })), 'KEY_REFUSED', /certificate/);
  });
});

describe('B4 trying a connection string against something else', () => {
  it('says that nothing listens at a closed port', async () => {
    const text = await somethingElse(() => undefined);
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expectTold(await verdictOf(text), 'DATABASE_UNAVAILABLE', /nothing listens/);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['never says a word', () => undefined],
    // AuthenticationOk and then silence (PostgreSQL documentation, "Message Formats").
    ['lets in and falls silent', (socket) => socket.once('data', () => socket.write(Buffer.from('520000000800000000', 'hex')))],
  ])('gives a server up that %s, and does not wait for long', async (_what, talk) => {
    const text = await somethingElse(talk);
    const started = Date.now();
    expectTold(await verdictOf(text), 'DATABASE_UNAVAILABLE', /did not answer in time/);
    expect(Date.now() - started).toBeLessThan(timeoutMs + 1000);
    await expect.poll(() => [...sockets].every((socket) => socket.readableEnded || socket.destroyed)).toBe(true);
  });

  it('takes a server that hangs up for one that cannot be asked now', async () => {
    expectTold(await verdictOf(await somethingElse((socket) => socket.end())), 'DATABASE_UNAVAILABLE', /broke the connection off/);
  });

  it.each<[string, string]>([
    ['no known message', '0000000004'],
    ['a message of an impossible length', '5200000000'],
    ['an authentication of an unknown kind', '52000000080000ffff'],
  ])('refuses a server that speaks nonsense: %s', async (_what, hex) => {
    const text = await somethingElse((socket) => socket.once('data', () => socket.write(Buffer.from(hex, 'hex'))));
    expectTold(await verdictOf(text), 'KEY_REFUSED', /no PostgreSQL server/);
  });

  it('refuses a server that speaks HTTP, with TLS asked for and without', async () => {
    const text = await somethingElse((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\ncanary')));
    expect(await verdictOf(text)).toMatchObject({ code: expect.stringMatching(/^(KEY_REFUSED|DATABASE_UNAVAILABLE)$/) });
    expectTold(await verdictOf(`${text}?sslmode=verify-full`), 'KEY_REFUSED', /TLS/);
  });

  it('refuses a server that does not offer the TLS that is asked for', async () => {
    const text = await somethingElse((socket) => socket.once('data', () => socket.write('N')));
    expectTold(await verdictOf(`${text}?sslmode=verify-full`), 'KEY_REFUSED', /does not offer TLS/);
  });

  it('stops reading from a server that never ends', async () => {
    const flood = Buffer.alloc(65_536, 'x');
    const text = await somethingElse((socket) => {
      // One message, of the greatest length there is.
      socket.write(Buffer.from('4e7fffffff', 'hex'));
      const pour = (): void => {
        while (socket.writable && socket.write(flood));
      };
      socket.on('drain', pour);
      pour();
    });
    const started = Date.now();
    expectTold(await verdictOf(text), 'KEY_REFUSED', /no PostgreSQL server/);
    expect(Date.now() - started).toBeLessThan(timeoutMs);
  });

  it('repeats nothing of what a server says in an error', async () => {
    const fields = 'SFATAL\0C28P01\0Mthe password canary-pw is wrong\0\0';
    const message = Buffer.alloc(5);
    message.write('E');
    message.writeInt32BE(fields.length + 4, 1);
    const text = await somethingElse((socket) => socket.once('data', () => socket.end(Buffer.concat([message, Buffer.from(fields)]))));
    expectTold(await verdictOf(text), 'KEY_REFUSED', /does not accept user and password/);
  });
});

describe('B4 E1 a database whose name leads into a network that is not public', () => {
  const address = parseConnectionString(new SecretText('postgres://tester:canary-pw@db.acme.com/nowhere'), {
    allowLoopback: false,
  }).address;
  const resolvingTo = (...addresses: readonly string[]) =>
    createCheckDatabase({
      allowLoopback: false,
      timeoutMs,
      guard: createEgressGuard({
        allowLoopback: false,
        resolve: (_name, _family, done) =>
          done(
            null,
            addresses.map((one) => ({ address: one, family: one.includes(':') ? 6 : 4 })),
          ),
      }),
    });

  it.each([['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254'], ['::1'], ['::ffff:10.0.0.1'], ['93.184.216.34', '10.0.0.1']])(
    'is not connected to (%s)',
    async (...addresses) => {
      const told = await resolvingTo(...addresses)(address).catch((error: unknown) => error);
      expectTold(told, 'KEY_REFUSED', /not public/);
    },
  );

  it('is not asked for long when its name does not resolve', async () => {
    const silent = createEgressGuard({ allowLoopback: false, resolve: () => undefined });
    const failing = createEgressGuard({ allowLoopback: false, resolve: (_name, _family, done) => done(new Error('ENOTFOUND'), []) });
    const told = (guard: typeof silent) =>
      createCheckDatabase({ allowLoopback: false, guard, timeoutMs: 200 })(address).catch((error: unknown) => error);
    expectTold(await told(silent), 'DATABASE_UNAVAILABLE', /in time/);
    expectTold(await told(failing), 'DATABASE_UNAVAILABLE', /could not be resolved/);
  });
});
