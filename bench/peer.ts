/** A process that is measured from outside: its port, its processor time. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Peer {
  readonly port: number;
  /** Of the whole process, so far. */
  cpuMicroseconds(): number;
  stop(): void;
}

export interface PeerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** It takes its port as `--port=` and does not tell when it is ready. */
  readonly port?: boolean;
}

const taskset = '/usr/bin/taskset';

/**
 * Has this process, and what it starts meanwhile, run on one processor, where the system can: then nothing of a call's work is done beside it on another one, and what
 * waking that one up costs is in nobody's figures.
 */
export async function onOneProcessor<Value>(work: () => Promise<Value>): Promise<Value> {
  if (!existsSync(taskset)) return work();
  const run = (...args: string[]): string => execFileSync(taskset, [...args, String(process.pid)], { encoding: 'utf8' });
  // `pid 1's current affinity mask: 3`
  const before = run('-p').split(': ')[1]?.trim() ?? '';
  run('-ap', '1');
  try {
    return await work();
  } finally {
    run('-ap', before);
  }
}

/** Linux's clock ticks; other systems have no /proc, and the bench says so. */
const microsecondsPerTick = 10_000;

export async function startPeer(script: string, options: PeerOptions = {}): Promise<Peer> {
  const given = options.port === true ? await freePort() : undefined;
  const args = [script, ...(options.args ?? []), ...(given === undefined ? [] : [`--port=${given}`])];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH: process.env['PATH'] ?? '', ...options.env },
  });
  const port =
    given ??
    (await new Promise<number>((done, failed) => {
      child.once('message', (message) =>
        done(typeof message === 'object' && message !== null && 'port' in message ? Number(message.port) : Number.NaN),
      );
      child.once('exit', (code) => failed(new Error(`${script} ended with ${code}`)));
    }));
  if (given !== undefined) await answering(given);
  return {
    port,
    cpuMicroseconds() {
      const stat = `/proc/${child.pid}/stat`;
      if (!existsSync(stat)) throw new Error('processor time of another process can be read on Linux only');
      // The second field is the name in parentheses and may hold spaces; utime and stime are the 12th and 13th after it.
      const fields = readFileSync(stat, 'utf8').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * microsecondsPerTick;
    },
    stop: () => void child.kill(),
  };
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? done(address.port) : failed(new Error('no port'))));
    });
  });
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      // Not up yet.
      await sleep(100);
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}
