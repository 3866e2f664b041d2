import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../cli/run.ts';
import { emptyDirectory, fakeIo } from './fake-io.ts';

/** Runs where no local cloud is: whatever gets as far as asking for one has been understood. */
async function typed(line: readonly string[], answers?: readonly string[], directory?: string) {
  const io = fakeIo({ ...(answers && { answers }), ...(directory !== undefined && { directory }) });
  const exitCode = await run(line, io);
  return { exitCode, ...io.printed, questions: io.questions };
}

const user = 'a'.repeat(26);

describe('P3 what was not understood ends with 2, says why on stderr, and prints nothing on stdout', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['an unknown command', ['tenant'], /unknown command 'tenant'[\s\S]*Did you mean tenants/],
    ['an unknown second word', ['tenants', 'shw', 'acme'], /unknown command 'shw'/],
    ['no second word', ['tenants'], /Usage: cordon tenants/],
    ['an unknown option', ['tenants', 'list', '--jsno'], /unknown option '--jsno'/],
    ['a missing argument', ['tenants', 'show'], /missing required argument 'tenant'/],
    ['an argument too many', ['tenants', 'show', 'acme', 'globex'], /too many arguments/],
    ['a tenant ID that is none', ['tenants', 'show', 'Acme'], /<tenant>: must match/],
    ['a reserved tenant ID', ['tenants', 'show', 'admin'], /<tenant>: is a reserved name/],
    ['a user ID that is none', ['revoke', 'user', 'acme', 'ana', '--reason', 'x'], /<user>: must match/],
    ['no reason', ['revoke', 'agent', 'acme', 'bot'], /required option '--reason <text>'/],
    ['a reason with a control character', ['revoke', 'agent', 'acme', 'bot', '--reason', 'a\u001b[2J'], /--reason: must hold no control/],
    ['an incident that is no ID', ['revoke', 'agent', 'acme', 'bot', '--reason', 'x', '--incident', 'a b'], /--incident: must be/],
    [
      'a time-out that is no number',
      ['revoke', 'agent', 'acme', 'bot', '--reason', 'x', '--timeout', '5m'],
      /--timeout: must be a whole number/,
    ],
    ['an account that is none', ['connections', 'verify', 'acme', '123'], /<account>: must be the 12 digits/],
    ['a time that is none', ['attribution', 'query', 'acme', '--from', 'yesterday'], /--from: must be a time such as/],
    ['an unknown provider', ['attribution', 'query', 'acme', '--provider', 'openia'], /--provider: Invalid option/],
    ['a user named neither by ID nor by issuer and subject', ['users', 'show', 'acme'], /<user>: name the user by ID, or by --issuer/],
    ['a user named by both', ['users', 'show', 'acme', user, '--issuer', 'https://a.example', '--subject', 'a'], /<user>: name the user/],
    ['a certificate of nothing', ['certificate', 'acme', 'out.json'], /Name one of --revocation/],
    ['a certificate of two things', ['certificate', 'acme', 'out.json', '--tenant', '--user', user], /Name one of --revocation/],
    ['a certificate file that is not there', ['verify-certificate', 'nowhere.json'], /nowhere\.json cannot be read/],
    ['a redrive of nothing', ['dlq', 'redrive', '--yes'], /Name one queue, or --all/],
    ['a redrive of one and all', ['dlq', 'redrive', 'tenants', '--all', '--yes'], /Name one queue, or --all/],
  ])('%s', async (_, line, why) => {
    const { exitCode, out, err } = await typed(line);
    expect(err).toMatch(why);
    expect(exitCode).toBe(2);
    expect(out).toBe('');
  });
});

describe('P3 what cannot be undone is asked for twice', () => {
  const destructive: [string, readonly string[], string][] = [
    ['offboarding a tenant', ['tenants', 'offboard', 'acme', '--reason', 'left'], 'acme'],
    ['revoking a tenant', ['revoke', 'tenant', 'acme', '--reason', 'leak'], 'acme'],
    ['offboarding a user', ['users', 'offboard', 'acme', user, '--reason', 'left'], user],
  ];

  it.each(destructive)('%s ends with 2 where nobody can be asked, before anything is sent', async (_, line) => {
    const { exitCode, err, questions } = await typed(line);
    expect(err).toMatch(/cannot be undone: add --yes/);
    expect(exitCode).toBe(2);
    expect(questions).toEqual([]);
  });

  it.each(destructive)('%s ends with 1 when another ID is typed, or nothing', async (_, line, id) => {
    for (const answer of ['', 'y', 'yes', `${id}x`]) {
      const { exitCode, err, questions } = await typed(line, [answer]);
      expect(questions).toEqual([expect.stringContaining(`Type ${id}`)]);
      expect(err).toContain('nothing was sent');
      expect(exitCode).toBe(1);
    }
  });

  it.each(destructive)('%s goes on when the ID is typed again, or with --yes', async (_, line, id) => {
    const [asked, told] = [await typed(line, [id]), await typed([...line, '--yes'])];
    for (const { exitCode, err } of [asked, told]) {
      expect(err).toContain('No local cloud runs here');
      expect(exitCode).toBe(1);
    }
    expect(told.questions).toEqual([]);
  });
});

describe('P3 help and where there is no cloud', () => {
  it.each([[['--help']], [['tenants', '--help']], [['tenants', 'onboard', '--help']], [['revoke', 'version', '-h']], [['help', 'dlq']]])(
    'says on stdout what there is and ends with 0: %s',
    async (line) => {
      const { exitCode, out, err } = await typed(line);
      expect(exitCode).toBe(0);
      expect(out).toContain('Usage: cordon');
      expect(err).toBe('');
    },
  );

  it('says how to start a local cloud, and with --json prints one document all the same', async () => {
    const { exitCode, out, err } = await typed(['tenants', 'list', '--json']);
    expect(exitCode).toBe(1);
    expect(err).toContain('npm run local');
    expect(JSON.parse(out)).toEqual({ error: { code: 'NO_LOCAL_CLOUD', message: expect.stringContaining('npm run local') } });
  });

  it('says the same when the file that names the cloud is another one’s, or the cloud is gone', async () => {
    const { exitCode, err } = await typed(['tenants', 'list'], undefined, emptyDirectory());
    expect([exitCode, err]).toEqual([1, expect.stringContaining('npm run local')]);
  });
});

describe('P3 onboarding: which member is wrong, before anything is sent', () => {
  const credential = 'id=openai-main,provider=openai,source=platform-issued,environment=production';

  it.each<[string, readonly string[], readonly string[]]>([
    ['no name', ['acme'], ['displayName: is missing']],
    ['an unknown tier', ['acme', '--name', 'Acme', '--tier', 'gold'], ['tier: Invalid option']],
    [
      'several members at once',
      ['acme', '--name', 'Acme', '--credential', 'id=Main,provider=openai,source=platform-issued,environment=production,colour=red'],
      ['credentials.0.credentialId: must match', 'credentials.0: has members that are not known: colour'],
    ],
    [
      'a rule for a credential that is not there',
      ['acme', '--name', 'Acme', '--credential', credential, '--route', 'provider=openai,environment=production,use=other'],
      ['routing.0.use: names no credential of this event'],
    ],
    ['pairs that are none', ['acme', '--name', 'Acme', '--credential', 'openai'], ['--credential is a list such as']],
    ['a file and flags', ['acme', '--file', 'acme.json', '--name', 'Acme'], ['--file says it all']],
    ['a file that is not there', ['--file', 'nowhere.json'], ['nowhere.json cannot be read']],
  ])('%s', async (_, line, why) => {
    const { exitCode, out, err } = await typed(['tenants', 'onboard', ...line]);
    for (const one of why) expect(err).toContain(one);
    expect([exitCode, out]).toEqual([2, '']);
  });

  it.each<[string, string, RegExp]>([
    ['is not JSON', '{"tenantId": sk-secret', /acme\.json is not JSON\./],
    ['is a list', '[]', /acme\.json holds no JSON object\./],
    ['is about another tenant', '{"tenantId": "globex"}', /acme\.json is about another tenant than acme\./],
    [
      'has a misspelt member',
      '{"tenantId": "acme", "displayName": "A", "tier": "pool", "credentails": []}',
      /credentials: is missing\n.*credentails/,
    ],
    ['is another event', '{"detailType": "UserOnboarded", "detail": {}}', /members that are not known: detailType, detail/],
  ])('a file that %s', async (_, content, why) => {
    const directory = emptyDirectory();
    writeFileSync(join(directory, 'acme.json'), content);
    const { exitCode, err } = await typed(['tenants', 'onboard', 'acme', '--file', 'acme.json'], undefined, directory);
    expect(err).toMatch(why);
    expect(err).not.toContain('sk-secret');
    expect(exitCode).toBe(2);
  });

  it('takes an event as the example’s files have it, without a requester', async () => {
    const directory = emptyDirectory();
    const detail = { version: 1, tenantId: 'acme', displayName: 'Acme', tier: 'pool', credentials: [] };
    writeFileSync(join(directory, 'acme.json'), JSON.stringify({ detailType: 'TenantOnboarded', detail }));
    const { err } = await typed(['tenants', 'onboard', '--file', 'acme.json'], undefined, directory);
    expect(err).toContain('No local cloud runs here');
  });
});
