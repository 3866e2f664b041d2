import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot } from '../support/ground-truth.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { pause } from '../support/settle.ts';

const command = resolve('cli/main.ts');
let test: TestCloud;
let operator: OperatorCommand;

beforeAll(async () => {
  test = await testCloud();
  operator = await operatorCommand(test);
});

interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

/** The command as a process of its own; of the environment it gets only what is said. */
function cordon(
  line: readonly string[],
  { cwd = operator.directory, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = execFile(process.execPath, [command, ...line], { cwd, env }, (error, out, err) => {
      done({ exitCode: error === null ? 0 : (child.exitCode ?? -1), out, err });
    });
    child.stdin?.end();
  });
}

/** As the deployed stack's outputs are to be read by any profile. */
async function deployedAs(StackName: string, outputs: Readonly<Record<string, string>>): Promise<void> {
  const Outputs = Object.fromEntries(Object.entries(outputs).map(([name, Value]) => [name, { Value }]));
  const template = { Resources: { Queue: { Type: 'AWS::SQS::Queue' } }, Outputs };
  await asRoot(test.cloud, 'cloudformation', 'CreateStack', { StackName, TemplateBody: JSON.stringify(template) });
  await pause(test.cloud);
}

describe('P3 cordon as a process', () => {
  it('does its work against the local cloud that runs from here, and ends with what came of it', async () => {
    const { tenantId } = await test.onboard({ credentials: [] });
    const [listed, unconfirmed] = await Promise.all([
      cordon(['tenants', 'list', '--json']),
      cordon(['tenants', 'offboard', tenantId, '--reason', 'left']),
    ]);
    expect(listed).toMatchObject({ exitCode: 0, err: '' });
    expect(JSON.parse(listed.out)).toMatchObject({
      tenants: expect.arrayContaining([expect.objectContaining({ tenantId, status: 'active' })]),
    });
    expect(unconfirmed).toEqual({ exitCode: 2, out: '', err: expect.stringContaining('add --yes') });
  });

  it('does it with any AWS profile, whose stack it finds by its outputs and by no other way', async () => {
    const { tenantId } = await test.onboard({ credentials: [] });
    await deployedAs('Shop', { EventBusName: 'theirs' });
    const config = join(operator.directory, 'aws-config');
    const { accessKeyId, secretAccessKey } = test.cloud.operator;
    const profile = [
      `[profile ops]`,
      `region = ${test.cloud.region}`,
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
    ];
    writeFileSync(config, `${profile.join('\n')}\n`, { mode: 0o600 });
    const env = {
      AWS_CONFIG_FILE: config,
      AWS_SHARED_CREDENTIALS_FILE: join(operator.directory, 'none'),
      AWS_ENDPOINT_URL: test.cloud.endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const [shown, entries, other, nobody] = await Promise.all([
      cordon(['--profile', 'ops', 'tenants', 'show', tenantId, '--json'], { env }),
      cordon(['--profile', 'ops', 'attribution', 'query', tenantId, '--json'], { env }),
      cordon(['--profile', 'ops', '--stack', 'Shop', 'tenants', 'list'], { env }),
      cordon(['--profile', 'nobody', '--region', 'us-east-1', 'tenants', 'list'], { env }),
    ]);
    expect(shown).toMatchObject({ exitCode: 0, err: '' });
    expect(JSON.parse(shown.out)).toMatchObject({ tenantId, status: 'active' });
    expect(entries).toMatchObject({ exitCode: 0, err: '' });
    expect(other).toMatchObject({
      exitCode: 1,
      out: '',
      err: expect.stringMatching(/ACCESS_REFUSED: reading the outputs of the stack Shop .*OperatorAccess/),
    });
    expect(nobody).toMatchObject({ exitCode: 1, out: '', err: expect.stringContaining('The profile nobody gives no credentials') });
  });

  it('does not mind when nobody reads on', async () => {
    const child = spawn(process.execPath, [command, 'tenants', 'list', '--json'], { cwd: operator.directory, env: {} });
    let err = '';
    child.stdout.destroy();
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const [exitCode] = await once(child, 'close');
    expect([exitCode, err]).toEqual([0, '']);
  });

  it('says how to start a local cloud where none runs, and where one has run', async () => {
    const elsewhere = join(operator.directory, 'elsewhere');
    mkdirSync(join(elsewhere, '.cordon'), { recursive: true });
    const file = readFileSync(join(operator.directory, '.cordon', 'local.json'), 'utf8');
    // Nothing listens on port 9.
    writeFileSync(join(elsewhere, '.cordon', 'local.json'), file.replaceAll(test.cloud.endpoint, 'http://127.0.0.1:9'), { mode: 0o600 });
    for (const cwd of [resolve('cli'), elsewhere]) {
      const { exitCode, out, err } = await cordon(['tenants', 'list'], { cwd });
      expect([exitCode, out, err]).toEqual([1, '', expect.stringMatching(/No local cloud runs here: .*npm run local/)]);
    }
  });
});
