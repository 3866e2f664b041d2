import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import { inboundEvents } from '../../../functions/tenants/events.ts';
import { readExampleEvents } from '../../../local/demo/play-events.ts';

const issuer = 'http://127.0.0.1:4000/oidc';
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cordon-events-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the example events', () => {
  it('are what their schemas say', () => {
    for (const event of readExampleEvents('examples/two-tenants', issuer)) {
      const schema = Object.entries(inboundEvents).find(([detailType]) => detailType === event.detailType)?.[1];
      expect(schema?.safeParse(event.detail), event.file).toMatchObject({ success: true });
    }
  });

  it('are read in the order of their numbers, other files left out', () => {
    for (const name of ['10-last.json', '2-first.json', 'attempts.json', 'README.md']) {
      writeFileSync(join(directory, name), JSON.stringify({ detailType: 'T', detail: { tenantId: name } }));
    }
    expect(readExampleEvents(directory, issuer).map(({ file }) => file)).toEqual(['2-first.json', '10-last.json']);
  });

  it('have issuer and user IDs of this run put in', () => {
    const detail = { tenantId: 'acme', issuer: '{{issuer}}', userId: '{{userId:ana}}' };
    writeFileSync(join(directory, '1-a.json'), JSON.stringify({ detailType: 'T', detail }));
    expect(readExampleEvents(directory, issuer)[0]?.detail).toEqual({ tenantId: 'acme', issuer, userId: userIdOf(issuer, 'ana') });
  });

  it('must be events, and there must be some', () => {
    expect(() => readExampleEvents(directory, issuer)).toThrow(/no event file/);
    writeFileSync(join(directory, '1-a.json'), '{"detail": {}}');
    expect(() => readExampleEvents(directory, issuer)).toThrow(/1-a.json is not an event/);
  });
});
