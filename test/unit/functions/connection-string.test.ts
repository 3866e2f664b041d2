import { describe, expect, it } from 'vitest';
import { parseConnectionString } from '../../../functions/credentials/connection-string.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';

const base = 'postgres://app:canary-pw@db.acme.com/orders';
const parse = (text: string, allowLoopback = false) => parseConnectionString(new SecretText(text), { allowLoopback });

describe('B4 a connection string', () => {
  it('is read into where and as whom', () => {
    const { address, text } = parse(
      'postgresql://app%40acme:p%2Fw%3A%20x@db.acme.com:6543/orders%201?sslmode=verify-full&application_name=a.b',
    );
    expect(address).toMatchObject({ host: 'db.acme.com', port: 6543, user: 'app@acme', database: 'orders 1', secure: true });
    expect(address.password.reveal()).toBe('p/w: x');
    expect(text.reveal()).toContain('?sslmode=verify-full&application_name=a.b');
  });

  it.each([
    [base, `${base}?sslmode=verify-full`],
    [`${base}?channel_binding=require`, `${base}?channel_binding=require&sslmode=verify-full`],
    [`${base}?connect_timeout=10&sslmode=verify-full`, `${base}?connect_timeout=10&sslmode=verify-full`],
  ])('%s is kept with the server’s certificate checked', (given, kept) => {
    const { address, text } = parse(given);
    expect(text.reveal()).toBe(kept);
    expect(address).toMatchObject({ port: 5432, secure: true });
    expect(parse(kept).address).toEqual(address);
  });

  it.each([
    'mysql://app:canary-pw@db.acme.com/orders',
    'POSTGRES://app:canary-pw@db.acme.com/orders',
    'host=db.acme.com user=app password=canary-pw',
    'postgres:app:canary-pw@db.acme.com/orders',
    'postgres://app:canary-pw@db.acme.com',
    'postgres://app:canary-pw@db.acme.com/',
    'postgres://app:canary-pw@db.acme.com/a/b',
    'postgres://app:canary-pw@/orders',
    'postgres://:canary-pw@db.acme.com/orders',
    'postgres://app@db.acme.com/orders?x=canary-pw',
    'postgres://app:@db.acme.com/orders?application_name=canary-pw',
    'postgres://app:canary-pw%@db.acme.com/orders',
    'postgres://app:canary-pw%00@db.acme.com/orders',
    'postgres://app:canary-pw%FF@db.acme.com/orders',
    'postgres://app:canary-pw#1@db.acme.com/orders',
    'postgres://app:canary-pw?1@db.acme.com/orders',
    'postgres://app:canary pw@db.acme.com/orders',
    'postgres://app:canary-pw@db.acme.com\\@10.0.0.1/orders',
    'postgres://app:canary-pw@db.acme.com,db2.acme.com/orders',
    'postgres://app:canary-pw@DB.acme.com/orders',
    'postgres://app:canary-pw@db.acme.com./orders',
    'postgres://app:canary-pw@db/orders',
    'postgres://app:canary-pw@db.internal/orders',
    'postgres://app:canary-pw@localhost/orders',
    'postgres://app:canary-pw@127.0.0.1/orders',
    'postgres://app:canary-pw@10.0.0.1/orders',
    'postgres://app:canary-pw@2130706433/orders',
    'postgres://app:canary-pw@[::1]/orders',
    'postgres://app:canary-pw@%2Ftmp/orders',
    'postgres://app:canary-pw@%6cocalhost/orders',
    'postgres://app:canary-pw@db.acme.com:25/orders',
    'postgres://app:canary-pw@db.acme.com:443/orders',
    'postgres://app:canary-pw@db.acme.com:0/orders',
    'postgres://app:canary-pw@db.acme.com:70000/orders',
    `postgres://${'u'.repeat(64)}:canary-pw@db.acme.com/orders`,
    ...['disable', 'allow', 'prefer', 'require', 'verify-ca', 'no-verify', ''].map((mode) => `${base}?sslmode=${mode}`),
    ...[
      'host=10.0.0.1',
      'hostaddr=10.0.0.1',
      'port=22',
      'user=postgres',
      'password=x',
      'passfile=/etc/passwd',
      'service=x',
      'sslrootcert=/etc/passwd',
      'sslcert=/etc/passwd',
      'sslkey=/etc/passwd',
      'ssl=false',
      'uselibpqcompat=true',
      'options=-c%20x%3Dy',
      'replication=database',
      'constructor=1',
      '__proto__=1',
      'sslmode=verify-full&sslmode=disable',
      'application_name=a%20b',
      'connect_timeout=-1',
      '',
      'sslmode=verify-full&',
    ].map((option) => `${base}?${option}`),
  ])('%s is not accepted, and not repeated', (text) => {
    const refused = (() => {
      try {
        return parse(text);
      } catch (error) {
        return error;
      }
    })();
    expect(refused).toMatchObject({ code: 'KEY_REFUSED', retryable: false });
    expect(JSON.stringify([String(refused), refused instanceof Error ? [refused.cause, refused.stack] : []])).not.toContain('canary');
  });

  it.each(['localhost', '127.0.0.1'])('to %s passes in development only, without TLS unless it asks for it', (host) => {
    expect(parse(`postgres://app:pw@${host}:5433/orders`, true).address).toMatchObject({ host, port: 5433, secure: false });
    expect(parse(`postgres://app:pw@${host}/orders?sslmode=disable`, true).address).toMatchObject({ secure: false });
    expect(parse(`postgres://app:pw@${host}/orders?sslmode=verify-full`, true).address).toMatchObject({ secure: true });
    expect(parse(`postgres://app:pw@${host}/orders`, true).text.reveal()).toBe(`postgres://app:pw@${host}/orders`);
    expect(() => parse(`postgres://app:pw@${host}/orders?sslmode=require`, true)).toThrow('verify-full');
  });

  it.each(['10.0.0.1', '127.0.0.2', 'db.internal', '[::1]'])('to %s passes in development neither', (host) => {
    expect(() => parse(`postgres://app:pw@${host}/orders`, true)).toThrow('public server');
  });

  it('to a public server needs TLS in development too', () => {
    expect(() => parse(`${base}?sslmode=disable`, true)).toThrow('verify-full');
    expect(parse(base, true).address.secure).toBe(true);
  });
});
