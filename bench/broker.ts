/** What the broker adds to a call, beside a bare injector and another gateway, with the same provider and in the same run. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { templatePath } from '../test/support/template.ts';
import { atMost, type Bench, exactly, type Figure } from './figures.ts';
import { onOneProcessor, type Peer, startPeer } from './peer.ts';

const body = Buffer.from(JSON.stringify({ model: 'gpt-5', messages: [{ role: 'user', content: 'Say hello.' }] }));
const rounds: readonly { readonly concurrency: number; readonly calls: number }[] = [
  { concurrency: 1, calls: 4_000 },
  { concurrency: 16, calls: 8_000 },
];
/** Calls before those that are measured, for every peer: V8 goes on compiling for about so long, and what that costs is not what a warm call costs. */
const warmUpCalls = 12_000;

interface Measured {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of the peer's own processor time for one call. */
  readonly cpu: number;
}

interface Target {
  readonly peer: Peer;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function call(agent: Agent, { peer, path, headers }: Target): Promise<number> {
  return new Promise((done, failed) => {
    const start = performance.now();
    const request = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port: peer.port,
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': body.length, ...headers },
      },
      (response) => {
        response.resume();
        response.on('end', () => {
          if (response.statusCode === 200) done((performance.now() - start) * 1_000);
          else failed(new Error(`${path} answered ${response.statusCode}`));
        });
      },
    );
    request.on('error', failed);
    request.end(body);
  });
}

async function measure(target: Target, concurrency: number, calls: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const times: number[] = [];
  const work = async (count: number, keep: boolean): Promise<void> => {
    let left = count;
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left > 0) {
          left -= 1;
          const time = await call(agent, target);
          if (keep) times.push(time);
        }
      }),
    );
  };
  await work(warmUpCalls, false);
  const before = target.peer.cpuMicroseconds();
  await work(calls, true);
  const cpu = (target.peer.cpuMicroseconds() - before) / calls;
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), cpu };
}

/** The broker's asset in the synthesized assembly: the one function that runs per tenant. */
export function brokerBundle(): string {
  const template = JSON.parse(readFileSync(templatePath, 'utf8')) as {
    Resources: Record<string, { Properties?: { TenancyConfig?: object; Code?: { S3Key?: string } } }>;
  };
  const asset = Object.values(template.Resources)
    .find(({ Properties }) => Properties?.TenancyConfig !== undefined)
    ?.Properties?.Code?.S3Key?.replace('.zip', '');
  if (asset === undefined) throw new Error('the template holds no broker');
  return resolve(dirname(templatePath), `asset.${asset}`, 'index.mjs');
}

export const broker: Bench = {
  name: 'Broker, warm, same stub provider; everything on one core',
  run: () => onOneProcessor(compare),
};

async function compare(): Promise<readonly Figure[]> {
  const portkey = join(import.meta.dirname, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(portkey)) throw new Error('the peers are not installed: run `npm ci --prefix bench`');
  const started: Peer[] = [];
  const start = async (...options: Parameters<typeof startPeer>): Promise<Peer> => {
    const peer = await startPeer(...options);
    started.push(peer);
    return peer;
  };
  try {
    const provider = await start('bench/peers/stub-provider.ts');
    const aws = await start('bench/peers/stub-aws.ts');
    const providerUrl = `http://127.0.0.1:${provider.port}`;
    const injector = await start('bench/peers/raw-injector.mjs', { env: { PROVIDER_URL: providerUrl } });
    const cordon = await start('bench/peers/broker.ts', {
      env: { BROKER_BUNDLE: brokerBundle(), ...brokerEnv(`http://127.0.0.1:${aws.port}`, providerUrl) },
    });
    const other = await start(portkey, { args: ['--headless'], env: { NODE_ENV: 'production' }, port: true });
    const bearer = { authorization: 'Bearer a.jwt.of-the-caller' };
    const targets = {
      direct: { peer: provider, path: '/v1/chat/completions', headers: bearer },
      injector: { peer: injector, path: '/v1/proxy/openai/chat/completions', headers: bearer },
      cordon: { peer: cordon, path: '/v1/proxy/openai/chat/completions', headers: bearer },
      portkey: {
        peer: other,
        path: '/v1/chat/completions',
        headers: {
          authorization: 'Bearer sk-bench-0123456789abcdef',
          'x-portkey-provider': 'openai',
          'x-portkey-custom-host': `${providerUrl}/v1`,
        },
      },
    };
    const figures: Figure[] = [];
    for (const { concurrency, calls } of rounds) {
      const direct = await measure(targets.direct, concurrency, calls);
      const bare = await measure(targets.injector, concurrency, calls);
      await fetch(`http://127.0.0.1:${aws.port}/counts`, { method: 'POST' });
      const ours = await measure(targets.cordon, concurrency, calls);
      const counts = (await (await fetch(`http://127.0.0.1:${aws.port}/counts`)).json()) as Record<string, number>;
      const theirs = await measure(targets.portkey, concurrency, calls);
      const at = ` at ${concurrency}`;
      figures.push({ what: `CPU of a call, bare injector${at}`, value: bare.cpu, unit: 'µs' });
      figures.push({ what: `CPU of a call, Cordon (one read, two inserts)${at}`, value: ours.cpu, unit: 'µs' });
      figures.push({ what: `CPU of a call, Portkey (nothing durable)${at}`, value: theirs.cpu, unit: 'µs' });
      figures.push(atMost(`CPU, Cordon : Portkey${at}`, ours.cpu / theirs.cpu, 'ratio', 0.6));
      figures.push(atMost(`added p50, Cordon : Portkey${at}`, (ours.p50 - direct.p50) / (theirs.p50 - direct.p50), 'ratio', 1));
      figures.push(atMost(`added p99, Cordon : Portkey${at}`, (ours.p99 - direct.p99) / (theirs.p99 - direct.p99), 'ratio', 1));
      figures.push(
        { what: `added p50, Cordon${at}`, value: ours.p50 - direct.p50, unit: 'µs' },
        { what: `added p99, Cordon${at}`, value: ours.p99 - direct.p99, unit: 'µs' },
      );
      if (concurrency === 1) continue;
      const all = warmUpCalls + calls;
      figures.push(exactly('AWS reads of a warm use', (counts['BatchGetItem'] ?? 0) / all, 'calls', 1));
      figures.push(exactly('AWS inserts of a warm use', (counts['ExecuteStatement'] ?? 0) / all, 'calls', 2));
      figures.push(
        exactly(
          'other AWS calls of warm uses',
          Object.entries(counts).filter(([name]) => !['BatchGetItem', 'ExecuteStatement', 'firstInsertAt'].includes(name)).length,
          'kinds',
          0,
        ),
      );
    }
    figures.push(atMost('bundle', statSync(brokerBundle()).size / 1_024, 'KiB', 400));
    return figures;
  } finally {
    for (const peer of started) peer.stop();
  }
}

/** What the function is configured with, against stubs. */
export function brokerEnv(awsUrl: string, providerUrl: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: awsUrl,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'ASIABROKER',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    SESSIONS_FUNCTION_NAME: 'sessions',
    REGISTRY_TABLE: 'registry',
    ATTRIBUTION_TABLE: 'attribution',
    TENANT_READER_ROLE_ARN: 'arn:aws:iam::111122223333:role/cordon/TenantReader',
    DEDICATED_ROLE_ARN_PREFIX: 'arn:aws:iam::111122223333:role/cordon/TenantAgent-',
    BYOC_CONNECTOR_ROLE_ARN: 'arn:aws:iam::111122223333:role/cordon/ByocConnector',
    PROVIDER_BASE_URLS: JSON.stringify({ openai: `${providerUrl}/v1` }),
    ALLOW_LOOPBACK_EGRESS: 'true',
  };
}
