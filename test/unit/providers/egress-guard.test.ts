import { createServer } from 'node:http';
import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEgressGuard, isPublicAddress, type ResolveAll, redirectOf } from '../../../functions/providers/egress-guard.ts';
import { createSendEgress } from '../../../functions/providers/egress-request.ts';
import { isPublicHostName } from '../../../functions/providers/host-name.ts';

const hosts = ['api.openai.com', 'llm.acme.com:8443'];
const strict = createEgressGuard({ allowLoopback: false });
const local = createEgressGuard({ allowLoopback: true });
const refused = expect.objectContaining({ code: 'EGRESS_REFUSED' });

/** Answers each question with the next of these lists of addresses. */
function resolving(...answers: readonly (readonly string[])[]): { resolve: ResolveAll; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve(hostname, _family, done) {
      const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(hostname);
      setImmediate(() =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
      );
    },
  };
}

function ask(lookup: LookupFunction, hostname: string, all = true): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all }, (error, address) => (error === null ? resolve(address) : reject(error)));
  });
}

describe('E1 egress guard: where a credential may be sent', () => {
  it.each(['https://api.openai.com/v1/models', 'https://API.openai.com/', 'https://llm.acme.com:8443/v1', 'https://api.openai.com:443/'])(
    'lets %s pass',
    (url) => expect(() => strict.check(new URL(url), hosts)).not.toThrow(),
  );

  it.each([
    'http://api.openai.com/',
    'https://api.openai.com:8443/',
    'https://llm.acme.com/',
    'https://api.openai.com./',
    'https://api.openai.com.evil.example/',
    'https://evil.example/api.openai.com',
    'https://api.openai.com@evil.example/',
    'https://user:pass@api.openai.com/',
    'https://api.openai.com/#x',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://localhost/',
    'https://169.254.169.254/latest/meta-data/',
    'https://api.openaı.com/',
    'https://аpi.openai.com/',
    'https://api。openai。com.evil.example/',
    'ftp://api.openai.com/',
    'file:///etc/passwd',
    'wss://api.openai.com/',
  ])('refuses %s', (url) => {
    expect(() => strict.check(new URL(url), hosts)).toThrow(refused);
  });

  it('takes an address for no host name, even when the list holds it', () => {
    for (const host of ['10.0.0.1', '93.184.216.34']) expect(() => strict.check(new URL(`https://${host}/`), [host])).toThrow(refused);
    expect(() => strict.check(new URL('https://[2606:4700::1]/'), ['[2606:4700::1]'])).toThrow(refused);
  });

  it('sees full-width characters and dots as what they stand for', () => {
    expect(() => strict.check(new URL('https://ａpi。openai。com/'), hosts)).not.toThrow();
    expect(new URL('https://ａpi。openai。com/').host).toBe('api.openai.com');
  });

  it('lets loopback pass in development only, and nothing else more', () => {
    expect(() => local.check(new URL('http://127.0.0.1:4000/openai'), hosts)).not.toThrow();
    expect(() => local.check(new URL('http://localhost:4000/'), hosts)).not.toThrow();
    expect(() => strict.check(new URL('http://127.0.0.1:4000/openai'), hosts)).toThrow(refused);
    for (const url of ['http://10.0.0.1/', 'http://api.openai.com/', 'https://evil.example/', 'http://u:p@127.0.0.1/', 'http://0.0.0.0/'])
      expect(() => local.check(new URL(url), hosts)).toThrow(refused);
  });
});

describe('E1 egress guard: what the name resolves to', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.170',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '239.255.255.250',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:0:10.0.0.1',
    '::7f00:1',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:a00:1::1',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    '2606:4700::1%eth0',
    'fec0::1',
    'ff02::1',
    'not-an-address',
    '',
  ])('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::6810:1', '2a00:1450::1'])('%s is', (address) =>
    expect(isPublicAddress(address)).toBe(true),
  );

  it('yields the checked addresses', async () => {
    const { resolve } = resolving(['8.8.8.8', '2606:4700::1']);
    const guard = createEgressGuard({ allowLoopback: false, resolve });
    await expect(ask(guard.lookup, 'api.openai.com')).resolves.toEqual([
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
    await expect(ask(guard.lookup, 'api.openai.com', false)).resolves.toBe('8.8.8.8');
  });

  it('fails when one of several addresses is not public, or there is none', async () => {
    for (const addresses of [['8.8.8.8', '10.0.0.1'], ['::1', '8.8.8.8'], []]) {
      const guard = createEgressGuard({ allowLoopback: false, resolve: resolving(addresses).resolve });
      await expect(ask(guard.lookup, 'llm.acme.com')).rejects.toThrow(refused);
    }
  });

  it('lets no other name lead to loopback in development, nor localhost elsewhere', async () => {
    await expect(
      ask(createEgressGuard({ allowLoopback: true, resolve: resolving(['127.0.0.1']).resolve }).lookup, 'llm.acme.com'),
    ).rejects.toThrow(refused);
    await expect(
      ask(createEgressGuard({ allowLoopback: true, resolve: resolving(['10.0.0.1']).resolve }).lookup, 'localhost'),
    ).rejects.toThrow(refused);
    await expect(
      ask(createEgressGuard({ allowLoopback: true, resolve: resolving(['127.0.0.1']).resolve }).lookup, 'localhost'),
    ).resolves.toHaveLength(1);
  });

  it('connects to no address that it did not check, although the name changes its mind (DNS rebinding)', async () => {
    let connections = 0;
    const server = createServer().on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { resolve, asked } = resolving(['127.0.0.1'], ['8.8.8.8']);
    const guard = createEgressGuard({ allowLoopback: false, resolve });
    const failed = await new Promise<Error>((done) => {
      request(`https://llm.acme.com:${port}/`, { lookup: guard.lookup, agent: false }).once('error', done).end();
    });
    expect(failed).toMatchObject({ code: 'EGRESS_REFUSED' });
    expect({ asked, connections }).toEqual({ asked: ['llm.acme.com'], connections: 0 });
  });
});

describe('E1 egress guard: redirects', () => {
  const url = new URL('https://api.openai.com/v1/models');
  it.each([
    [302, 'https://evil.example/', 'foreign'],
    [307, '//evil.example/', 'foreign'],
    [301, 'http://api.openai.com/', 'foreign'],
    [308, 'https://api.openai.com:444/', 'foreign'],
    [302, 'https://user@api.openai.com/', 'foreign'],
    [302, 'http://169.254.169.254/', 'foreign'],
    [302, 'https://[', 'foreign'],
    [302, '/v1/other', 'same-host'],
    [302, undefined, 'none'],
    [304, undefined, 'none'],
    [200, 'https://evil.example/', 'none'],
  ] as const)('%s to %s is %s', (status, location, expected) => expect(redirectOf(status, location, url)).toBe(expected));

  it('are not followed by Cordon’s own calls, and what is not JSON is no answer’s content', async () => {
    const paths: string[] = [];
    const server = createServer((incoming, response) => {
      paths.push(incoming.url ?? '');
      response.writeHead(302, { location: '/elsewhere' }).end('<html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address();
    const target = new URL(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/first`);
    const send = createSendEgress({ allowLoopback: true });
    await expect(send({ method: 'GET', url: target, hosts: [], headers: {} })).resolves.toEqual({ status: 302, json: undefined });
    expect(paths).toEqual(['/first']);
    await expect(createSendEgress({ allowLoopback: false })({ method: 'GET', url: target, hosts: [], headers: {} })).rejects.toThrow(
      refused,
    );
  });

  it('leave no way around the guard: a listed host with a private address gets nothing', async () => {
    const guard = createEgressGuard({ allowLoopback: false, resolve: resolving(['10.0.0.1']).resolve });
    const send = createSendEgress({ allowLoopback: false, guard, timeoutMs: 500 });
    const url = new URL('https://llm.acme.com/v1/models');
    await expect(send({ method: 'GET', url, hosts: ['llm.acme.com'], headers: {} })).rejects.toThrow(refused);
  });

  it('answers that hang, break off or never end are no answers', async () => {
    const server = createServer((incoming, response) => {
      if (incoming.url === '/hang') return;
      response.writeHead(200, { 'content-length': '10000000' }).write('{');
      if (incoming.url === '/break') setTimeout(() => response.destroy(), 20);
      else response.write(Buffer.alloc(5_000_000, ' '));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const send = createSendEgress({ allowLoopback: true, timeoutMs: 300 });
    for (const path of ['/hang', '/break', '/large'])
      await expect(send({ method: 'GET', url: new URL(path, origin), hosts: [], headers: {} })).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        retryable: true,
      });
  });
});

describe('E1 a registered host', () => {
  it.each(['llm.acme.com', 'a.b.c.d.example.org', 'xn--mnchen-3ya.de', 'llm.xn--p1ai'])('may be %s', (name) =>
    expect(isPublicHostName(name)).toBe(true),
  );
  it.each([
    'localhost',
    'acme',
    'LLM.acme.com',
    'llm.acme.com.',
    '.acme.com',
    'a..b.com',
    '-a.com',
    'a-.com',
    'münchen.de',
    '127.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '[::1]',
    'host.internal',
    'ip-10-0-0-1.ec2.internal',
    'printer.local',
    'svc.cluster.local',
    'x.localhost',
    'x.home.arpa',
    'x.test',
    'a.com/x',
    'a.com:80',
    'u@a.com',
    'a_b.com',
    `${'a'.repeat(64)}.com`,
    '',
  ])('may not be %j', (name) => expect(isPublicHostName(name)).toBe(false));
});
