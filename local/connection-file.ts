/**
 * `.cordon/local.json`: how tests and tools find a running local cloud. It holds working credentials, so only its owner may read it; it
 * appears when the cloud is ready and goes when the cloud goes.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

export interface ConnectionFile {
  readonly schemaVersion: 1;
  readonly pid: number;
  readonly endpoint: string;
  readonly region: string;
  readonly accountId: string;
  readonly eventBusName: string;
  readonly eventLogGroup: string;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly isolationTable: string;
  readonly kmsKeyArn: string;
  /** Absolute path of the synthesized template that runs. */
  readonly templatePath: string;
  /** Where the REST API answers, without its stage. */
  readonly brokerUrl: string;
  readonly oidc: { readonly issuer: string; readonly audience: string; readonly jwksUri: string };
  /** Role ARNs by name: TenantReader, TenantWriter, TenantAuditor, ByocConnector. */
  readonly roles: Readonly<Record<string, string>>;
  readonly functionArns: Readonly<Record<string, string>>;
  readonly queues: Readonly<Record<string, { readonly url: string; readonly dlqUrl: string }>>;
  readonly principals: {
    readonly operator: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly functions: Readonly<
      Record<string, { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string }>
    >;
  };
  readonly providers: Readonly<Record<string, { readonly baseUrl: string }>>;
  readonly customers: readonly { readonly accountId: string; readonly accessKeyId: string; readonly secretAccessKey: string }[];
  readonly control: { readonly url: string; readonly token: string };
}

/** Another local cloud is running from this directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
  readonly pid: number;

  constructor(pid: number, path: string) {
    super(`A local cloud is already running (process ${pid}, ${path}). Stop it first, or use it.`);
    this.pid = pid;
  }
}

const owner = z.object({ pid: z.int().positive() });

/** Throws AlreadyRunning when `path` belongs to a living process other than this one. A stale or unreadable file is no obstacle. */
export function refuseIfRunning(path: string): void {
  const pid = ownerOf(path);
  if (pid !== undefined && pid !== process.pid && isAlive(pid)) throw new AlreadyRunning(pid, path);
}

/** Writes the file in one step (mode 0600, directory 0700). Throws AlreadyRunning as `refuseIfRunning` does. */
export function writeConnectionFile(path: string, content: ConnectionFile): void {
  refuseIfRunning(path);
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const unfinished = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(unfinished, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(unfinished, path);
}

/** Removes the file if this process wrote it: a second cloud must not lose its file to the first one's late exit. */
export function removeConnectionFile(path: string): void {
  if (ownerOf(path) === process.pid) rmSync(path, { force: true });
}

function ownerOf(path: string): number | undefined {
  try {
    return owner.parse(JSON.parse(readFileSync(path, 'utf8'))).pid;
  } catch {
    // Missing, half written by something else, or not ours: nobody's.
    return undefined;
  }
}

/** Signal 0 only asks. EPERM means that it lives under another user. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
