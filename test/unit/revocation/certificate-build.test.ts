import { describe, expect, it } from 'vitest';
import { buildCertificate } from '../../../functions/revocation/certificate/build-certificate.ts';
import type { CertificateRecord, CredentialRecord } from '../../../functions/revocation/certificate/certificate.ts';
import type { CertificateOf } from '../../../functions/revocation/certificate/in-scope.ts';
import { userIdOf } from '../../../functions/shared/identifiers.ts';
import {
  aCredentialItem,
  anEnding,
  ann,
  aRevocation,
  confirmedVersion,
  madeAt,
  type RegistryFacts,
  revokedAt,
  versionId,
} from '../../support/certificates.ts';

const ben = userIdOf('https://idp.example', 'ben');
const build = (facts: RegistryFacts, of: CertificateOf = { tenant: true }) => buildCertificate({ ...facts, of });
const credentialsIn = (records: readonly CertificateRecord[]): readonly CredentialRecord[] =>
  records.filter((record) => record.kind === 'credential');
const idsIn = (records: readonly CertificateRecord[]): string[] => credentialsIn(records).map(({ credentialId }) => credentialId);
const openIn = (records: readonly CertificateRecord[]) => records.filter((record) => record.kind === 'unconfirmed');
const at = (ms: number): string => new Date(revokedAt + ms).toISOString();

describe('X6 what a certificate says', () => {
  it('names each credential, what was done to it, when, by whom and by which proof', () => {
    const { records, counts } = build({
      revocations: [aRevocation({ incidentId: 'INC-7' })],
      credentials: [aCredentialItem('main', { userId: ann })],
    });
    expect(records).toMatchObject([
      {
        ...{ kind: 'revocation', revocationId: 'r-1', action: 'offboard', scope: 'tenant', requestedBy: 'ann@acme.example' },
        ...{ reason: 'contract ended', incidentId: 'INC-7', requestedAt: at(0), inForceAt: at(800), connectionsEnded: true },
        sessions: { issuedBefore: at(800), state: 'cut-off', cutOffAt: at(2000), policyVersionId: 'v7' },
      },
      {
        ...{
          kind: 'credential',
          credentialId: 'main',
          provider: 'openai',
          source: 'platform-issued',
          userId: ann,
          environment: 'production',
        },
        ending: {
          ...{ revocationId: 'r-1', requestedBy: 'ann@acme.example', since: at(900), phase: 'ended' },
          ...{ straysAt: at(3000), stagedOutAt: at(3500), deletedAt: at(5000) },
        },
        versions: [
          {
            ...{ versionId: versionId('1'), keyId: 'key_1', revokedAt: at(2500), confirmedAt: at(4000), confirmation: 'refused' },
            proofId: '01KAHZ3V9QXJ5T7N2M8R4W6Y0B',
          },
        ],
      },
    ]);
    expect(counts).toEqual({ revocations: 1, credentials: 1, versions: 1, confirmed: 1, attested: 0, unconfirmed: 0 });
  });

  it('is the same for the same items', () => {
    const facts = { revocations: [aRevocation()], credentials: [aCredentialItem('a'), aCredentialItem('b')] };
    expect(build(structuredClone(facts))).toEqual(build(facts));
  });

  it('says of sessions that ended before the policy could be asked that they ended by themselves', () => {
    const cutOff = { id: 'r-1', before: revokedAt, endedAt: revokedAt + 3_600_000 };
    const { records } = build({ revocations: [aRevocation({ cutOff })], credentials: [] });
    expect(records).toMatchObject([{ sessions: { state: 'ended-by-themselves', endedAt: at(3_600_000) } }]);
  });

  it('counts what a person attested apart from what a provider showed', () => {
    const versions = [confirmedVersion('1'), { ...confirmedVersion('2'), confirmation: 'attested' as const, attestedBy: 'ben' }];
    const { counts, records, notKnown } = build({
      revocations: [aRevocation()],
      credentials: [aCredentialItem('a', { ending: anEnding({ versions }) })],
    });
    expect(counts).toMatchObject({ versions: 2, confirmed: 2, attested: 1, unconfirmed: 0 });
    expect(credentialsIn(records)[0]?.versions[1]).toMatchObject({ confirmation: 'attested', attestedBy: 'ben' });
    expect(notKnown.map(({ code }) => code)).toContain('ATTESTED');
  });

  it('says what Cordon cannot know, as far as it applies', () => {
    const codes = (facts: RegistryFacts): string[] => build(facts).notKnown.map(({ code }) => code);
    expect(codes({ revocations: [], credentials: [] })).toEqual(['ANSWERS_GIVEN']);
    const credentials = [
      aCredentialItem('byok', { source: 'customer-supplied' }),
      aCredentialItem('role', { source: 'customer-role', provider: 'aws', connectionId: '444455556666' }),
      aCredentialItem('federated', { source: 'federated' }),
    ];
    expect(codes({ revocations: [aRevocation()], credentials })).toEqual([
      ...['ANSWERS_GIVEN', 'LATER_CHANGES', 'COPIES_ELSEWHERE', 'CUSTOMER_ACCOUNTS', 'FEDERATED_TOKENS', 'TOKENS_ELSEWHERE'],
    ]);
  });
});

describe('X3 X6 what is not confirmed is never hidden', () => {
  const open = { versionId: versionId('9'), keyId: 'key_9', revokedAt: revokedAt + 2500 };

  it('lists each key without a confirmation first, since when and why', () => {
    const ending = anEnding({
      phase: 'unconfirmed',
      unconfirmedSince: revokedAt + 900_000,
      problem: 'PROVIDER_UNAVAILABLE',
      versions: [confirmedVersion('1'), open],
    });
    const { records, counts } = build({ revocations: [aRevocation()], credentials: [aCredentialItem('a', { ending })] });
    expect(records[0]).toEqual({
      ...{ kind: 'unconfirmed', what: 'key', credentialId: 'a', provider: 'openai', versionId: open.versionId, keyId: 'key_9' },
      ...{ revocationId: 'r-1', since: at(900_000), why: 'PROVIDER_UNAVAILABLE' },
    });
    expect(counts).toMatchObject({ versions: 2, confirmed: 1, unconfirmed: 1 });
  });

  it.each([
    [{ phase: 'revoking' as const, versions: [] }, 'credential', 'UNDER_WAY'],
    [{ phase: 'confirming' as const, versions: [open] }, 'key', 'UNDER_WAY'],
    [{ phase: 'unconfirmed' as const, versions: [open] }, 'key', 'NOT_CONFIRMED'],
    [{ phase: 'deleting' as const, versions: [confirmedVersion('1')] }, 'credential', 'SECRET_NOT_DELETED'],
    [{ phase: 'ended' as const, versions: [open] }, 'key', 'UNDER_WAY'],
  ])('lists a credential that stands at %j', (change, what, why) => {
    const { records } = build({ revocations: [aRevocation()], credentials: [aCredentialItem('a', { ending: anEnding(change) })] });
    expect(openIn(records)).toMatchObject([{ what, why, credentialId: 'a' }]);
  });

  it('lists a credential of the scope of which nothing has come yet', () => {
    const { records } = build({
      revocations: [aRevocation({ marked: false })],
      credentials: [aCredentialItem('a', { status: 'active', ending: undefined })],
    });
    expect(openIn(records)).toMatchObject([
      { what: 'credential', credentialId: 'a', revocationId: 'r-1', why: 'NOT_BEGUN', since: at(800) },
    ]);
  });

  it('lists sessions that are not cut off, and connections that are not ended', () => {
    for (const cutOff of [undefined, { id: 'r-1', before: revokedAt }]) {
      const { records } = build({ revocations: [aRevocation({ cutOff, connectionsEnded: undefined })], credentials: [] });
      expect(openIn(records)).toMatchObject([
        { what: 'sessions', why: 'SESSIONS_NOT_CUT_OFF' },
        { what: 'connections', why: 'CONNECTIONS_NOT_ENDED' },
      ]);
    }
    const agent = aRevocation({ action: 'revoke', scope: 'agent', agentId: 'a', cutOff: undefined, connectionsEnded: undefined });
    const back = aRevocation({ revocationId: 'r-2', action: 'reinstate', cutOff: undefined, connectionsEnded: undefined });
    expect(openIn(build({ revocations: [agent, back], credentials: [] }).records)).toEqual([]);
  });

  it('lists a version that was revoked by itself until the registry has let go of it', () => {
    const revocations = [
      aRevocation({ action: 'revoke', scope: 'version', credentialId: 'a', versionId: versionId('5'), cutOff: undefined }),
    ];
    const alive = { status: 'active', ending: undefined, revokedVersionIds: [versionId('5')] };
    for (const held of [
      { secretVersionId: versionId('5') },
      { secretVersionId: versionId('6'), previous: { versionId: versionId('5') } },
    ]) {
      const { records, counts } = build({ revocations, credentials: [aCredentialItem('a', { ...alive, ...held })] });
      expect(openIn(records)).toMatchObject([{ what: 'key', versionId: versionId('5'), why: 'NOT_REPLACED', since: at(800) }]);
      expect(counts).toMatchObject({ credentials: 1, versions: 1, confirmed: 0, unconfirmed: 1 });
    }
    const { records, counts } = build({ revocations, credentials: [aCredentialItem('a', { ...alive, secretVersionId: versionId('6') })] });
    expect(credentialsIn(records)).toMatchObject([
      { status: 'active', versions: [{ versionId: versionId('5'), confirmation: 'replaced' }] },
    ]);
    expect(credentialsIn(records)[0]?.ending).toBeUndefined();
    expect(counts).toMatchObject({ confirmed: 1, unconfirmed: 0 });
  });
});

describe('X6 what a certificate is about', () => {
  const byUser = { revocationId: 'r-2', action: 'revoke', scope: 'user', userId: ann, incidentId: 'INC-7', inForceAt: revokedAt - 500 };
  const byCredential = {
    revocationId: 'r-3',
    action: 'revoke',
    scope: 'credential',
    credentialId: 'shared',
    cutOff: undefined,
    inForceAt: revokedAt - 700,
  };
  const facts: RegistryFacts = {
    revocations: [aRevocation(), aRevocation(byUser), aRevocation(byCredential)],
    credentials: [
      aCredentialItem('anns', { userId: ann, ending: anEnding({ revocationId: 'r-2', incidentId: 'INC-7' }) }),
      aCredentialItem('bens', { userId: ben }),
      aCredentialItem('shared', { ending: anEnding({ revocationId: 'r-3' }) }),
      aCredentialItem('alive', { status: 'active', ending: undefined, createdAt: new Date(revokedAt + 60_000).toISOString() }),
    ],
  };
  const revocationsIn = (records: readonly CertificateRecord[]): string[] =>
    records.flatMap((record) => (record.kind === 'revocation' ? [record.revocationId] : []));

  it('is all that was ended when it is of the tenant, in the order of time', () => {
    const { records, subject } = build(facts);
    expect(subject).toEqual({ kind: 'tenant' });
    expect(revocationsIn(records)).toEqual(['r-3', 'r-2', 'r-1']);
    expect(idsIn(records)).toEqual(['anns', 'bens', 'shared']);
  });

  it("is a user's own credentials, also those that the tenant's end has ended", () => {
    const { records, subject } = buildCertificate({
      ...facts,
      of: { userId: ben },
      user: { issuer: 'https://idp.example', subject: 'ben' },
    });
    expect(subject).toEqual({ kind: 'user', userId: ben, issuer: 'https://idp.example', subject: 'ben' });
    expect(idsIn(records)).toEqual(['bens']);
    expect(revocationsIn(records)).toEqual(['r-1']);
    expect(revocationsIn(build(facts, { userId: ann }).records)).toEqual(['r-2', 'r-1']);
  });

  it('is what belongs to an incident', () => {
    const { records } = build(facts, { incidentId: 'INC-7' });
    expect([revocationsIn(records), idsIn(records)]).toEqual([['r-2'], ['anns']]);
    expect(build(facts, { incidentId: 'INC-8' }).records).toEqual([]);
  });

  it('is all that one revocation reached, also what an earlier one had ended', () => {
    expect(idsIn(build(facts, { revocationId: 'r-1' }).records)).toEqual(['anns', 'bens', 'shared']);
    expect(idsIn(build(facts, { revocationId: 'r-2' }).records)).toEqual(['anns']);
    expect(idsIn(build(facts, { revocationId: 'r-3' }).records)).toEqual(['shared']);
    expect(build(facts, { revocationId: 'r-9' }).records).toEqual([]);
  });

  it('is not what was made after a revocation, and ended by a later one', () => {
    const later = aCredentialItem('later', {
      createdAt: new Date(revokedAt + 60_000).toISOString(),
      ending: anEnding({ revocationId: 'r-8', since: revokedAt + 90_000 }),
    });
    expect(idsIn(build({ ...facts, credentials: [later] }, { revocationId: 'r-1' }).records)).toEqual([]);
    expect(madeAt).toBeLessThan(revokedAt);
  });

  it.each(['suspend', 'reinstate'])('is no credential for a tenant that was to %s', (action) => {
    const revocations = [aRevocation({ action })];
    expect(idsIn(build({ revocations, credentials: [aCredentialItem('a', { status: 'active', ending: undefined })] }).records)).toEqual([]);
  });
});
