/** `npm run local`: a local cloud that stays up, with the connection file and the control endpoint. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LocalCloud, startCloud } from './cloud.ts';
import { connectionOf } from './connection.ts';
import { AlreadyRunning, refuseIfRunning, removeConnectionFile, writeConnectionFile } from './connection-file.ts';
import { type Control, startControl } from './control.ts';
import { synthesize } from './synthesize.ts';

const usage = `Usage: npm run local [-- --port <number>]

Synthesizes the stack, starts it in the local cloud and stays up until it is interrupted.

  --port <number>  port of the AWS endpoint on 127.0.0.1; 4566 when left out, 0 picks a free one
  --help           this text`;

const connectionPath = join(process.cwd(), '.cordon', 'local.json');
/** Function credentials last an hour of the cloud's time; the connection file is given fresh ones well before. */
const refreshEveryMs = 30 * 60_000;

function portFrom(args: readonly string[]): number | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string', default: '4566' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return undefined;
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
    throw new RangeError(`--port takes a number from 0 to 65535, not '${values.port}'`);
  return Number(values.port);
}

function banner(cloud: LocalCloud, control: Control): string {
  return `
Cordon's local cloud is ready.

  AWS endpoint     ${cloud.endpoint}   (Region ${cloud.region}, account ${cloud.accountId})
  Broker           ${cloud.brokerUrl}/v1
  Connection file  ${connectionPath}   (credentials; readable by you only, gone when this ends)
  Control          ${control.url}   (bearer token in the connection file)
  Template         ${cloud.templatePath}

It runs the synthesized template and evaluates the synthesized policies on every call. It does not prove what only AWS can show:
IAM's propagation delay, real quotas and throttling, eventual consistency, latency and cost. A development tool: loopback only.

Ctrl-C ends it.`;
}

async function run(port: number): Promise<void> {
  refuseIfRunning(connectionPath);
  process.once('exit', () => removeConnectionFile(connectionPath));
  process.stdout.write('Synthesizing the stack …\n');
  const templatePath = await synthesize();
  let cloud = await startCloud({ templatePath, port, trail: true, onProgress: (what) => process.stdout.write(`${what} …\n`) });
  let refreshing = new AbortController();

  const write = async (): Promise<void> => writeConnectionFile(connectionPath, await connectionOf(cloud, control));
  const keepFresh = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      await cloud.clock.until(cloud.clock.now() + refreshEveryMs, signal);
      await write();
    }
  };
  const startRefreshing = (): void => {
    refreshing.abort();
    refreshing = new AbortController();
    const { signal } = refreshing;
    keepFresh(signal).catch((error: unknown) => {
      if (!signal.aborted) process.stderr.write(`The connection file could not be refreshed: ${String(error)}\n`);
    });
  };
  const reset = async (): Promise<void> => {
    refreshing.abort();
    cloud = await cloud.reset();
    await write();
    startRefreshing();
  };
  const control = await startControl({ cloud: () => cloud, reset });
  await write();
  startRefreshing();

  const stop = (): void => {
    removeConnectionFile(connectionPath);
    refreshing.abort();
    control
      .close()
      .then(() => cloud.close())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.stdout.write(`${banner(cloud, control)}\n`);
}

try {
  const port = portFrom(process.argv.slice(2));
  if (port === undefined) process.stdout.write(`${usage}\n`);
  else {
    await run(port).catch((error: unknown) => {
      const portTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      const hint = portTaken
        ? `Port ${port} is taken; choose another with --port, or 0 for any.`
        : String(error instanceof Error ? error.message : error);
      process.stderr.write(`${hint}\n`);
      process.exit(error instanceof AlreadyRunning ? 3 : 1);
    });
  }
} catch (error) {
  // Only reading the arguments throws here.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
  process.exitCode = 2;
}
