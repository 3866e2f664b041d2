import { describe, expect, it } from 'vitest';
import { decideSession } from '../../../functions/isolation/watch/decide-session.ts';
import { subjectOfName } from '../../../functions/isolation/watch/session-name.ts';
import { account, handedOut, otherUser, refused, user } from './trail-records.ts';

const sharedRoles = [
  'TenantReader',
  'TenantWriter',
  'TenantSupplier',
  'TenantRotator',
  'TenantRevoker',
  'TenantProvisioner',
  'TenantAuditor',
  'ByocConnector',
  'ByocProbe',
];
const acme = { TenantId: 'acme' };

describe('E8 a session is named for whom its tags say', () => {
  it.each<[what: string, role: string, name: string, tags: Record<string, string>, says: string]>([
    ['another tenant in the tags', 'TenantReader', 'acme', { TenantId: 'globex' }, 'but its tags say tenant globex'],
    ['a tenant whose name begins alike', 'TenantReader', 'acme', { TenantId: 'acme-2' }, 'but its tags say tenant acme-2'],
    ['no tenant in the tags', 'TenantWriter', 'acme', {}, 'but without a tenant in its tags'],
    ['an empty tenant in the tags', 'TenantWriter', 'acme', { TenantId: '' }, 'but its tags say tenant'],
    ['a name that is nobody’s', 'TenantRotator', 'Session', acme, 'which names no tenant'],
    ['a name that is reserved', 'TenantRotator', 'cordon', { TenantId: 'cordon' }, 'which names no tenant'],
    ['a name with something behind the tenant', 'TenantReader', 'acme.somebody', acme, 'which names no tenant'],
    ['a dot behind a longer ID', 'TenantReader', 'acme.', acme, 'which names no tenant'],
    ['a user in the tags and none in the name', 'TenantReader', 'acme', { ...acme, UserId: user }, `but its tags say user ${user}`],
    ['a user in the name and none in the tags', 'TenantReader', `acme.${user}`, acme, 'but its tags name no user'],
    ['another user in the tags', 'TenantReader', `acme.${user}`, { ...acme, UserId: otherUser }, `but its tags say user ${otherUser}`],
    ['another tenant’s own role', 'TenantAgent-globex', 'acme', {}, 'but the role is of tenant globex'],
    ['another tenant’s own writer', 'TenantAgent-globex.writer', 'acme', {}, 'but the role is of tenant globex'],
    ['a tag that overrides its own role', 'TenantAgent-acme', 'acme', { TenantId: 'globex' }, 'but its tags say tenant globex'],
    ['a tag in other letters', 'TenantReader', 'acme', { tenantid: 'globex' }, 'but its tags say tenant globex'],
  ])('reports %s', (_, role, name, tags, says) => {
    const [found, ...more] = decideSession(handedOut(role, name, tags), account);
    expect(found).toMatchObject({ code: 'SESSION_DISAGREES', message: expect.stringContaining(says), left: [expect.any(String)] });
    expect(more).toEqual([]);
  });

  it('reports it of the tenant that the session can reach, not of the one that it is named for', () => {
    expect(decideSession(handedOut('TenantReader', 'acme', { TenantId: 'globex' }), account)[0]?.tenantId).toBe('globex');
    expect(decideSession(handedOut('TenantAgent-globex', 'acme', {}), account)[0]?.tenantId).toBe('globex');
  });

  it.each(sharedRoles)('is silent on a session of %s as Cordon names it', (role) => {
    expect(decideSession(handedOut(role, 'acme', acme), account)).toEqual([]);
    expect(decideSession(handedOut(role, 'a.', { TenantId: 'a' }), account)).toEqual([]);
    expect(decideSession(handedOut(role, `acme.${user}`, { ...acme, UserId: user }), account)).toEqual([]);
  });

  it.each(['TenantAgent-acme', 'TenantAgent-acme.writer'])('is silent on a session of %s, which brings no tenant of its own', (role) => {
    expect(decideSession(handedOut(role, 'acme', {}), account)).toEqual([]);
    expect(decideSession(handedOut(role, `acme.${user}`, { UserId: user }), account)).toEqual([]);
  });

  it('is silent on what was refused, on other roles, and on roles of the same name elsewhere', () => {
    expect(decideSession(handedOut('TenantReader', 'acme', { TenantId: 'globex' }, refused), account)).toEqual([]);
    expect(decideSession(handedOut('Deploy', 'ci', {}), account)).toEqual([]);
    expect(decideSession(handedOut('TenantReader', 'acme', { TenantId: 'globex' }), '999988887777')).toEqual([]);
  });

  it.each([
    ['acme', { tenantId: 'acme' }],
    ['a.', { tenantId: 'a' }],
    [`acme.${user}`, { tenantId: 'acme', userId: user }],
    [`a.${user}`, { tenantId: 'a', userId: user }],
    ['acme.', undefined],
    [`acme.${user}.x`, undefined],
    ['', undefined],
    ['.', undefined],
    ['platform', undefined],
  ])('reads the name %s', (name, subject) => {
    expect(subjectOfName(name)).toEqual(subject);
  });
});
