import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConnectionFile, refuseIfRunning, removeConnectionFile, writeConnectionFile } from '../../../local/connection-file.ts';

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cordon-connection-'));
  path = join(root, '.cordon', 'local.json');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const content: ConnectionFile = {
  schemaVersion: 1,
  pid: process.pid,
  endpoint: 'http://127.0.0.1:4566',
  region: 'us-east-1',
  accountId: '111122223333',
  eventBusName: 'bus',
  eventLogGroup: 'events',
  registryTable: 'registry',
  attributionTable: 'attribution',
  isolationTable: 'isolation',
  kmsKeyArn: 'arn:aws:kms:us-east-1:111122223333:key/k',
  templatePath: '/template.json',
  brokerUrl: 'http://127.0.0.1:3',
  oidc: { issuer: 'http://127.0.0.1:1/oidc', audience: 'cordon', jwksUri: 'http://127.0.0.1:1/oidc/jwks.json' },
  roles: {},
  functionArns: {},
  queues: {},
  principals: { operator: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }, functions: {} },
  providers: {},
  customers: [],
  control: { url: 'http://127.0.0.1:2', token: 'token' },
};

describe('the connection file', () => {
  it('is readable by its owner only and leaves no unfinished file behind', () => {
    writeConnectionFile(path, content);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(content);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, '.cordon')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(root, '.cordon'))).toEqual(['local.json']);
  });

  it('refuses to displace a cloud that is alive', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      await once(other, 'spawn');
      writeConnectionFile(path, content);
      writeFileSync(path, JSON.stringify({ ...content, pid: other.pid }));
      expect(() => refuseIfRunning(path)).toThrow(`process ${other.pid}`);
      expect(() => writeConnectionFile(path, content)).toThrow(/already running/);
      removeConnectionFile(path);
      expect(existsSync(path)).toBe(true);
    } finally {
      other.kill();
      await once(other, 'exit');
    }
    writeConnectionFile(path, content);
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
  });

  it('replaces a file that nobody can read', () => {
    writeConnectionFile(path, content);
    writeFileSync(path, '{"pid":');
    expect(() => writeConnectionFile(path, content)).not.toThrow();
  });

  it('is removed by the process that wrote it', () => {
    writeConnectionFile(path, content);
    removeConnectionFile(path);
    expect(existsSync(path)).toBe(false);
  });
});
